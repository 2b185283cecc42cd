"""A network as an ONNX file: what onnxruntime makes of it, with nothing but what the file says."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from nuzoo import (
    NuCnnConfig,
    NuCnnForEventClassification,
    NuPixelMapImageProcessor,
    NuVitConfig,
    NuVitForEventClassification,
    NuVlmConfig,
    NuVlmForEventClassification,
)
from nuzoo.cli import main
from nuzoo.hub.model import onnx_file
from nuzoo.hub.model.onnx_file import METADATA_KEY, OnnxExportError, check_can_export, export_onnx
from nuzoo.pipelines.event_classification import NeutrinoEventClassificationPipeline

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytest.importorskip("onnxscript", reason="onnxscript is not installed")

RAW = {"height": 128, "width": 128, "rebin": 2, "reference_energy": 0.7}


def cnn():
    network = NuCnnForEventClassification(NuCnnConfig.tiny(temperature=1.7))
    return network, NuPixelMapImageProcessor(**RAW, detector="ours", pixel_pitch_mm=5.0)


def vit():
    network = NuVitForEventClassification(NuVitConfig.tiny(temperature=0.5, fusion="concat", num_views=3))
    return network, NuPixelMapImageProcessor(
        views=("u", "v", "w"), **(RAW | {"height": 120}), pad_to_multiple=16
    )


@pytest.fixture(scope="module", params=[cnn, vit])
def exported(request, tmp_path_factory):
    """The file, the network and its processor."""
    torch.manual_seed(0)
    network, processor = request.param()
    processor.fit(processor.example_events(8))
    path = tmp_path_factory.mktemp("onnx") / "network.onnx"
    assert "onnxruntime gives what torch gives on 8 events" in export_onnx(network, processor, path)
    return path, network.eval(), processor


def preprocessed(raw, told):
    """Follow the steps of the metadata, in NumPy."""
    edge = told["rebin"]
    maps = raw.reshape(*raw.shape[:2], raw.shape[2] // edge, edge, raw.shape[3] // edge, edge).sum(
        axis=(3, 5)
    )
    scaled = np.log1p(maps / told["reference_energy_mev"]) / np.array(told["active_rms"])[:, None, None]
    image = np.zeros((*raw.shape[:2], told["image_rows"], told["image_columns"]), dtype=np.float32)
    image[:, :, : maps.shape[2], : maps.shape[3]] = scaled
    return image


@pytest.mark.parametrize("events", [1, 5])
def test_file_alone_gives_the_probabilities_of_the_pipeline(exported, events):
    path, network, processor = exported
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    told = json.loads(session.get_modelmeta().custom_metadata_map[METADATA_KEY])
    constants, model = told["processor"]["constants"], told["model"]
    shape = (events, len(constants["views"]), constants["height"], constants["width"])
    rng = np.random.default_rng(1)
    raw = (rng.exponential(3.0, shape) * (rng.random(shape) < 0.02)).astype(np.float32)
    [[name, form]] = told["inputs"].items()
    images = preprocessed(raw, constants)
    assert ["events", *images.shape[1:]] == form["shape"]
    [logits] = session.run(["logits"], {name: images})
    scores = np.exp(logits / model["temperature"])
    scores /= scores.sum(axis=1, keepdims=True)
    said = NeutrinoEventClassificationPipeline(network, processor)(list(raw))
    expected = [[result["scores"][name] for name in model["classes"]] for result in said]
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-5)


def test_metadata_hold_every_setting_of_the_processor(exported):
    path, network, processor = exported
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    told = json.loads(session.get_modelmeta().custom_metadata_map[METADATA_KEY])
    assert told["model"]["classes"] == list(network.config.id2label.values())
    assert told["model"]["network"] == type(network).__name__
    constants = told["processor"]["constants"]
    same = ("views", "height", "width", "detector", "pixel_pitch_mm", "rebin", "scale", "active_rms")
    assert {name: constants[name] for name in same} == {name: getattr(processor, name) for name in same}
    assert (constants["energy_unit"], len(told["processor"]["steps"])) == ("MeV", 6)


def test_file_that_disagrees_is_not_written(exported, tmp_path, monkeypatch):
    path, network, processor = exported
    monkeypatch.setattr(onnx_file, "_write", lambda *given: Path(given[-1]).write_bytes(path.read_bytes()))
    before = tmp_path / "network.onnx"
    before.write_text("of before")
    other = type(network)(network.config)
    with pytest.raises(OnnxExportError, match="expected what torch gives within"):
        export_onnx(other, processor, before)
    assert [file.name for file in tmp_path.iterdir()] == ["network.onnx"]
    assert before.read_text() == "of before"


def test_network_that_is_no_graph_is_refused_by_name():
    with pytest.raises(OnnxExportError, match=r"NuVlmForEventClassification \(nu_vlm\)"):
        check_can_export(NuVlmForEventClassification(NuVlmConfig.tiny()))


def test_command_refuses_before_it_loads(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(onnx_file, "find_spec", lambda name: None if name == "onnxscript" else name)
    assert main(["export", "--model", "nowhere", "--out", str(tmp_path / "model.onnx")]) == 1
    assert "got no onnxscript: `pip install 'nuzoo[onnx]'`" in capsys.readouterr().err
    assert main(["export", "--model", "nowhere", "--out", str(tmp_path / "model.bin")]) == 2
    assert "expected a name ending in .onnx" in capsys.readouterr().err
