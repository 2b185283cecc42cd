"""`nuzoo evaluate` of a vision-language model that is asked otherwise than it was saved."""

import json
from hashlib import sha256

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from datasets import load_dataset

from nuzoo.cli import main
from nuzoo.configuration.configuration_nu_vlm import NuVlmConfig
from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.tasks.event_classification.asking import asked
from nuzoo.modeling.modeling_nu_vlm import NuVlmForEventClassification
from nuzoo.pipelines.loading import load_model
from nuzoo.processors.vlm.processing_nu_vlm import NuVlmProcessor
from nuzoo.processors.vlm.prompts import Prompt
from nuzoo.processors.vlm.tiny_base import tiny_base_processor

from ..drawing import undrawn


@pytest.fixture(scope="module")
def rows(simulated_dataset):
    return load_dataset(str(simulated_dataset), split="train")


@pytest.fixture(scope="module")
def vlm(rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "vlm"
    text = [json.dumps(Prompt.of(name).to_dict()) for name in ("physics-1", "plain-1")]
    processor = NuVlmProcessor(
        tiny_base_processor(text, 64), prompt="plain-1", detector="modular-2x2x7", rebin=8
    )
    processor.fit(rows).save_pretrained(folder)
    torch.manual_seed(0)
    NuVlmForEventClassification(NuVlmConfig.tiny()).save_pretrained(folder)
    return folder


def ask(vlm, rows, **asking):
    """The network and its processor, made to ask in this way."""
    model, processor = load_model(str(vlm))
    return model, asked(processor, Events(rows, training=rows), model.config, **asking)[0]


def test_examples_are_the_first_training_event_of_each_class(vlm, rows):
    _, processor = ask(vlm, rows, few_shot=True)
    assert processor.num_examples == 3
    names = rows.features["label"].names
    text = processor.question
    labels = dict(Prompt.of("plain-1").labels)
    assert text.split("I classify the pixel maps as")[1:-1] != []
    for name, part in zip(names, text.split("I classify the pixel maps as ")[1:], strict=False):
        assert part.startswith(f"{labels[name]}.")
    first = [list(rows["label"]).index(index) for index in range(len(names))]
    _, plain = ask(vlm, rows)
    shown = processor(rows.select([0]))["pixel_values"][0, :6]
    assert torch.equal(shown, plain(rows.select(first))["pixel_values"].flatten(0, 1))


@undrawn()
def test_results_say_how_it_was_asked(vlm, rows, simulated_dataset, tmp_path):
    command = ["evaluate", "--model", vlm, "--data", simulated_dataset, "--split", "train", "--out", tmp_path]
    differently = ["--displays", "0", "--prompt", "physics-1", "--few-shot", "--temperature", "0.2"]
    assert main([str(part) for part in [*command, *differently]]) == 0
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["processor"]["prompt"] == "physics-1"
    assert results["processor"]["examples"] == 3
    content = json.dumps(Prompt.of("physics-1").to_dict(), sort_keys=True).encode()
    assert results["processor"]["prompt_sha256"] == sha256(content).hexdigest()
    shown = {rows[list(rows["label"]).index(label)]["event_id"] for label in range(3)}
    measured = pq.read_table(tmp_path / "predictions.parquet")["event_id"].to_pylist()
    assert sorted(measured) == sorted(set(rows["event_id"]) - shown)
    assert results["calibration"]["temperature"]["value"] == pytest.approx(0.2)
    assert "`physics-1`, after 3 solved" in (tmp_path / "report.md").read_text()


def test_logits_are_of_the_other_prompt(vlm, rows):
    model, plain = ask(vlm, rows)
    _, physics = ask(vlm, rows, prompt="physics-1")
    events = rows.select(range(2))
    with torch.no_grad():
        ours, other = (model(**processor(events)).logits.numpy() for processor in (plain, physics))
    assert not np.allclose(ours, other, atol=1e-3)


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--prompt", "nothere"], 1, "physics-1, plain-1"),
        *(
            (["--temperature", number], 1, "--temperature: expected a number from 0.05 to 20")
            for number in ("0", "inf", "nan", "1e-320")
        ),
        (["--few-shot", "--calibrate"], 2, "asked as it was saved"),
    ],
)
def test_what_cannot_be_asked_is_refused(vlm, simulated_dataset, tmp_path, capsys, options, status, message):
    command = ["evaluate", "--model", vlm, "--data", simulated_dataset, "--out", tmp_path / "out", *options]
    assert main([str(part) for part in command]) == status
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out" / "results.json").exists()


def test_report_needs_a_folder_of_its_own(vlm, simulated_dataset, capsys):
    assert main(["evaluate", "--model", str(vlm), "--data", str(simulated_dataset), "--few-shot"]) == 2
    assert "--out" in capsys.readouterr().err


def test_frozen_base_must_have_been_made(simulated_dataset, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = ["evaluate", "--frozen", "nu_vlm_tiny", "--data", str(simulated_dataset), "--out", "out"]
    assert main(command) == 1
    assert "its training makes it" in capsys.readouterr().err


def test_prompt_with_other_labels_is_refused(vlm, rows, tmp_path):
    other = Prompt.of("plain-1").to_dict() | {
        "labels": [["nue_cc", "Yes"], ["numu_cc", "No"], ["nc", "Maybe"]]
    }
    (tmp_path / "other.json").write_text(json.dumps(other))
    with pytest.raises(ValueError, match="which the model was trained on"):
        ask(vlm, rows, prompt=str(tmp_path / "other.json"))


def test_it_predicts_events_of_another_detector_where_that_is_asked_for(vlm, rows, tmp_path, capsys):
    others = rows.select(range(2)).map(lambda row: {"detector": "opera-target-tracker-5mm", "source": "mine"})
    others.to_parquet(tmp_path / "events.parquet")
    given = ["predict", "--model", str(vlm), str(tmp_path / "events.parquet"), "--any-detector"]
    assert main([*given, "--out", str(tmp_path / "out.parquet")]) == 0
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 2
    assert "events of opera-target-tracker-5mm" in capsys.readouterr().err
