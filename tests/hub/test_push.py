"""`push_to_hub` of nuzoo's own objects and of its trainer: one commit, with code and checksums."""

import json

import pytest

from nuzoo.hub.local_hub import Reply

from .flows import Session, commit, contents, count_commits, state

DATASET, MODEL = "org/pixelmaps", "org/published"

OBJECTS = """
import torch
from transformers import pipeline
from nuzoo import NuCnnConfig, NuCnnForEventClassification, NuPixelMapImageProcessor
torch.manual_seed(0)
model = NuCnnForEventClassification(NuCnnConfig.tiny()).eval()
processor = NuPixelMapImageProcessor(height=64, width=64, detector="here")
events = processor.example_events(8)
processor.fit(events)
classify = pipeline("neutrino-event-classification", model=model, image_processor=processor)
def refused(call, *arguments, **options):
    try:
        call(*arguments, **options)
    except ValueError as error:
        print(error)
    else:
        raise AssertionError("it went through")
"""

TRAINER = """
from transformers import TrainingArguments
from nuzoo.training.safe_trainer import SafeTrainer
def trainer_of(folder, **options):
    rows = [{"pixel_values": x, "labels": torch.tensor(i % 3)}
            for i, x in enumerate(processor(events, return_tensors="pt")["pixel_values"])]
    arguments = TrainingArguments(output_dir=folder, max_steps=2, save_steps=1, save_strategy="steps",
                                  report_to=[], use_cpu=True, disable_tqdm=True, **options)
    return SafeTrainer(model=NuCnnForEventClassification(NuCnnConfig.tiny()), args=arguments,
                       train_dataset=rows, processing_class=processor)
"""

LOAD = """
import json, sys, torch
from transformers import AutoConfig, AutoImageProcessor, AutoModelForImageClassification, pipeline
OPTIONS = {"trust_remote_code": True}
def logits_of(name):
    model = AutoModelForImageClassification.from_pretrained(name, **OPTIONS)
    processor = AutoImageProcessor.from_pretrained(name, **OPTIONS)
    with torch.no_grad():
        inputs = processor(processor.example_events(4), return_tensors="pt")
        return model, processor, model(**inputs).logits.tolist()
"""


@pytest.fixture(scope="module")
def session(local_hub, tmp_path_factory):
    with Session(local_hub, tmp_path_factory.mktemp("cache")) as session:
        session.trust_flat_copies()
        session.run(OBJECTS)
        session.run(TRAINER)
        yield session


@pytest.fixture(scope="module")
def pushed(session):
    """Logits of the network that was pushed in several ways."""
    session.run(
        """
model.push_to_hub("org/model", processor=processor, commit_message="both at once")
model.config.push_to_hub("org/config")
processor.push_to_hub("org/processor")
classify.push_to_hub("org/pipeline")
model.save_pretrained("saved", push_to_hub=True, repo_id="org/saved")
"""
    )
    code = 'print(model(**processor(processor.example_events(4), return_tensors="pt")).logits.tolist())'
    return json.loads(session.run(code))


HELD = {
    "model": {"config.json", "model.safetensors", "preprocessor_config.json", "test/golden.safetensors"},
    "config": {"config.json"},
    "processor": {"preprocessor_config.json"},
    "pipeline": {"config.json", "model.safetensors", "preprocessor_config.json", "test/golden.safetensors"},
    "saved": {"config.json", "model.safetensors"},
}


@pytest.mark.parametrize("name", HELD)
def test_one_commit_with_code_and_checksums(local_hub, pushed, name):
    files = contents(local_hub, f"org/{name}")
    code = {path for path in files if path.endswith(".py")}
    assert code
    assert files.keys() - code == HELD[name] | {".gitattributes", "checksums.json"}
    listed = json.loads(files["checksums.json"])["files"]
    assert listed == {
        path: digest
        for path, digest in state(local_hub, f"org/{name}")[1].items()
        if path not in (".gitattributes", "checksums.json")
    }
    assert count_commits(local_hub, f"org/{name}") == 2


def test_the_message_is_the_callers(local_hub, pushed):
    titles = {n: local_hub.repositories.find("model", f"org/{n}").find("main").title for n in HELD}
    assert titles["model"] == "both at once"
    assert titles["config"] == "Push NuCnnConfig with nuzoo"


def test_what_was_pushed_loads_without_nuzoo_and_can_be_pushed_on(run_fresh, session, local_hub, pushed):
    """By plain transformers, which knows nothing of checksums."""
    code = f"""{LOAD}
model, processor, logits = logits_of("org/model")
assert logits_of("org/pipeline")[2] == logits
assert AutoConfig.from_pretrained("org/config", **OPTIONS).to_diff_dict() == model.config.to_diff_dict()
assert AutoImageProcessor.from_pretrained("org/processor", **OPTIONS).to_dict() == processor.to_dict()
model.push_to_hub("org/again")
processor.push_to_hub("org/again")
assert logits_of("org/again")[2] == logits
model.save_pretrained("folder")
processor.save_pretrained("folder")
assert logits_of("folder")[2] == logits
print(json.dumps(logits))
"""
    done = run_fresh(code, without_nuzoo=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == pushed
    assert "modeling_nu_cnn.py" in contents(local_hub, "org/again")
    out = session.run(
        """
from transformers import AutoImageProcessor, AutoModelForImageClassification
network = AutoModelForImageClassification.from_pretrained("org/again")
inputs = AutoImageProcessor.from_pretrained("org/again")(processor.example_events(4), return_tensors="pt")
print(type(network).__module__, json.dumps(network(**inputs).logits.tolist()))
"""
    )
    module, _, logits = out.partition(" ")
    assert module == "nuzoo.modeling.modeling_nu_cnn"
    assert json.loads(logits) == pushed


def test_pushing_part_after_part_keeps_the_rest(session, local_hub):
    session.run('processor.push_to_hub("org/parts"); model.push_to_hub("org/parts")')
    files = contents(local_hub, "org/parts")
    assert {"preprocessor_config.json", "model.safetensors"} <= files.keys()
    listed = json.loads(files["checksums.json"])["files"]
    assert {"preprocessor_config.json", "model.safetensors"} <= listed.keys()
    commit(local_hub, "org/parts", {"notes.md": b"by hand"})
    session.run('model.push_to_hub("org/parts")')
    assert contents(local_hub, "org/parts")["notes.md"] == b"by hand"


def test_another_branch_and_a_proposal(session, local_hub):
    before = state(local_hub, "org/model")
    session.run(
        """
from huggingface_hub import HfApi
HfApi().create_branch("org/model", branch="next")
other = NuCnnForEventClassification(NuCnnConfig.tiny(temperature=3.0))
other.push_to_hub("org/model", processor=processor, revision="next")
assert NuCnnForEventClassification.from_pretrained("org/model", revision="next").config.temperature == 3.0
assert NuCnnForEventClassification.from_pretrained("org/model").config.temperature == 1.0
"""
    )
    assert state(local_hub, "org/model") == before


REFUSED = {
    "a secret": (
        'NuCnnForEventClassification(NuCnnConfig.tiny(id2label={0: "hf_" + "a" * 34, 1: "b", 2: "c"}))',
        ["config.json", "secret key"],
    ),
    "a path": (
        'NuCnnForEventClassification(NuCnnConfig.tiny(id2label={0: "/home/me/data", 1: "b", 2: "c"}))',
        ["config.json", "/home/me/data"],
    ),
    "weights that are NaN": (
        "NuCnnForEventClassification(NuCnnConfig.tiny())"
        ".apply(lambda m: [p.data.fill_(float('nan')) for p in m.parameters(recurse=False)] and None)",
        ["NaN or infinity", "train again"],
    ),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_must_not_go_out_does_not(session, local_hub, reason):
    made, parts = REFUSED[reason]
    message = session.run(f'refused(({made}).push_to_hub, "org/refused")')
    assert [part for part in parts if part not in message] == [], message
    assert state(local_hub, "org/refused") is None


@pytest.mark.parametrize("name", ["../x/y", "a/b/c", "/tmp/x", "x"])
def test_a_name_that_is_no_repository(session, name):
    assert '"organisation/name"' in session.run(f"refused(model.push_to_hub, {name!r})")


def test_a_model_with_measured_results_is_not_changed_by_a_push(session, local_hub, simulated_dataset, run):
    session.publish(simulated_dataset, "--repo", DATASET, "--type", "dataset")
    session.publish(run, "--repo", MODEL, "--dataset", DATASET)
    before = state(local_hub, MODEL)
    other = "NuCnnForEventClassification(NuCnnConfig.tiny(temperature=2.0))"
    for call in (f'{other}.push_to_hub, "{MODEL}"', f'processor.push_to_hub, "{MODEL}"'):
        message = session.run(f"refused({call})")
        assert "nuzoo publish" in message
        assert "another repository" in message
    load = f'NuCnnForEventClassification.from_pretrained("{MODEL}")'
    session.run(f'{load}.push_to_hub("{MODEL}")')
    assert state(local_hub, MODEL) == before


def test_a_trainer_writes_and_pushes_no_pickle(session, local_hub, tmp_path):
    session.run(
        f"""
trainer = trainer_of({str(tmp_path / "out")!r}, hub_model_id="org/trained")
trainer.train()
trainer.save_model()
trainer.push_to_hub("the end")
"""
    )
    kept = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"training_args.json", "model.safetensors", "preprocessor_config.json"} <= kept
    assert not list((tmp_path / "out").rglob("*.bin"))
    arguments = json.loads((tmp_path / "out" / "training_args.json").read_text())
    assert arguments["max_steps"] == 2
    assert not {"output_dir", "hub_token"} & arguments.keys()
    files = contents(local_hub, "org/trained")
    assert {name for name in files if not name.endswith(".py")} == HELD["model"] | {
        ".gitattributes",
        "checksums.json",
    }
    assert files["model.safetensors"] == (tmp_path / "out" / "model.safetensors").read_bytes()
    assert count_commits(local_hub, "org/trained") == 2


def test_a_trainer_that_pushes_as_it_goes_sends_no_pickle_either(session, local_hub, tmp_path):
    """And where the Hub is lost meanwhile, the training goes on."""
    folder = str(tmp_path / "out")
    session.run(f'trainer_of({folder!r}, push_to_hub=True, hub_model_id="org/on-the-go").train()')
    repository = local_hub.repositories.find("model", "org/on-the-go")
    history = list(repository.history(repository.find("main")))
    assert [entry.title for entry in history[:2]] == [f"Training in progress, step {n}" for n in (2, 1)]
    assert {name for name in history[0].files if not name.endswith(".py")} == HELD["model"] | {
        ".gitattributes",
        "checksums.json",
    }
    local_hub.intercept = lambda request: Reply(503) if "/commit/" in request.path else None
    folder = str(tmp_path / "lost")
    session.run(f'trainer_of({folder!r}, push_to_hub=True, hub_model_id="org/on-the-go").train()')
    assert (tmp_path / "lost" / "checkpoint-2" / "model.safetensors").exists()
    assert repository.find("main") == history[0]
