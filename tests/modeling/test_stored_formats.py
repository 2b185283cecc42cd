"""Files of every format that was ever written are read, and mean what they meant."""

import inspect
import json
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file
from transformers import AutoImageProcessor

from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.registry import ARCHITECTURES, import_object

ARTEFACTS = Path(__file__).parents[1] / "artefacts"
PROCESSORS = sorted(file.parent for file in ARTEFACTS.glob("*/*/preprocessor_config.json"))
NETWORKS = sorted(file.parent for file in ARTEFACTS.glob("*/*/model.safetensors"))
RESULTS = ("pixel_values", "logits")
OF_BASE = ("aspect_ratio_ids", "aspect_ratio_mask", "cross_attention_mask")
"""What the stored vision-language model passes on to its base."""


def name(folder):
    return folder.relative_to(ARTEFACTS).as_posix()


def format_of(file):
    return json.loads(file.read_text()).get("format_version", 1)


@pytest.mark.parametrize("folder", PROCESSORS, ids=name)
def test_stored_processor_makes_the_stored_images(folder, tmp_path):
    expected = load_file(folder / "expected.safetensors")
    processor = AutoImageProcessor.from_pretrained(folder)
    events = {column: v.numpy() for column, v in expected.items() if column not in RESULTS}
    torch.testing.assert_close(processor(events)["pixel_values"], expected["pixel_values"], rtol=0, atol=1e-5)
    processor.save_pretrained(tmp_path)
    assert AutoImageProcessor.from_pretrained(tmp_path).to_dict() == processor.to_dict()


@pytest.mark.parametrize("folder", NETWORKS, ids=name)
def test_stored_network_gives_the_stored_outputs(folder, tmp_path):
    """Logits, or the features of events of a network without a head."""
    expected = load_file(folder / "expected.safetensors")
    output = "logits" if "logits" in expected else "pooler_output"
    kind = next(iter(ARCHITECTURES[folder.name].models)) if output == "logits" else "AutoModel"
    loader = getattr(transformers, kind)
    model = loader.from_pretrained(folder)
    taken = inspect.signature(model.forward).parameters
    inputs = {column: value for column, value in expected.items() if column in taken or column in OF_BASE}
    with torch.no_grad():
        found = model(**inputs)[output]
    torch.testing.assert_close(found, expected[output], rtol=0, atol=1e-5)
    stored = json.loads((folder / "config.json").read_text())
    assert not model.config.is_calibrated or model.config.temperature == stored.get("temperature", 1.0)
    model.save_pretrained(tmp_path)
    saved = loader.from_pretrained(tmp_path)
    with torch.no_grad():
        assert torch.equal(saved(**inputs)[output], found)


def test_pitch_of_the_stored_processors():
    square, oblong = (AutoImageProcessor.from_pretrained(folder).pixel_pitch_mm for folder in PROCESSORS)
    assert square == [[5.0, 5.0], [5.0, 5.0]]
    assert oblong == [[5.1, 4.67], [5.1, 4.67], [5.1, 4.79]]


def test_every_format_is_stored():
    """A new format is not done before a file of it lies here."""
    processors = {format_of(folder / "preprocessor_config.json") for folder in PROCESSORS}
    assert processors == set(range(1, NuPixelMapImageProcessor.latest_format + 1))
    for name, architecture in ARCHITECTURES.items():
        networks = {format_of(folder / "config.json") for folder in NETWORKS if folder.name == name}
        assert networks == set(range(1, import_object(architecture.config).latest_format + 1)), name
