"""A modality, a task, an architecture and a dataset that the zoo has never heard of, from this folder alone.

What the zoo does for its own rows it does for these: every command, a repository that loads without nuzoo and
without this folder, and every check of `tests/common` that applies.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from huggingface_hub import ModelCard

from nuzoo.hub.local_hub import LocalHub

from ..fresh_process import run_python

ROOT = Path(__file__).parents[2]
RECIPE = Path(__file__).with_name("toy_recipe.yaml")
MODEL, DATASET = "org/toy-points", "org/toy-points-data"

COMMANDS = """
import json, sys
from nuzoo.cli import main

for command in json.loads(sys.argv[1]):
    print("$ nuzoo", *command, flush=True)
    if main(command):
        sys.exit(f"`nuzoo {command[0]}` failed")
"""

WITHOUT_NUZOO = f"""
import json, sys
sys.modules["nuzoo"] = sys.modules["tests"] = None
from datasets import load_dataset
from transformers import AutoModelForSemanticSegmentation, AutoProcessor, pipeline

events = load_dataset({DATASET!r}, split="test")
processor = AutoProcessor.from_pretrained({MODEL!r}, trust_remote_code=True)
model = AutoModelForSemanticSegmentation.from_pretrained({MODEL!r}, trust_remote_code=True)
labels = pipeline("toy-hit-labels", model={MODEL!r}, trust_remote_code=True)(events, batch_size=3)
logits = model(**processor(events[:])).logits.argmax(-1).tolist()
print(json.dumps([list(events["label"]), [event["labels"] for event in labels], logits]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Everything that the commands wrote, and the Hub that they published to while the tests run."""
    return tmp_path_factory.mktemp("toy")


@pytest.fixture(scope="module")
def hub(folder):
    with LocalHub(folder / "hub") as hub:
        yield hub


def python(hub, folder, *arguments, path=""):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= hub.environment(folder / "cache") | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    done = run_python(*arguments, folder=folder, environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(folder):
    """The `PYTHONPATH` of an environment in which the toy is an installed package: entry points and all."""
    metadata = folder / "site/toy-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[nuzoo]\ntoy = tests.toy.toy_house:enter\n")
    return f"{ROOT}{os.pathsep}{folder / 'site'}"


@pytest.fixture(scope="module")
def said(hub, folder, installed):
    """The commands of the zoo, one after the other."""
    commands = [
        "simulate toy-points --events 40 --seed 3 --out data --num-proc 2",
        f"train {RECIPE} data.path=data training.output_dir=run",
        "evaluate --model run --data data --out run/report",
        "display data --split test --model run --out pictures --number 2",
        "predict data/data --model run --out predictions.jsonl",
        f"publish data --repo {DATASET} --type dataset",
        f"publish run --repo {MODEL} --dataset {DATASET}",
        f"verify {DATASET} --type dataset",
        f"verify {MODEL}",
    ]
    arguments = json.dumps([command.split() for command in commands])
    return python(hub, folder, COMMANDS, arguments, path=installed)


def test_it_is_trained_measured_and_drawn(said, folder):
    results = json.loads((folder / "run/report/results.json").read_text())
    test = pq.read_table(next((folder / "data/data").glob("test-*")))
    truth = np.concatenate([np.asarray(event) for event in test["label"].to_pylist()])
    assert results["hits"] == len(truth)
    assert results["accuracy"]["value"] > max(truth.mean(), 1 - truth.mean()) + 0.03
    assert len(list((folder / "pictures").glob("*.png"))) == 2
    predicted = [json.loads(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]
    by_name = {row["event_id"]: row["labels"] for row in predicted}
    assert len(by_name) == 40
    for name, label in zip(test["event_id"].to_pylist(), test["label"].to_pylist(), strict=True):
        assert len(by_name[name]) == len(label)


def test_it_is_published_and_verified(said, hub, folder):
    assert said.count(": verified") == 2
    assert "WRONG" not in said
    card = ModelCard.load(
        next((folder / "cache").rglob("snapshots/*/test/golden.safetensors")).parents[1] / "README.md"
    )
    assert card.data.pipeline_tag == "other"
    assert "| right hits |" in card.text
    assert "How many hits got each class" in card.text


def test_it_loads_without_nuzoo(said, hub, folder):
    truth, labels, logits = json.loads(python(hub, folder, WITHOUT_NUZOO).splitlines()[-1])
    assert [len(event) for event in labels] == [len(event) for event in truth]
    chosen = ["track", "shower"]
    assert [label for event in labels for label in event] == [chosen[index] for index in logits]


def test_every_check_that_applies_is_passed(folder, installed):
    """The checks of `tests/common`, with the toy in the tables; publishing has tried its flat copy."""
    options = ["-p", "no:cacheprovider", "-q", "-k", "toy_points and not flat_copy"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/common", *options, f"--basetemp={folder / 'checks'}"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": installed},
    )
    assert done.returncode == 0, done.stdout
    assert "conformance: toy_points" in done.stdout and " 0 failed" in done.stdout
