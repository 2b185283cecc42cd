"""`nuzoo evaluate --ensemble`: several models as one, and one with units dropped."""

import csv

import pytest
import torch
from datasets import load_dataset

from nuzoo.cli import main
from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.configuration.configuration_nu_vit import NuVitConfig
from nuzoo.modeling.modeling_nu_cnn import NuCnnForEventClassification
from nuzoo.modeling.modeling_nu_vit import NuVitForEventClassification
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor


@pytest.fixture(scope="module")
def models(simulated_dataset, tmp_path_factory):
    """Untrained networks: two of one architecture that drop a third, one of another, one of other classes."""
    folder = tmp_path_factory.mktemp("models")
    rows = load_dataset(str(simulated_dataset), split="train")
    vit = NuVitConfig.tiny(patch_size=16, image_size=64, hidden_dropout_prob=0.3)
    two_classes = NuCnnConfig.tiny(id2label={0: "nue_cc", 1: "nc"})
    torch.manual_seed(0)
    networks = {
        "a": NuVitForEventClassification(vit),
        "b": NuVitForEventClassification(vit),
        "cnn": NuCnnForEventClassification(NuCnnConfig.tiny()),
        "other": NuCnnForEventClassification(two_classes),
    }
    for name, network in networks.items():
        processor = NuPixelMapImageProcessor(detector="modular-2x2x7", rebin=8, pad_to_multiple=16)
        processor.fit(rows, detector="modular-2x2x7").save_pretrained(folder / name)
        network.save_pretrained(folder / name)
    return {name: str(folder / name) for name in networks}


def evaluate(data, out, *options):
    return main(["evaluate", "--data", str(data), "--split", "train", "--out", str(out), *options])


def test_an_ensemble_stands_beside_one_network_and_its_passes(models, simulated_dataset, tmp_path, capsys):
    members = [models[name] for name in ("a", "b", "cnn")]
    assert evaluate(simulated_dataset, tmp_path / "out", "--ensemble", *members, "--passes", "3") == 0
    told = capsys.readouterr().out
    assert "ensemble of 3, logits: accuracy" in told and "MC dropout, 3 passes" in told
    table = list(csv.DictReader((tmp_path / "out/uncertainty.csv").open()))
    assert {row["method"] for row in table} == {"one network", "ensemble of 3", "MC dropout, 3 passes"}
    text = (tmp_path / "out/uncertainty.md").read_text()
    assert "Warning" in text and "split train" in text
    assert all((tmp_path / "out" / f"logits_{name}.png").is_file() for name in ("rejection", "reliability"))


def test_other_classes_are_refused_and_leave_nothing(models, simulated_dataset, tmp_path, capsys):
    assert evaluate(simulated_dataset, tmp_path / "out", "--ensemble", models["a"], models["other"]) == 1
    assert "expected event-classification in the classes nue_cc, numu_cc, nc as the first, got" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--ensemble", "a"], "two models or more, or --passes"),
        (["--ensemble", "a", "b", "--displays", "2"], "--displays: expected --model"),
        (["--ensemble", "a", "b", "--calibrate"], "--calibrate: expected --model"),
        (["--ensemble", "a", "b", "--temperature", "2"], "--temperature: expected --model"),
        (["--model", "a", "--passes", "3"], "--passes: expected --ensemble"),
    ],
)
def test_what_does_not_go_together_is_refused(models, simulated_dataset, tmp_path, capsys, options, told):
    assert evaluate(simulated_dataset, tmp_path / "out", *(models.get(word, word) for word in options)) == 2
    assert told in capsys.readouterr().err
