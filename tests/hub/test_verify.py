"""`nuzoo verify` finds what is wrong with a repository, says so, and runs none of its code unasked."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from nuzoo.cli import main
from nuzoo.files.checksums import write_checksums

from .flows import Session, commit, contents, state

DATASET, MODEL = "org/pixelmaps", "org/nu-cnn"
CHECKS = ["checksums", "no pickle, secret, path of a disk or NaN", "card", "loads", "golden outputs"]


@pytest.fixture(scope="module")
def session(local_hub, simulated_dataset, run, tmp_path_factory):
    """A process, after a dataset and a model were published."""
    with Session(local_hub, tmp_path_factory.mktemp("cache")) as session:
        session.trust_flat_copies()
        session.publish(simulated_dataset, "--repo", DATASET, "--type", "dataset")
        session.publish(run, "--repo", MODEL, "--dataset", DATASET)
        yield session


@pytest.fixture
def model(session, local_hub, tmp_path):
    """A copy of the published model that a test may damage."""
    return write(contents(local_hub, MODEL), tmp_path / "model")


@pytest.fixture
def dataset(session, local_hub, tmp_path):
    return write(contents(local_hub, DATASET, "dataset"), tmp_path / "dataset")


@pytest.fixture
def verified(capsys):
    """Status of `nuzoo verify`, and what it says of each check: None, or what is wrong."""

    def verify(*command):
        status = main(["verify", *map(str, command)])
        *lines, last = capsys.readouterr().out.splitlines()
        found = {}
        for line in lines:
            if line.startswith(("ok ", "WRONG ")):
                name = line[6:].partition(" (")[0]
                found[name] = None if line.startswith("ok ") else ""
            else:
                found[name] += line.strip()
        wrong = sum(problem is not None for problem in found.values())
        assert last == f"{command[0]}: {f'{wrong} checks failed' if wrong else 'verified'}"
        assert status == bool(wrong)
        return found

    return verify


def write(files, folder):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_what_was_published_is_verified(verified, model):
    assert verified(model) == dict.fromkeys(CHECKS)


def test_a_model_that_was_pushed_has_no_card_and_that_is_no_fault(session):
    session.run(
        f"""
from nuzoo import NuCnnForEventClassification, NuPixelMapImageProcessor
model = NuCnnForEventClassification.from_pretrained("{MODEL}")
processor = NuPixelMapImageProcessor.from_pretrained("{MODEL}")
model.push_to_hub("org/pushed", processor=processor)
model.push_to_hub("org/pushed-in-two")
processor.push_to_hub("org/pushed-in-two")
"""
    )
    done = session.nuzoo("verify", "org/pushed")
    assert (done.status, done.out.splitlines()[-1]) == (0, "org/pushed: verified"), done.out
    note = "note  card\n      none, since this was pushed, not published; `nuzoo publish` makes one\n"
    assert note in done.out
    assert "ok    golden outputs" in done.out
    done = session.nuzoo("verify", "org/pushed-in-two")
    assert done.status == 0
    assert "note  golden outputs\n      none, since the model was pushed without its processor\n" in done.out


@pytest.mark.parametrize("sign", ["recipe.yaml", "report/results.json"])
def test_the_folder_of_a_training_is_no_repository(model, capsys, sign):
    for name in ("checksums.json", "README.md"):
        (model / name).unlink()
    (model / sign).parent.mkdir(exist_ok=True)
    (model / sign).write_text("{}")
    assert main(["verify", str(model)]) == 1
    message = capsys.readouterr().err
    assert f"{model} is the folder of a training run ({sign.partition('/')[0]})" in message
    assert f"nuzoo publish {model} --repo ORG/NAME" in message


def test_a_dataset_taken_for_a_model(dataset, capsys):
    assert main(["verify", str(dataset)]) == 1
    assert "holds a dataset: add --type dataset" in capsys.readouterr().err


def test_names_and_revisions(session, local_hub):
    first = state(local_hub, MODEL)[0]
    good = session.nuzoo("verify", MODEL)
    assert (good.status, good.out.splitlines()[-1]) == (0, f"{MODEL}: verified")
    weights = contents(local_hub, MODEL)["model.safetensors"]
    broken = commit(local_hub, MODEL, {"model.safetensors": weights[:-1] + bytes([weights[-1] ^ 1])})
    for revision, status in ((first, 0), (broken, 1), ("main", 1)):
        assert session.nuzoo("verify", MODEL, "--revision", revision).status == status
    assert "model.safetensors was changed" in session.nuzoo("verify", MODEL).out
    commit(local_hub, MODEL, {"model.safetensors": weights})
    assert session.nuzoo("verify", DATASET, "--type", "dataset").status == 0


@pytest.mark.parametrize(
    ("command", "parts"),
    [
        (["org/gone"], ["org/gone", "as a model", "no such repository", "hf auth whoami"]),
        ([DATASET], [DATASET, "as a model", "no such repository"]),
        ([MODEL, "--revision", "v9"], ["v9"]),
        (["../gone"], ['"organisation/name"', "../gone"]),
        (["nothing-there"], ['"organisation/name"', "nothing-there"]),
    ],
)
def test_what_is_not_there(session, command, parts):
    done = session.nuzoo("verify", *command)
    assert done.status == 1
    message = done.err.splitlines()[-1]
    assert message.startswith("nuzoo verify: ")
    assert [part for part in parts if part not in message] == [], message


def truncate(path):
    path.write_bytes(path.read_bytes()[:-10])


DAMAGES = {
    "flipped bit": (lambda f: flip(f / "model.safetensors"), "model.safetensors was changed: its sha256"),
    "truncated": (lambda f: truncate(f / "model.safetensors"), "model.safetensors was changed"),
    "missing weights": (lambda f: (f / "model.safetensors").unlink(), "model.safetensors is missing"),
    "missing picture": (lambda f: (f / "figures/roc.png").unlink(), "figures/roc.png is missing"),
    "unlisted": (lambda f: (f / "notes.txt").write_text("?"), "notes.txt is not in the list"),
    "edited card": (lambda f: edit(f / "README.md", "Citation", "Cite"), "README.md was changed"),
    "edited results": (lambda f: flip(f / "results.json"), "results.json was changed"),
    "no list": (
        lambda f: (f / "checksums.json").unlink(),
        "there is no checksums.json, so that nobody can tell",
    ),
    "torn list": (lambda f: truncate(f / "checksums.json"), "checksums.json: expected {"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_files_that_are_not_those_of_the_publication(verified, model, damage):
    change, message = DAMAGES[damage]
    change(model)
    found = verified(model)
    assert message in found["checksums"]
    assert "publish" in found["checksums"]
    assert "loads" not in found


def test_a_pickle_is_found_though_it_is_listed(verified, model):
    (model / "optimizer.pkl").write_bytes(b"\x80\x04N.")
    found = verified(model)
    assert "optimizer.pkl is not in the list" in found["checksums"]
    assert "optimizer.pkl may hold a pickle" in found["no pickle, secret, path of a disk or NaN"]
    write_checksums(model)
    found = verified(model)
    assert found["checksums"] is None
    assert "optimizer.pkl may hold a pickle" in found["no pickle, secret, path of a disk or NaN"]
    assert "loads" not in found


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../b", "..\\outside"])
def test_a_list_that_points_outside(verified, model, name):
    listed = json.loads((model / "checksums.json").read_text())
    listed["files"][name] = "0" * 64
    (model / "checksums.json").write_text(json.dumps(listed))
    assert "do not use this repository" in verified(model)["checksums"]


def without_results(folder):
    text = (folder / "README.md").read_text()
    start = text.index("model-index:")
    following = text.index("\n---", start)
    (folder / "README.md").write_text(text[:start] + text[following + 1 :])


def add_before_licence(folder, text):
    edit(folder / "README.md", "\n## Licence\n", f"\n{text}## Licence\n")


CARDS = {
    "empty section": (
        lambda f: add_before_licence(f, "## More\n\n"),
        "## More",
    ),
    "no results": (without_results, "no measured results"),
    "no licence": (lambda f: edit(f / "README.md", "license: apache-2.0\n", ""), "no license"),
    "placeholder": (
        lambda f: add_before_licence(f, "$licence\n\n"),
        "$licence",
    ),
    "no card": (lambda f: (f / "README.md").unlink(), "expected a card"),
    "not YAML": (lambda f: (f / "README.md").write_text("---\ntags: [a\n---\n# x\n\ny\n"), "metadata"),
    "no metadata": (lambda f: (f / "README.md").write_text("# A model\n\nGood.\n"), "no license"),
}


@pytest.mark.parametrize("card", CARDS)
def test_cards_with_gaps(verified, model, card):
    change, message = CARDS[card]
    change(model)
    write_checksums(model)
    found = verified(model)
    assert message in found["card"]
    assert "nuzoo publish" in found["card"]
    assert found == dict.fromkeys(CHECKS) | {"card": found["card"]}


def test_weights_of_another_network(verified, model):
    weights = load_file(model / "model.safetensors")
    torch.manual_seed(1)
    other = {n: w + 0.1 * torch.rand_like(w) if w.is_floating_point() else w for n, w in weights.items()}
    save_file(other, model / "model.safetensors", {"format": "pt"})
    write_checksums(model)
    found = verified(model)
    assert "from what was published" in found["golden outputs"]
    assert found["loads"] is None


@pytest.mark.parametrize(
    ("name", "content", "check"),
    [
        ("config.json", b"[]", "loads"),
        ("config.json", b"{", "loads"),
        ("config.json", b'{"model_type": "bert"}', "loads"),
        ("preprocessor_config.json", b"[]", "loads"),
        ("model.safetensors", b"\0" * 100, "loads"),
        ("test/golden.safetensors", b"", "golden outputs"),
        ("test/golden.safetensors", b"\xff" * 50, "golden outputs"),
    ],
)
def test_files_that_make_no_sense_are_findings(verified, model, name, content, check):
    (model / name).write_bytes(content)
    write_checksums(model)
    found = verified(model)
    assert found["checksums"] is None
    assert found[check]


def test_a_missing_tensor_is_named(verified, model):
    weights = load_file(model / "model.safetensors")
    gone = sorted(weights)[0]
    del weights[gone]
    save_file(weights, model / "model.safetensors", {"format": "pt"})
    write_checksums(model)
    assert gone in verified(model)["loads"]


def test_no_code_of_the_repository_runs_unasked(verified, model, tmp_path, monkeypatch):
    mark = tmp_path / "it-ran"
    monkeypatch.setenv("MARK_OF_THE_TEST", str(mark))
    sabotage = """
import os, pathlib
pathlib.Path(os.environ["MARK_OF_THE_TEST"]).touch()
raise RuntimeError("sabotage")
"""
    code = model / "modeling_nu_cnn.py"
    code.write_text(code.read_text() + sabotage)
    write_checksums(model)
    assert verified(model) == dict.fromkeys(CHECKS)
    assert not mark.exists()
    assert "sabotage" in verified(model, "--run-code")["its own code gives the same"]
    assert mark.exists()


@pytest.mark.parametrize(
    ("change", "check", "message"),
    [
        (lambda f: flip(f / "data/train-00000-of-00001.parquet"), "checksums", "train-00000"),
        (lambda f: (f / "data/test-00000-of-00001.parquet").unlink(), "checksums", "is missing"),
        (lambda f: (f / "data/extra.parquet").write_bytes(b"PAR1"), "checksums", "not in the list"),
        (lambda f: edit(f / "README.md", "##", "## "), "checksums", "README.md was changed"),
        (lambda f: (f / "loader.py").write_text("import os\n"), "checksums", "loader.py is not in the list"),
    ],
)
def test_datasets_that_changed(verified, dataset, change, check, message):
    change(dataset)
    assert message in verified(dataset, "--type", "dataset")[check]


def test_a_dataset_is_verified(verified, dataset):
    found = verified(dataset, "--type", "dataset")
    assert set(found.values()) == {None}
    assert {"checksums", "default: rows", "default: train loads"} <= found.keys()
    shutil.copyfile(dataset / "manifests/train.txt", dataset / "manifests/test.txt")
    write_checksums(dataset)
    found = verified(dataset, "--type", "dataset")
    assert found["checksums"] is None
    assert "manifests/test.txt" in found["default: rows"]
