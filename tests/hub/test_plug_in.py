"""What a plug-in registers is published with its code: another modality, a label for each hit."""

import sys
from importlib import import_module

import pytest
import torch

from nuzoo import registry
from nuzoo.files.checksums import write_checksums
from nuzoo.hub.errors import NotExportableError
from nuzoo.hub.model.files import auto_class_of, write_model
from nuzoo.hub.model.flat_copy import check_flat_copy
from nuzoo.hub.model.flat_export import export_code, flat_sources
from nuzoo.hub.model.golden import check_golden, read_golden, write_golden

CODE = '''
"""Points with a label each: a plug-in of one module."""

from dataclasses import dataclass

import numpy as np
import torch
from huggingface_hub.dataclasses import strict
from transformers import FeatureExtractionMixin
from transformers.feature_extraction_utils import BatchFeature
from transformers.utils import ModelOutput

from nuzoo.configuration.configuration_utils_nu import NuPreTrainedConfig
from nuzoo.files.events.event_schema import Column, EventSchema
from nuzoo.modeling.modeling_utils_nu import NuPreTrainedModel
from nuzoo.pipelines.event_pipeline import EventPipeline
from nuzoo.processors.saved_processor import SavedProcessor


@strict
class ToyConfig(NuPreTrainedConfig):
    """A network that looks at each point alone.

    Args:
        width: of the hidden layer.
    """

    model_type = "toy_points"
    width: int = 8


class ToyProcessor(SavedProcessor, FeatureExtractionMixin):
    """Concatenates the points of events."""

    modality = "points"
    model_input_names = ["coord", "offset"]

    def __init__(self, scale: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def example_events(self, events=4):
        rng = np.random.default_rng(0)
        return [
            {
                "x": rng.normal(size=number).astype(np.float32),
                "charge": np.arange(number, dtype=np.uint16),
                "source": "made up",
            }
            for number in range(events)
        ]

    def is_single_event(self, inputs):
        return isinstance(inputs, dict)

    def split_events(self, inputs):
        return list(inputs)

    def check_agrees(self, config):
        pass

    def __call__(self, rows, *, targets=()):
        counts = [len(row["x"]) for row in rows]
        points = [np.stack([row["x"] * self.scale, row["charge"]], axis=1) for row in rows]
        coord = torch.from_numpy(np.concatenate(points).astype(np.float32))
        return BatchFeature({"coord": coord, "offset": torch.tensor(counts).cumsum(0)})


@dataclass
class ToyOutput(ModelOutput):
    logits: torch.Tensor | None = None
    seen: torch.Tensor | None = None


class ToyForHitLabels(NuPreTrainedModel):
    config: ToyConfig
    base_model_prefix = "toy"

    def __init__(self, config):
        super().__init__(config)
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(2, config.width), torch.nn.ReLU(), torch.nn.Linear(config.width, 2)
        )
        self.post_init()

    def forward(self, coord, offset):
        return ToyOutput(logits=self.layers(coord), seen=offset)


class ToyPipeline(EventPipeline):
    def postprocess(self, model_outputs, **_):
        parts = torch.tensor_split(model_outputs["logits"], model_outputs["offset"][:-1])
        return [{"labels": part.argmax(1).tolist()} for part in parts]

    def as_row(self, result):
        return result
'''


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """The plug-in's module, its rows entered for the time of these tests."""
    folder = tmp_path_factory.mktemp("plug-in")
    (folder / "toy_points.py").write_text(CODE)
    sys.path.insert(0, str(folder))
    registry.add(
        registry.Modality("points", "", "toy_points.ToyProcessor", "", "", ""),
        registry.Task(
            "hit-labels",
            recipe="",
            trainer="",
            auto_class="AutoModelForTokenClassification",
            pipeline_name="hit-labels",
            pipeline="toy_points.ToyPipeline",
        ),
        registry.Architecture(
            "toy_points",
            config="toy_points.ToyConfig",
            modality="points",
            networks={"hit-labels": "toy_points.ToyForHitLabels"},
        ),
    )
    yield import_module("toy_points")
    sys.path.remove(str(folder))
    for table, name in (
        (registry.MODALITIES, "points"),
        (registry.TASKS, "hit-labels"),
        (registry.ARCHITECTURES, "toy_points"),
    ):
        del table[name]


@pytest.fixture(scope="module")
def model(toy):
    torch.manual_seed(0)
    return toy.ToyForHitLabels(toy.ToyConfig()).eval()


def test_it_loads_and_labels_hits_without_nuzoo_and_without_the_plug_in(toy, model, tmp_path):
    processor = toy.ToyProcessor(scale=2.0)
    write_model(tmp_path, model, processor)
    write_golden(tmp_path, model, processor)
    write_checksums(tmp_path)
    assert auto_class_of(model) == "AutoModelForTokenClassification"
    events, outputs = read_golden(tmp_path / "test/golden.safetensors")
    assert [event["source"] for event in events] == ["made up"] * 4
    assert {name: values.shape for name, values in outputs.items()} == {"logits": (6, 2), "seen": (4,)}
    assert "deviation 0" in check_golden(tmp_path, model, processor)
    files = {path.name for path in tmp_path.glob("*.py")}
    assert {"toy_points.py", "saved_processor.py", "event_pipeline.py", "modeling_utils_nu.py"} <= files
    assert "image_processing_nu_pixel_map.py" not in files
    said = check_flat_copy(tmp_path)
    assert said == "AutoModelForTokenClassification loads without nuzoo, largest deviation 0"


def test_several_classes_of_a_module_are_one_file(toy, tmp_path):
    names = export_code([toy.ToyConfig, toy.ToyForHitLabels, toy.ToyProcessor, toy.ToyPipeline], tmp_path)
    assert names.count("toy_points.py") == 1
    text = (tmp_path / "toy_points.py").read_text()
    assert "from .saved_processor import SavedProcessor" in text and "from nuzoo" not in text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import toy_others", "line 1 imports toy_others, which a user of the repository may not have"),
        ("from nuzoo.registry import add", "nuzoo.registry cannot go into a repository"),
        ("from nuzoo.hub.push import push", "nuzoo.hub.push cannot go into a repository"),
        ("import h5py", "imports h5py"),
    ],
)
def test_what_a_plug_in_cannot_bring_along_is_refused_by_name(tmp_path, monkeypatch, text, says):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "toy_module.py").write_text(text)
    with pytest.raises(NotExportableError) as refusal:
        flat_sources(["toy_module"])
    assert says in str(refusal.value)


def test_modules_of_a_plug_in_bring_along_what_they_import_of_it(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy/__init__.py").touch()
    (tmp_path / "toy/configuration_toy.py").write_text("class Config: ...\n")
    (tmp_path / "toy/modeling_toy.py").write_text("from toy.configuration_toy import Config\n")
    flat = flat_sources(["toy.modeling_toy"])
    assert flat.keys() == {"modeling_toy.py", "configuration_toy.py"}
    assert "from .configuration_toy import Config" in flat["modeling_toy.py"]
