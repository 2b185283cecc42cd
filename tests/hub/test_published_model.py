"""A published model and its dataset, as others find them: loaded by name, with and without nuzoo."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import PurePosixPath

import pytest
import torch
import yaml
from datasets import load_dataset
from huggingface_hub import DatasetCard, ModelCard, eval_result_entries_to_yaml
from huggingface_hub._eval_results import parse_eval_result_entries
from safetensors.torch import load_file, save_file
from transformers import AutoImageProcessor, AutoModelForImageClassification

from nuzoo.hub.cards import empty_sections

from .flows import Session, commit, contents, state

DATASET, MODEL, DAMAGED = "org/pixelmaps", "org/nu-cnn", "org/damaged"
EVENTS = 3
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

PREPARE = """
import builtins, json, sys, time
def nobody_is_asked(*_):
    raise RuntimeError("input() was called: something wants to be confirmed")
builtins.input = nobody_is_asked
time.sleep = lambda seconds: None
"""

LOAD = """
import torch
from datasets import load_dataset
from transformers import (AutoConfig, AutoImageProcessor, AutoModel, AutoModelForImageClassification,
                          AutoProcessor, pipeline)

def load_all(name, dataset, **options):
    events = list(load_dataset(dataset, split="train", streaming=True).take(3))
    config = AutoConfig.from_pretrained(name, **options)
    processor = AutoProcessor.from_pretrained(name, **options)
    again = AutoImageProcessor.from_pretrained(name, **options)
    assert type(processor) is type(again) and processor.to_dict() == again.to_dict()
    body = AutoModel.from_pretrained(name, **options)
    model = AutoModelForImageClassification.from_pretrained(name, **options)
    assert not model.training and type(model.config) is type(config)
    inputs = processor(events, return_tensors="pt")
    with torch.no_grad():
        logits = model(**inputs).logits
        assert torch.isfinite(body(**inputs)[0]).all()
    classify = pipeline("neutrino-event-classification", model=name, **options)
    results = classify(events)
    assert results == [classify(event) for event in events]
    probabilities = (logits[0].double() / config.temperature).softmax(-1).tolist()
    scores = list(results[0]["scores"].values())
    assert max(abs(a - b) for a, b in zip(scores, probabilities)) < 1e-3
    return logits.tolist()
"""


@pytest.fixture(scope="module")
def session(local_hub, tmp_path_factory):
    with Session(local_hub, tmp_path_factory.mktemp("cache")) as session:
        session.trust_flat_copies()  # it is loaded without nuzoo here
        yield session


@pytest.fixture(scope="module")
def revision(session, simulated_dataset, run):
    """Of the model, after dataset and model were published."""
    session.publish(simulated_dataset, "--repo", DATASET, "--type", "dataset")
    return session.publish(run, "--repo", MODEL, "--dataset", DATASET)


@pytest.fixture(scope="module")
def expected(run, simulated_dataset):
    """Logits of the network in the run folder."""
    return logits_of(run, simulated_dataset)


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """Cache of the processes that load without nuzoo."""
    return tmp_path_factory.mktemp("warm")


@pytest.fixture(scope="module")
def repository(local_hub, revision, tmp_path_factory):
    """The published files, as a folder."""
    folder = tmp_path_factory.mktemp("published") / "model"
    for name, content in contents(local_hub, MODEL).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def python(run_fresh):
    """Run lines in a fresh process, which must succeed; gives the JSON that it prints last."""

    def run(code, *arguments, **options):
        done = run_fresh(PREPARE + code, *arguments, **options)
        assert done.returncode == 0, done.stderr[-4000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


def logits_of(folder, dataset):
    events = load_dataset(str(dataset), split="train").select(range(EVENTS))
    inputs = AutoImageProcessor.from_pretrained(folder)(list(events), return_tensors="pt")
    with torch.no_grad():
        return AutoModelForImageClassification.from_pretrained(folder)(**inputs).logits.tolist()


def snippets(hub, name, kind="model"):
    return SNIPPET.findall(contents(hub, name, kind)["README.md"].decode())


# Loading


def test_everything_loads_without_nuzoo_and_gives_the_same(python, local_hub, revision, expected, warm):
    """Also the first snippet of the model's card and that of the dataset's, as they stand."""
    [card, _], data = snippets(local_hub, MODEL), snippets(local_hub, DATASET, "dataset")
    assert data
    assert "trust_remote_code=True" in card and "import nuzoo" not in card
    code = f"""
exec(sys.argv[1], {{}})
names = {{}}
for snippet in sys.argv[2:]:
    exec(snippet, names)
{LOAD}
logits = load_all("{MODEL}", "{DATASET}", trust_remote_code=True)
classify = pipeline(model="{MODEL}", trust_remote_code=True)
assert type(classify).__name__ == "NeutrinoEventClassificationPipeline"
assert "nuzoo" not in {{name.partition(".")[0] for name, module in sys.modules.items() if module}}
print(json.dumps(logits))
"""
    assert python(code, card, *data, without_nuzoo=True, cache=warm) == expected


def test_with_nuzoo_no_remote_code_runs_and_nobody_is_asked(python, local_hub, revision, expected):
    """Also the second snippet of the card, as it stands, and with a flag that is not needed."""
    card = snippets(local_hub, MODEL)[1]
    assert "import nuzoo" in card and "trust_remote_code" not in card
    code = f"""
names = {{}}
exec(sys.argv[1], names)
assert names["probabilities"].shape == (2, 3)
import nuzoo
{LOAD}
logits = load_all("{MODEL}", "{DATASET}")
assert load_all("{MODEL}", "{DATASET}", trust_remote_code=True) == logits
assert not [name for name in sys.modules if name.startswith("transformers_modules")]
print(json.dumps(logits))
"""
    assert python(code, card) == expected


def test_offline_the_cache_is_enough(python, revision, expected, warm, tmp_path):
    """And where nothing is cached, the error says that the Hub cannot be reached."""
    code = f"""
{LOAD}
processor = AutoProcessor.from_pretrained("{MODEL}", trust_remote_code=True)
model = AutoModelForImageClassification.from_pretrained("{MODEL}", trust_remote_code=True)
classify = pipeline("neutrino-event-classification", model="{MODEL}", trust_remote_code=True)
try:
    AutoModel.from_pretrained("{MODEL}", trust_remote_code=True, cache_dir=sys.argv[1])
except OSError as error:
    print(json.dumps(str(error)))
"""
    message = python(code, tmp_path, without_nuzoo=True, cache=warm, HF_HUB_OFFLINE="1")
    assert "couldn't connect" in message


def test_offline_with_nuzoo(python, session, revision, tmp_path_factory, tmp_path):
    cache = tmp_path_factory.mktemp("nuzoo")
    download = f"from huggingface_hub import snapshot_download as d; d('{MODEL}', cache_dir='{cache}/hub')"
    session.run(download)
    code = f"""
import nuzoo
from transformers import AutoModelForImageClassification, AutoProcessor, pipeline
AutoModelForImageClassification.from_pretrained("{MODEL}")
pipeline("neutrino-event-classification", model="{MODEL}")
messages = []
for kind in (AutoModelForImageClassification, AutoProcessor):
    try:
        kind.from_pretrained("{MODEL}", cache_dir=sys.argv[1])
    except OSError as error:
        messages.append(str(error))
from nuzoo.cli import main
assert main(["verify", "{MODEL}"]) == 0
assert main(["publish", sys.argv[1], "--repo", "{MODEL}", "--type", "dataset"]) == 1
print(json.dumps(messages))
"""
    messages = python(code, tmp_path, cache=cache, HF_HUB_OFFLINE="1")
    assert len(messages) == 2
    for message in messages:
        assert "couldn't connect" in message


# Revisions and damage


@pytest.fixture(scope="module")
def damages(local_hub, session, revision):
    """Revision of each damaged copy, with the file that the error must name."""
    local_hub.repositories.create("model", DAMAGED, private=False, author="somebody")
    good = {n: c for n, c in contents(local_hub, MODEL).items() if n != ".gitattributes"}
    weights, config, processor = "model.safetensors", "config.json", "preprocessor_config.json"
    made = {"good": (commit(local_hub, DAMAGED, good), "")}
    for damage, name, content in (
        ("flipped bit", weights, flipped(good[weights])),
        ("truncated", weights, good[weights][:-100]),
        ("missing", weights, None),
        ("other temperature", config, good[config].replace(b'"temperature": ', b'"temperature": 1')),
        ("other statistics", processor, good[processor].replace(b"0.0", b"0.1")),
        ("no statistics", processor, None),
    ):
        assert content != good[name], damage
        changed, deleted = ({}, [name]) if content is None else ({name: content}, [])
        made[damage] = (commit(local_hub, DAMAGED, changed, deleted=deleted), name)
        commit(local_hub, DAMAGED, {name: good[name]})
    return made


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


TRY_DAMAGES = f"""
from transformers import AutoImageProcessor, AutoModelForImageClassification, AutoProcessor
messages = {{}}
for damage, (revision, name) in json.loads(sys.argv[1]).items():
    for kind in (AutoModelForImageClassification, AutoProcessor, AutoImageProcessor):
        try:
            kind.from_pretrained("{DAMAGED}", revision=revision, **OPTIONS)
        except (ValueError, OSError) as error:
            messages.setdefault(damage, []).append(str(error))
print(json.dumps(messages))
"""


@pytest.mark.parametrize("without_nuzoo", [False, True], ids=["with nuzoo", "without nuzoo"])
def test_damaged_files_are_named_and_not_loaded(session, python, damages, without_nuzoo):
    if without_nuzoo:
        code = 'OPTIONS = {"trust_remote_code": True}' + TRY_DAMAGES
        messages = python(code, json.dumps(damages), without_nuzoo=True)
    else:
        messages = json.loads(
            session.run(f"OPTIONS, sys.argv = {{}}, ['', {json.dumps(damages)!r}]" + TRY_DAMAGES)
        )
    assert messages.keys() == damages.keys() - {"good"}
    for damage, (_, name) in damages.items():
        assert any(name in message for message in messages.get(damage, [name])), damage


LOAD_ON_THE_WAY = f"""
import httpx2
from transformers import AutoModelForImageClassification
try:
    AutoModelForImageClassification.from_pretrained("{MODEL}", cache_dir=CACHE)
except (ValueError, OSError, httpx2.HTTPError) as error:
    print(type(error).__name__, error)
else:
    print("loaded")
"""


def test_downloads_that_break_or_lie_are_refused(session, local_hub, revision, tmp_path):
    """The weights' end is missing, or their last byte is another, only on their way."""

    def on_the_way(damage):
        def intercept(request):
            wanted = request.method == "GET" and request.path.endswith("/model.safetensors")
            return damage(request.answer()) if wanted and "/resolve/" in request.path else None

        return intercept

    def load(cache):
        return session.run(f"CACHE = {str(tmp_path / cache)!r}\n" + LOAD_ON_THE_WAY)

    local_hub.intercept = on_the_way(lambda answer: replace(answer, stop_after=1000))
    assert "loaded" not in load("cut")
    done = session.nuzoo("verify", MODEL, "--revision", revision)
    assert (done.status, "as a model" in done.err) == (1, True)
    local_hub.intercept = on_the_way(lambda answer: replace(answer, body=flipped(answer.read())))
    message = load("changed")
    assert "model.safetensors" in message
    assert "sha256" in message
    local_hub.intercept = None
    assert load("cut") == "loaded\n"


def test_a_repository_that_is_gone(session, local_hub, repository, tmp_path):
    """Whoever has it in the cache goes on at its commit; others are told which one is missing."""
    made = local_hub.repositories.create("model", "org/gone", private=False, author="somebody")
    last = commit(local_hub, "org/gone", contents(local_hub, MODEL))
    load = f"""
from transformers import AutoModelForImageClassification
def load(cache, **where):
    AutoModelForImageClassification.from_pretrained("org/gone", cache_dir={str(tmp_path)!r} + cache, **where)
"""
    session.run(load + "load('/warm')")
    local_hub.repositories.delete(made)
    message = session.run(
        f"""
load("/warm", revision={last!r})
try:
    load("/empty")
except OSError as error:
    print(error)
"""
    )
    assert "org/gone" in message
    assert "not a valid model identifier" in message or "not a local folder" in message


def test_a_revision_stays_what_it_was(session, run, revision, expected, simulated_dataset, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    weights = load_file(other / "model.safetensors")
    weights["classifier.weight"] *= 1.5
    save_file(weights, other / "model.safetensors", {"format": "pt"})
    changed = logits_of(other, simulated_dataset)
    assert changed != expected
    again = ("--model", other, "--data", simulated_dataset, "--displays", 0, "--calibrate")
    done = session.nuzoo("evaluate", *again)
    assert done.status == 0, done.err
    second = session.publish(other, "--repo", MODEL, "--dataset", DATASET)
    out = session.run(
        f"""
from datasets import load_dataset
import torch
from transformers import AutoModelForImageClassification, AutoProcessor
events = list(load_dataset("{DATASET}", split="train", streaming=True).take({EVENTS}))
for revision in ("{revision}", "{second}", "main"):
    where = {{"revision": revision}}
    inputs = AutoProcessor.from_pretrained("{MODEL}", **where)(events, return_tensors="pt")
    with torch.no_grad():
        logits = AutoModelForImageClassification.from_pretrained("{MODEL}", **where)(**inputs).logits
    print(json.dumps(logits.tolist()))
"""
    )
    assert [json.loads(line) for line in out.splitlines()] == [expected, changed, changed]


# What is in the repository


def test_only_files_that_belong_there_each_with_its_checksum(repository):
    names = {p.relative_to(repository).as_posix() for p in repository.rglob("*") if p.is_file()}
    code = {name for name in names if re.fullmatch(r"[a-z_]+\.py", name)}
    pictures = {name for name in names if re.fullmatch(r"figures/[a-z]+\.png", name)}
    assert {"modeling_nu_cnn.py", "configuration_nu_cnn.py", "event_classification.py"} < code
    assert names - code - pictures == {
        ".eval_results/pixelmaps.yaml",
        ".gitattributes",
        "README.md",
        "checksums.json",
        "config.json",
        "model.safetensors",
        "preprocessor_config.json",
        "results.json",
        "test/golden.safetensors",
    }
    listed = json.loads((repository / "checksums.json").read_text())["files"]
    assert listed.keys() == names - {".gitattributes", "checksums.json"}
    assert not [p for p in repository.rglob("*") if p.is_file() and p.read_bytes()[:2] == b"\x80\x04"]


def test_no_code_of_the_repository_imports_nuzoo(repository):
    for path in repository.glob("*.py"):
        assert not re.search(r"^\s*(import|from) nuzoo", path.read_text(), re.MULTILINE), path.name


def test_the_card_states_what_was_measured(repository, run, local_hub):
    card = ModelCard.load(repository / "README.md")
    results = json.loads((run / "report" / "results.json").read_text())
    data = card.data
    assert (data.license, data.library_name, data.datasets) == ("apache-2.0", "transformers", [DATASET])
    assert (data.pipeline_tag, data.model_name) == ("image-classification", "nu-cnn")
    stated = {result.metric_type: result.metric_value for result in data.eval_results}
    metrics = results["metrics"]
    assert stated == {
        "accuracy": metrics["accuracy"]["value"],
        "precision": metrics["macro_precision"]["value"],
        "recall": metrics["macro_recall"]["value"],
        "roc_auc": metrics["macro_auc"]["value"],
    }
    pinned = state(local_hub, DATASET, "dataset")[0]
    assert {result.dataset_revision for result in data.eval_results} == {pinned}
    assert pinned in card.text
    assert json.loads((repository / "results.json").read_text()) == results


def test_eval_results_are_read_by_the_hubs_client(repository, run, local_hub):
    [path] = (repository / ".eval_results").iterdir()
    raw = yaml.safe_load(path.read_text())
    entries = parse_eval_result_entries(raw)
    assert eval_result_entries_to_yaml(entries) == raw
    metrics = json.loads((run / "report" / "results.json").read_text())["metrics"]
    for entry in entries:
        assert entry.value == metrics[entry.task_id]["value"]
        assert entry.dataset_revision == state(local_hub, DATASET, "dataset")[0]


@pytest.mark.parametrize(("name", "kind"), [(MODEL, "model"), (DATASET, "dataset")])
def test_cards_have_no_gap_and_no_dead_link(local_hub, revision, name, kind):
    files = contents(local_hub, name, kind)
    card = (ModelCard if kind == "model" else DatasetCard)(files["README.md"].decode())
    assert empty_sections(card.text) == []
    assert not re.search(r"\bTODO\b|More Information Needed|\$[a-z_]+\b|\bNone\b|\bnan\b", card.text)
    links = re.findall(r"\]\(([^)#\s]+)\)", card.text)
    inside = {link for link in links if not re.match(r"[a-z]+://", link)}
    assert inside <= files.keys()
    pictures = {path for path in files if PurePosixPath(path).suffix == ".png"}
    assert pictures <= inside
    assert kind == "dataset" or len(pictures) >= 4
