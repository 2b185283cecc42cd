"""A processor of points, which are no images, gets its file and its refusals from the base."""

import json
from typing import ClassVar

import datasets
import numpy as np
import pytest
import torch
from transformers import BatchFeature, FeatureExtractionMixin

from nuzoo.files.errors import FormatVersionError
from nuzoo.files.events.event_errors import MissingColumnError, RangeError, UnitError
from nuzoo.files.events.event_schema import Bound, Column, EventSchema
from nuzoo.processors.event_tables import as_table
from nuzoo.processors.input_errors import (
    DetectorMismatchError,
    MissingStatisticsError,
    ProcessorModelMismatchError,
    ProcessorSettingError,
)
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.processors.saved_processor import SavedProcessor

SCHEMA = EventSchema(
    (
        Column("x", "float32", "position", "mm", per="hit", required=True),
        Column("charge", "float32", "energy", "MeV", per="hit", low=Bound(0), required=True),
    )
)


class PointProcessor(SavedProcessor, FeatureExtractionMixin):
    modality: ClassVar[str] = "points"
    latest_format: ClassVar[int] = 2
    migrations: ClassVar = {1: lambda keys: {"edge_mm": keys.pop("size_mm"), **keys}}
    statistics: ClassVar[tuple[str, ...]] = ("mean_charge",)
    schema = SCHEMA

    def __init__(self, detector=None, edge_mm=100.0, mean_charge=None, **kwargs):
        super().__init__(**kwargs)
        self.detector, self.edge_mm, self.mean_charge = detector, edge_mm, mean_charge
        self._scratch = object()

    def fit(self, rows):
        self.mean_charge = float(self.read_hits(rows)["charge"].values.mean())
        return self

    def __call__(self, rows, *, targets=(), threshold=0.0):
        self.refuse_unfitted()
        hits = self.read_hits(as_table(rows))
        points = np.stack([hits["x"].values / self.edge_mm, hits["charge"].values / self.mean_charge], axis=1)
        return BatchFeature({"points": torch.from_numpy(points), "offset": np.cumsum(hits["x"].counts)})


EVENTS = [
    {"x": [1.0, 2.0], "charge": [2.0, 4.0], "detector": "here"},
    {"x": [], "charge": [], "detector": "here"},
    {"x": [3.0], "charge": [6.0], "detector": "here"},
]


def test_points_of_several_events_are_concatenated():
    processor = PointProcessor().fit(EVENTS)
    assert processor.mean_charge == 4
    for form in (EVENTS, datasets.Dataset.from_list(EVENTS), datasets.Dataset.from_list(EVENTS)[:]):
        batch = processor(form)
        assert batch["points"].tolist() == [[0.01, 0.5], [0.02, 1.0], [0.03, 1.5]]
        assert list(batch["offset"]) == [2, 2, 3]
    assert processor.is_single_event(EVENTS[0]) and not processor.is_single_event(EVENTS)
    assert processor.call_options == {"threshold"}


def test_settings_are_saved_and_nothing_else(tmp_path):
    processor = PointProcessor.for_geometry({"detector": "here", "height": 3}, edge_mm=50.0).fit(EVENTS)
    processor.save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "preprocessor_config.json").read_text())
    kinds = {"feature_extractor_type", "image_processor_type"}  # AutoImageProcessor, which pipelines ask
    assert saved.keys() == {"detector", "edge_mm", "mean_charge", "format_version", *kinds}
    loaded = PointProcessor.from_pretrained(tmp_path)
    assert loaded.to_dict() == processor.to_dict() and loaded.detector == "here"
    assert PointProcessor.from_pretrained(tmp_path, edge_mm=7.0).edge_mm == 7.0
    with pytest.raises(ProcessorSettingError, match=r"'edge': did you mean edge_mm"):
        PointProcessor.from_pretrained(tmp_path, edge=7.0)
    with pytest.raises(ProcessorSettingError, match=r"no setting 'colour'. It has detector, edge_mm"):
        PointProcessor(colour="red")


def test_files_of_other_formats_are_migrated_or_refused():
    old = {"size_mm": 20.0, "mean_charge": 1.0}
    assert PointProcessor.from_dict(old).edge_mm == 20.0
    with pytest.raises(FormatVersionError, match="update nuzoo"):
        PointProcessor.from_dict({"format_version": 3})
    with pytest.raises(MissingStatisticsError, match="mean_charge"):
        PointProcessor.from_dict({"format_version": 2})
    with pytest.raises(MissingStatisticsError, match="fit"):
        PointProcessor()(EVENTS)


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (EVENTS[0] | {"detector": "there"}, DetectorMismatchError),
        (EVENTS[0] | {"charge": None}, MissingColumnError),
        (EVENTS[0] | {"charge": [1.0, -1.0]}, RangeError),
        ({"x": [1.0]}, MissingColumnError),
        (EVENTS[0] | {"charge": [1, 2]}, UnitError),
    ],
)
def test_what_the_schema_does_not_allow_is_refused(event, error):
    """Also whole numbers beside events with floating-point ones, which joined would look like energies."""
    with pytest.raises(error):
        PointProcessor(detector="here", mean_charge=1.0)([EVENTS[2], event])


def test_a_setting_of_another_kind_in_a_file_is_said_to_be_one(tmp_path):
    saved = NuPixelMapImageProcessor(views=["xz"], active_rms=[1.0]).to_dict()
    for setting in ({"active_rms": 1}, {"rebin": "2"}, {"height": None}, {"views": 3}):
        (tmp_path / "preprocessor_config.json").write_text(json.dumps(saved | setting))
        with pytest.raises(ProcessorSettingError, match="expected"):
            NuPixelMapImageProcessor.from_pretrained(tmp_path)


def test_the_file_of_another_kind_of_processor_is_called_that_and_not_a_later_format():
    saved = NuPixelMapImageProcessor(views=["xz"], active_rms=[1.0]).to_dict() | {"format_version": 9}
    with pytest.raises(ProcessorModelMismatchError, match="PointProcessor, got that of a NuPixelMap"):
        PointProcessor.from_dict(saved)
