"""`nuzoo publish` against the local Hub: all of it goes out as one commit, or nothing and a clear message."""

import hashlib
import json
import re
import shutil
import signal
import socket

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image, PngImagePlugin
from safetensors.torch import load_file, save_file

from nuzoo.datasets_scripts.lartpc_pixelmaps import simulate_dataset
from nuzoo.hub.local_hub import Reply

from .flows import Session, commit, contents, count_commits, evaluate, state

DATASET, MODEL, NEW = "org/pixelmaps", "org/nu-cnn", "org/new"
AS_DATASET = ("--type", "dataset")


@pytest.fixture(scope="module")
def session(local_hub, tmp_path_factory):
    with Session(local_hub, tmp_path_factory.mktemp("cache")) as session:
        session.trust_flat_copies()
        yield session


@pytest.fixture(scope="module")
def published_dataset(session, simulated_dataset):
    session.publish(simulated_dataset, "--repo", DATASET, *AS_DATASET)
    return simulated_dataset


@pytest.fixture(scope="module")
def published_run(session, published_dataset, evaluated_run, tmp_path_factory):
    """A run folder as a training leaves it, already published once."""
    run = shutil.copytree(evaluated_run, tmp_path_factory.mktemp("runs") / "nu-cnn")
    for name in ("training_args.bin", "checkpoint-5/optimizer.pt", "checkpoint-5/rng_state.pth", "log.txt"):
        (run / name).parent.mkdir(exist_ok=True)
        torch.save({"secret": "seen by nobody"}, run / name)
    session.publish(run, "--repo", MODEL, "--dataset", DATASET)
    return run


@pytest.fixture
def run(published_run, tmp_path):
    """A copy that a test may damage."""
    return shutil.copytree(published_run, tmp_path / "run")


@pytest.fixture
def data(simulated_dataset, tmp_path):
    return shutil.copytree(simulated_dataset, tmp_path / "data")


@pytest.fixture
def refused(session, local_hub):
    """Publishing fails with each of `parts` in the message, and leaves no trace on the Hub."""

    def check(*command, parts, status=1, **environment):
        before = everything(local_hub)
        done = session.nuzoo("publish", *command, **environment)
        message = done.err.splitlines()[-1]
        assert done.status == status
        assert message.startswith("nuzoo publish: ")
        assert [part for part in parts if part not in message] == [], message
        assert everything(local_hub) == before
        return message

    return check


def everything(hub):
    """Revision and files of every repository of the Hub."""
    found = {}
    for path in hub.repositories.root.glob("*s/*/*/repository.json"):
        name = f"{path.parts[-3]}/{path.parts[-2]}"
        kind = path.parts[-4].removesuffix("s")
        found[kind, name] = state(hub, name, kind)
    return found


def edit_json(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


# Refused before anything is sent


@pytest.mark.parametrize("name", ["../x/y", "a/b/c", "/tmp/x", "x", "org/../x", "org/a b", "~/x", "org/", ""])
@pytest.mark.parametrize("kind", ["model", "dataset"])
def test_a_name_that_is_no_repository(refused, published_run, data, kind, name):
    folder = data if kind == "dataset" else published_run
    refused(folder, f"--repo={name}", "--type", kind, parts=['"organisation/name"', repr(name)])


def test_nobody_is_logged_in(refused, published_run, data):
    for arguments in ((published_run,), (data, *AS_DATASET)):
        refused(*arguments, "--repo", NEW, parts=["no token", "hf auth login", "HF_TOKEN"], HF_TOKEN="")


def test_no_results(refused, run):
    (run / "report" / "results.json").unlink()
    refused(run, "--repo", NEW, "--dataset", DATASET, parts=["no results.json", "nuzoo evaluate", "--report"])


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (lambda r: r["model"].update(parameters=7), ["parameters 7", "evaluate the model that is saved"]),
        (lambda r: r["model"].update({"class": "NuViTModel"}), ["class NuViTModel"]),
        (lambda r: r["calibration"]["temperature"].update(value=2.5), ["temperature 2.5"]),
        (
            lambda r: r["dataset"].update(event_ids_sha256="0" * 64),
            ["predictions of 5 others", "one evaluation"],
        ),
        (lambda r: r.update(schema_version=0), ["schema", "evaluate again"]),
        (
            lambda r: r["dataset"].update(events=10**6),
            ["of 1000000 events, predictions of 5", "one evaluation"],
        ),
        (lambda r: r["dataset"].update(split="train"), ["split 'train'", "held-out"]),
        (lambda r: r.pop("calibration"), ["lacks calibration", "nuzoo evaluate"]),
        (lambda r: r["metrics"].pop("macro_auc"), ["lacks metrics.macro_auc", "nuzoo evaluate"]),
        (lambda r: r["metrics"]["accuracy"].update(value=0.999), ["say accuracy 0.999", "predictions"]),
    ],
)
def test_results_of_something_else(refused, run, change, parts):
    edit_json(run / "report" / "results.json", change)
    refused(run, "--repo", NEW, "--dataset", DATASET, parts=parts)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("recipe.yaml", "a: [1,"),
        ("recipe.yaml", "- a"),
        ("trainer_state.json", "{"),
        ("training_args.json", "[1]"),
        ("report/predictions.parquet", "no Parquet"),
    ],
)
def test_files_of_the_run_that_cannot_be_read(refused, run, name, content):
    (run / name).write_text(content)
    refused(run, "--repo", NEW, "--dataset", DATASET, parts=[name])


def test_a_licence_that_the_hub_does_not_know(refused, published_run):
    options = ("--dataset", DATASET, "--licence", "my own")
    refused(published_run, "--repo", NEW, *options, parts=["licence: expected an identifier", "'my own'"])


def test_results_on_the_labelled_events_of_a_partly_labelled_dataset(session, local_hub, refused, run, data):
    shard = data / "data" / "train-00000-of-00001.parquet"
    rows = pq.read_table(shard)
    rewrite(data, shard, rows, "label", [None, None, *rows["label"].to_pylist()[2:]])
    session.publish(data, "--repo", "org/partly", *AS_DATASET)
    evaluate(run, data, "--split", "all")
    command = (run, "--repo", "org/of-partly", "--dataset", "org/partly")
    session.publish(*command)
    card = contents(local_hub, "org/of-partly")["README.md"].decode()
    assert "measured events: 58 labelled events of all splits" in card
    predictions = run / "report" / "predictions.parquet"
    rows = pq.read_table(predictions)
    pq.write_table(rows.slice(1), predictions)
    ids = sorted(rows["event_id"].to_pylist()[1:])
    digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()
    path = run / "report" / "results.json"
    edit_json(path, lambda r: r["dataset"].update(events=57, event_ids_sha256=digest))
    refused(*command, parts=["evaluate"])


def test_weights_that_were_not_measured(refused, run):
    weights = load_file(run / "model.safetensors")
    weights["classifier.weight"] *= 1.5
    save_file(weights, run / "model.safetensors", metadata={"format": "pt"})
    refused(run, "--repo", NEW, "--dataset", DATASET, parts=["weights_sha256", "evaluate the model"])


@pytest.mark.parametrize(
    ("file", "change", "parts"),
    [
        ("preprocessor_config.json", {"rebin": 4}, ["another processor", "evaluate again"]),
        (
            "config.json",
            {
                "id2label": {"0": "nc", "1": "nue_cc", "2": "numu_cc"},
                "label2id": {"nc": 0, "nue_cc": 1, "numu_cc": 2},
            },
            ["classes", "evaluate the model"],
        ),
    ],
)
def test_settings_that_were_not_measured(refused, run, file, change, parts):
    edit_json(run / file, lambda content: content.update(change))
    refused(run, "--repo", NEW, "--dataset", DATASET, parts=parts)


def test_results_on_another_dataset(refused, session, published_run, tmp_path):
    simulate_dataset(tmp_path / "other", events=30, seed=6)
    session.publish(tmp_path / "other", "--repo", "org/other", *AS_DATASET)
    refused(published_run, "--repo", NEW, "--dataset", "org/other", parts=["no split of org/other"])


@pytest.mark.parametrize(
    ("dataset", "parts"),
    [
        ([], ["no dataset that its folder names", "--type dataset", "--dataset"]),
        (["--dataset", "org/gone"], ["find dataset org/gone", "no such repository"]),
        (["--dataset", f"{DATASET}@v9"], ["org/pixelmaps", "v9"]),
        (["--dataset", "../gone"], ['"organisation/name"', "../gone"]),
    ],
)
def test_a_dataset_that_is_not_on_the_hub(refused, published_run, dataset, parts):
    refused(published_run, "--repo", NEW, *dataset, parts=parts)


def test_a_dataset_that_is_a_folder(refused, run, simulated_dataset):
    (run / "recipe.yaml").write_text(f"data:\n  path: {simulated_dataset}\n")
    refused(run, "--repo", NEW, parts=["trained on", "a card names a dataset on the Hub"])


def test_weights_that_are_missing_or_pickled(refused, run):
    weights = load_file(run / "model.safetensors")
    (run / "model.safetensors").unlink()
    refused(run, "--repo", NEW, "--dataset", DATASET, parts=["model.safetensors", "save_pretrained"])
    torch.save(weights, run / "pytorch_model.bin")
    refused(run, "--repo", NEW, "--dataset", DATASET, parts=["Pickled weights", "never read"])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(refused, run, value):
    weights = load_file(run / "model.safetensors")
    name = next(name for name, tensor in weights.items() if tensor.is_floating_point() and tensor.ndim > 1)
    weights[name].view(-1)[0] = value
    save_file(weights, run / "model.safetensors", {"format": "pt"})
    refused(run, "--repo", NEW, "--dataset", DATASET, parts=["NaN or infinity", name, "train again"])


def test_a_picture_that_names_a_home(refused, run):
    text = PngImagePlugin.PngInfo()
    text.add_text("Source", "/home/alice/thesis/plot.py")
    Image.new("RGB", (8, 8)).save(run / "report" / "roc.png", pnginfo=text)
    refused(run, "--repo", NEW, "--dataset", DATASET, parts=["figures/roc.png", "/home/alice", "remove it"])


@pytest.mark.parametrize("name", ["roc.png", "other.png", "results.json", "predictions.parquet"])
def test_links_in_the_report_are_not_followed(refused, run, tmp_path, name):
    linked, private = run / "report" / name, tmp_path / "private"
    Image.new("RGB", (8, 8)).save(private, "PNG")
    if linked.exists():
        linked.rename(private)
    linked.symlink_to(private)
    refused(run, "--repo", NEW, "--dataset", DATASET, parts=[str(linked), "got a link"])


def test_a_secret_in_the_configuration(refused, run):
    secret = "hf_" + "a" * 34
    edit_json(run / "config.json", lambda config: config["id2label"].update({"0": secret}))
    edit_json(run / "config.json", lambda config: config.pop("label2id"))
    edit_json(
        run / "report" / "results.json", lambda results: results["model"]["classes"].__setitem__(0, secret)
    )
    refused(run, "--repo", NEW, "--dataset", DATASET, parts=["secret key", "hf_aaa", "revoke"])


def rewrite(data, shard, table, column, values):
    """Write a shard with other values in a column, and the manifest with it."""
    position, field = table.schema.get_field_index(column), table.schema.field(column)
    table = table.set_column(position, field, [pa.array(values, type=field.type)])
    pq.write_table(table, shard, row_group_size=10)
    facts = {"bytes": shard.stat().st_size, "sha256": hashlib.sha256(shard.read_bytes()).hexdigest()}
    edit_json(data / "manifest.json", lambda m: m["files"]["data/" + shard.name].update(facts))


def test_a_row_with_a_nan(refused, data):
    shard = data / "data" / "train-00000-of-00001.parquet"
    table = pq.read_table(shard)
    column = next(name for name in table.column_names if name.endswith("_energy"))
    values = table[column].to_pylist()
    values[3][0] = float("nan")
    rewrite(data, shard, table, column, values)
    refused(data, "--repo", NEW, *AS_DATASET, parts=["train-00000-of-00001.parquet", "3", column])


def test_a_shard_that_changed(refused, data):
    shard = data / "data" / "train-00000-of-00001.parquet"
    content = bytearray(shard.read_bytes())
    content[1000] ^= 1
    shard.write_bytes(content)
    refused(data, "--repo", NEW, *AS_DATASET, parts=["train-00000-of-00001.parquet"])


def test_a_model_given_as_dataset_and_the_reverse(refused, published_run, data):
    refused(published_run, "--repo", NEW, *AS_DATASET, parts=["holds a model", "leave out --type dataset"])
    refused(data, "--repo", NEW, parts=["holds a dataset", "add --type dataset"])


SABOTAGE = """
from nuzoo.hub.model.flat_copy import check_flat_copy
def check_sabotaged(folder):
    code = folder / "modeling_nu_cnn.py"
    code.write_text(code.read_text() + "raise RuntimeError('sabotage')")
    return check_flat_copy(folder)
m.check_flat_copy = check_sabotaged
"""


def test_code_that_does_not_work_without_nuzoo(session, refused, published_run):
    session.run(SABOTAGE)
    try:
        parts = ["does not work without nuzoo", "RuntimeError: sabotage"]
        refused(published_run, "--repo", NEW, "--dataset", DATASET, parts=parts)
    finally:
        session.trust_flat_copies()


def test_folders_that_are_not_there(refused, tmp_path):
    refused(tmp_path / "nothing", "--repo", NEW, parts=["got no folder", "nothing"])


def test_no_network(run_fresh, published_run, data):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: whoever connects is refused
        dead = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = run_fresh(
            """
import sys, time
time.sleep = lambda seconds: None
from nuzoo.cli import main
run, data = sys.argv[1:]
assert main(["publish", data, "--repo", "org/new", "--type", "dataset"]) == 1
assert main(["publish", run, "--repo", "org/new", "--dataset", "org/pixelmaps"]) == 1
assert main(["verify", "org/new"]) == 1
""",
            published_run,
            data,
            HF_ENDPOINT=dead,
        )
    assert done.returncode == 0, done.stderr
    messages = [line for line in done.stderr.splitlines() if line.startswith("nuzoo ")]
    assert len(messages) == 3
    for message in messages:
        assert "no connection to the Hub" in message
        assert "check the network" in message


# Faults on the way


def fail(method, part, reply, after=0):
    """Answer requests for a path with `reply`, those after the first `after` ones."""
    seen = []

    def intercept(request):
        if request.method != method or part not in request.path:
            return None
        seen.append(request.path)
        return reply if len(seen) > after else None

    return intercept


FAULTS = {
    "5xx at the second large file": (("PUT", "/lfs/", Reply(503), 1), ["503", "again"]),
    "line cut at the second large file": (("PUT", "/lfs/", Reply(stop_after=0), 1), ["no connection"]),
    "5xx at the large files": (("POST", "/objects/batch", Reply(500)), ["500", "again"]),
    "5xx at the commit": (("POST", "/commit/", Reply(500)), ["500", "nothing was changed"]),
    "line cut at the commit": (("POST", "/commit/", Reply(stop_after=0)), ["no connection", "again"]),
    "401 at the commit": (("POST", "/commit/", Reply(401)), ["401", "hf auth login"]),
    "403 at the commit": (("POST", "/commit/", Reply(403)), ["403", "owner of the organisation"]),
    "429 at the commit": (("POST", "/commit/", Reply(429)), ["429", "again later"]),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("there", [False, True], ids=["new repository", "published before"])
def test_a_fault_changes_nothing_and_the_command_can_be_repeated(
    session, local_hub, refused, published_dataset, tmp_path, fault, there
):
    data, repository = tmp_path / "data", f"org/fault-{list(FAULTS).index(fault)}-{there}"
    where, parts = FAULTS[fault]
    if there:
        session.publish(published_dataset, "--repo", repository, *AS_DATASET)
    simulate_dataset(data, events=25, seed=8)
    local_hub.intercept = fail(*where)
    refused(data, "--repo", repository, *AS_DATASET, parts=parts)
    local_hub.intercept = None
    before = count_commits(local_hub, repository, "dataset") if there else 1
    session.publish(data, "--repo", repository, *AS_DATASET)
    assert count_commits(local_hub, repository, "dataset") == before + 1


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("part", ["/api/repos/create", "/lfs/", "/commit/main"])
def test_an_interruption_leaves_nothing(session, local_hub, data, number, status, part):
    """The Hub gets the request, and the process a signal while it waits for the answer."""
    seen = []

    def interrupt(request):
        if part not in request.path or seen or request.method == "GET":
            return None
        seen.append(request.path)
        if part == "/api/repos/create":
            assert request.answer().status == 200
        session.signal(number)
        return Reply(503)

    local_hub.intercept = interrupt
    before = everything(local_hub)
    done = session.nuzoo("publish", data, "--repo", NEW, *AS_DATASET)
    assert seen
    assert (done.status, "stopped" in done.err) == (status, True)
    assert everything(local_hub) == before
    assert [path.name for path in data.parent.iterdir()] == ["data"]


@pytest.mark.parametrize("part", ["/lfs/", "/commit/main"])
def test_a_killed_process_leaves_nothing_half_published(session, local_hub, data, tmp_path, part):
    repository = f"org/killed{part.replace('/', '-')}x"
    with Session(local_hub, tmp_path) as killed:

        def kill(request):
            if part in request.path and request.method != "GET":
                killed.kill()
            return None

        local_hub.intercept = kill
        with pytest.raises(EOFError):
            killed.nuzoo("publish", data, "--repo", repository, *AS_DATASET)
    local_hub.intercept = None
    assert contents(local_hub, repository, "dataset").keys() <= {".gitattributes"}
    session.publish(data, "--repo", repository, *AS_DATASET)
    assert count_commits(local_hub, repository, "dataset") == 2


def test_a_fault_while_a_model_goes_up(session, local_hub, refused, published_run):
    local_hub.intercept = fail("PUT", "/lfs/", Reply(503), after=2)
    refused(published_run, "--repo", NEW, "--dataset", DATASET, parts=[f"cannot publish to {NEW}", "503"])


@pytest.mark.parametrize("there", [False, True], ids=["new repository", "published before"])
def test_a_lost_answer_to_the_commit_makes_no_second_one(
    session, local_hub, simulated_dataset, tmp_path, there
):
    repository = f"org/lost-{there}"
    if there:
        simulate_dataset(tmp_path / "data", events=25, seed=8)
        session.publish(tmp_path / "data", "--repo", repository, *AS_DATASET)
    command = ["publish", simulated_dataset, "--repo", repository, *AS_DATASET]

    def lose_the_answer(request):
        if "/commit/" not in request.path:
            return None
        assert request.answer().status == 200
        return Reply(stop_after=0)

    local_hub.intercept = lose_the_answer
    done = session.nuzoo(*command)
    assert (done.status, "no connection" in done.err) == (1, True)
    local_hub.intercept = None
    revision, commits = state(local_hub, repository, "dataset")[0], 2 + there
    assert count_commits(local_hub, repository, "dataset") == commits
    assert session.publish(*command[1:]) == revision
    assert count_commits(local_hub, repository, "dataset") == commits


def test_somebody_commits_in_between(session, local_hub, simulated_dataset, tmp_path):
    session.publish(simulated_dataset, "--repo", "org/race", *AS_DATASET)
    simulate_dataset(tmp_path / "data", events=25, seed=8)
    theirs = []

    def commit_first(request):
        if "/commit/" in request.path and not theirs:
            theirs.append(commit(local_hub, "org/race", {"README.md": b"by hand"}, "dataset"))
        return None

    local_hub.intercept = commit_first
    command = ["publish", tmp_path / "data", "--repo", "org/race", *AS_DATASET]
    done = session.nuzoo(*command)
    assert (done.status, "somebody else committed" in done.err) == (1, True)
    assert state(local_hub, "org/race", "dataset")[0] == theirs[0]
    assert session.nuzoo(*command).status == 0


def test_a_repository_that_somebody_else_creates_in_between_is_not_deleted(
    session, local_hub, simulated_dataset
):
    def create_first(request):
        if request.path == "/api/repos/create":
            local_hub.repositories.create("dataset", "org/taken", private=False, author="somebody")
            commit(local_hub, "org/taken", {"thesis.tex": b"theirs"}, "dataset")
        return None

    local_hub.intercept = create_first
    done = session.nuzoo("publish", simulated_dataset, "--repo", "org/taken", *AS_DATASET)
    assert (done.status, "thesis.tex" in done.err) == (1, True)
    assert contents(local_hub, "org/taken", "dataset")["thesis.tex"] == b"theirs"


def test_a_new_repository_to_which_somebody_commits_is_not_deleted(session, local_hub, simulated_dataset):
    def commit_first(request):
        if "/commit/" in request.path:
            commit(local_hub, "org/shared", {"thesis.tex": b"theirs"}, "dataset")
        return None

    local_hub.intercept = commit_first
    assert session.nuzoo("publish", simulated_dataset, "--repo", "org/shared", *AS_DATASET).status == 1
    assert contents(local_hub, "org/shared", "dataset")["thesis.tex"] == b"theirs"


def test_tokens_that_may_not_write(refused, local_hub, data):
    command = [data, "--repo", NEW, *AS_DATASET]
    refused(*command, parts=["401", "hf auth login"], HF_TOKEN="hf_made_up")
    there = [data, "--repo", DATASET, *AS_DATASET, "--licence", "cc0-1.0"]
    refused(*there, parts=["403", "write access"], HF_TOKEN=local_hub.visitor_token)


# What is there before and after


def test_foreign_files_are_not_overwritten(refused, local_hub, data):
    local_hub.repositories.create("dataset", "org/thesis", private=False, author="somebody")
    commit(local_hub, "org/thesis", {"thesis.tex": b"theirs"}, "dataset")
    refused(data, "--repo", "org/thesis", *AS_DATASET, parts=["thesis.tex", "nuzoo did not publish"])


@pytest.mark.parametrize("kept", [None, b"{", b"[]"])
def test_a_list_of_checksums_that_somebody_deleted_or_tore_is_replaced(
    session, local_hub, refused, data, published_dataset, kept
):
    """Whose files they are, the history says; files that it does not list are still refused."""
    repository = f"org/unlisted-{len(kept or b'')}"
    publish = [published_dataset, "--repo", repository, *AS_DATASET]
    session.publish(*publish)
    before = state(local_hub, repository, "dataset")[1]
    changed = {"checksums.json": kept, "thesis.tex": b"theirs"} if kept else {"thesis.tex": b"theirs"}
    deleted = () if kept else ["checksums.json"]
    commit(local_hub, repository, changed, "dataset", deleted)
    wrong = session.nuzoo("verify", repository, "--type", "dataset")
    assert (wrong.status, "publish the repository again" in wrong.out) == (1, True)
    refused(*publish, parts=["thesis.tex", "nuzoo did not publish"])
    commit(local_hub, repository, {}, "dataset", ["thesis.tex"])
    session.publish(*publish)
    assert state(local_hub, repository, "dataset")[1] == before
    assert session.nuzoo("verify", repository, "--type", "dataset").status == 0


def test_publishing_again_deletes_what_is_no_longer_there(session, local_hub, data, simulated_dataset):
    pair = [shutil.copytree(simulated_dataset, data.parent / name) for name in ("first", "second")]
    session.publish(*pair, "--repo", "org/again", *AS_DATASET)
    before = state(local_hub, "org/again", "dataset")[1]
    assert {name.partition("/")[0] for name in before} >= {"first", "second", ".gitattributes"}
    session.run(
        """
from datasets import get_dataset_config_names, load_dataset
assert get_dataset_config_names("org/again") == ["first", "second"]
for config in ("first", "second"):
    rows = load_dataset("org/again", config, split="train", streaming=True)
    assert next(iter(rows))["event_id"].startswith("sim-5-")
"""
    )
    session.publish(data, "--repo", "org/again", *AS_DATASET)
    after = state(local_hub, "org/again", "dataset")[1]
    assert not [name for name in after if name.startswith(("first", "second"))]
    assert after[".gitattributes"] == before[".gitattributes"]
    assert count_commits(local_hub, "org/again", "dataset") == 3


def test_the_identical_thing_makes_no_second_commit(session, local_hub, published_dataset, published_run):
    revision, files = state(local_hub, MODEL)
    again = session.publish(published_run, "--repo", MODEL, "--dataset", DATASET)
    assert state(local_hub, MODEL)[1] == files
    assert again == revision
    assert count_commits(local_hub, MODEL) == 2
    revision = state(local_hub, DATASET, "dataset")[0]
    assert session.publish(published_dataset, "--repo", DATASET, *AS_DATASET) == revision


def test_the_console_shows_progress_and_no_noise(session, local_hub, published_run):
    first = session.nuzoo("publish", published_run, "--repo", "org/loud", "--dataset", DATASET)
    word, *rest = re.split("[\r\n]", first.err)
    assert word == f"checking {published_run} for org/loud"
    bars = {line.partition(":")[0].strip() for line in rest if line.strip()}
    files = [path for path in contents(local_hub, "org/loud") if path.endswith((".png", ".safetensors"))]
    assert bars == {f"Upload {len(files)} LFS files"}, first.err
    assert [line.partition(" ")[0] for line in first.out.splitlines()[-2:-1]] == ["published"]
    again = session.nuzoo("publish", published_run, "--repo", "org/loud", "--dataset", DATASET)
    assert "nothing to publish, it is all there already: org/loud at " in again.out
    assert "Warning" not in again.err and "modified" not in again.err


def test_nothing_of_the_training_goes_out_but_the_model(local_hub, published_run):
    published = contents(local_hub, MODEL)
    odd = [
        name for name in published if name.endswith((".bin", ".pt", ".pth", ".txt")) or "checkpoint" in name
    ]
    assert odd == []
    assert not [name for name, content in published.items() if b"seen by nobody" in content]
    assert published["model.safetensors"] == (published_run / "model.safetensors").read_bytes()


def test_empty_splits_are_said(session, local_hub, published_dataset, tmp_path):
    simulate_dataset(tmp_path / "small", events=3, seed=4)
    done = session.nuzoo("publish", tmp_path / "small", "--repo", "org/small", *AS_DATASET)
    assert done.status == 0
    assert "warning: small has no events in validation and test" in done.out
    card = contents(local_hub, "org/small", "dataset")["README.md"].decode()
    assert "**No events**: `default` has none in validation and test." in card
    assert "warning" not in session.nuzoo("publish", published_dataset, "--repo", DATASET, *AS_DATASET).out


def test_the_citation_of_a_dataset_is_that_of_its_publisher(session, local_hub, refused, data, published_run):
    session.publish(data, "--repo", "org/cited", *AS_DATASET, "--citation", "Cite *our paper*.")
    card = contents(local_hub, "org/cited", "dataset")["README.md"].decode()
    assert card.rstrip().endswith("## Citation\n\nCite *our paper*.")
    refused(
        published_run, "--repo", NEW, "--citation", "us", parts=["--citation", "of a dataset alone"], status=2
    )


def test_a_private_repository_is_created_private(session, local_hub, published_dataset):
    session.publish(published_dataset, "--repo", "org/secret", *AS_DATASET, "--private", "--message", "first")
    repository = local_hub.repositories.find("dataset", "org/secret")
    assert repository.facts["private"] is True
    assert repository.find("main").title == "first"
