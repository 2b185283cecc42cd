"""`nuzoo explain`, with an untrained vision-language model: what is written, and what is refused."""

import json
import shutil

import pytest
import torch
from datasets import load_dataset

from nuzoo.cli import main
from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.configuration.configuration_nu_vlm import NuVlmConfig
from nuzoo.evaluation.explain.explanations import POST_HOC
from nuzoo.modeling.modeling_nu_cnn import NuCnnForEventClassification
from nuzoo.modeling.modeling_nu_vlm import NuVlmForEventClassification
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.processors.vlm.processing_nu_vlm import NuVlmProcessor
from nuzoo.processors.vlm.prompts import Prompt
from nuzoo.processors.vlm.tiny_base import tiny_base_processor

from ..drawing import undrawn


@pytest.fixture(scope="module")
def models(simulated_dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    rows = load_dataset(str(simulated_dataset), split="train")
    text = [json.dumps(Prompt.of("plain-1").to_dict())]
    settings = {"detector": "modular-2x2x7", "rebin": 8}
    vlm = NuVlmProcessor(tiny_base_processor(text, 64), prompt="plain-1", **settings)
    vlm.fit(rows).save_pretrained(folder / "vlm")
    NuPixelMapImageProcessor(**settings).fit(rows).save_pretrained(folder / "cnn")
    torch.manual_seed(0)
    NuVlmForEventClassification(NuVlmConfig.tiny()).save_pretrained(folder / "vlm")
    NuCnnForEventClassification(NuCnnConfig.tiny()).save_pretrained(folder / "cnn")
    return folder


def explain(model, data, out, *options):
    split = [] if "--split" in options else ["--split", "train"]
    command = ["explain", "--model", model, "--data", data, *split, "--out", out, *options]
    return main([str(part) for part in command])


def test_every_event_has_a_picture_and_a_text(models, simulated_dataset, tmp_path):
    assert explain(models / "vlm", simulated_dataset, tmp_path, "--events", "3") == 0
    content = json.loads((tmp_path / "explanations.json").read_text())
    assert content["note"] == POST_HOC
    assert len({said["truth"] for said in content["explanations"]}) > 1
    report = (tmp_path / "explanations.md").read_text()
    for said in content["explanations"]:
        assert (tmp_path / f"{said['event_id']}.png").read_bytes().startswith(b"\x89PNG")
        assert said["label"] == max(said["scores"], key=said["scores"].get)
        assert said["answer"].startswith("I classify the pixel maps as ")
        assert said["answer"] in report
    assert POST_HOC in report


@undrawn()
def test_classifier_without_text_is_masked_only(models, simulated_dataset, tmp_path, capsys):
    assert explain(models / "cnn", simulated_dataset, tmp_path, "--faithfulness", "6") == 0
    masked = json.loads((tmp_path / "explanations.json").read_text())["masks"]
    assert masked["mean_drop"]["leading"]["events"] > 1
    assert masked["conclusion"] in capsys.readouterr().out


@undrawn()
def test_region_of_the_user_is_masked(models, simulated_dataset, tmp_path):
    options = ["--events", "2", "--region", "xz:0,0,512,512"]
    assert explain(models / "vlm", simulated_dataset, tmp_path, *options) == 0
    masks = json.loads((tmp_path / "explanations.json").read_text())["masks"]
    assert {mask["mask"] for mask in masks["events"]} == {"region"}


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("cnn", [], "which writes text, got a nu_cnn"),
        ("vlm", ["--event-id", "nobody"], "no event nobody there"),
        ("vlm", ["--split", "nowhere"], "has no split 'nowhere'"),
        ("vlm", ["--region", "xz:1"], "expected a region"),
        ("vlm", ["--prompt", "nothere"], "physics-1, plain-1"),
    ],
)
def test_what_cannot_be_explained_is_refused(
    models, simulated_dataset, tmp_path, capsys, model, options, message
):
    out = tmp_path / "out"
    assert explain(models / model, simulated_dataset, out, *options) == 1
    assert message in capsys.readouterr().err
    assert not (out / "explanations.md").exists()


def test_events_of_classes_that_the_model_lacks_are_refused(models, simulated_dataset, tmp_path, capsys):
    shutil.copytree(models / "cnn", tmp_path / "cnn")
    NuCnnConfig.tiny(id2label={0: "nc", 1: "nue_cc", 2: "cosmic"}).save_pretrained(tmp_path / "cnn")
    options = ["--faithfulness", "2"]
    assert explain(tmp_path / "cnn", simulated_dataset, tmp_path / "out", *options) == 1
    assert "expected events of the classes of the model (nc, nue_cc, cosmic)" in capsys.readouterr().err
