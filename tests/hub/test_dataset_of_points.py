"""A dataset that the zoo does not know: points with a class each, entered and published from here alone."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, List, load_dataset
from huggingface_hub import DatasetCard

from nuzoo import registry
from nuzoo.datasets_scripts.common.dataset_folder import write_dataset
from nuzoo.datasets_scripts.common.labelled_rows import (
    UnusableDatasetError,
    check_class_names,
    check_labelled,
)
from nuzoo.datasets_scripts.common.rows import row_features
from nuzoo.files.events.event_schema import Bound, Column, EventSchema
from nuzoo.files.events.event_truth import IDENTITY_COLUMNS, ORIGIN_COLUMNS
from nuzoo.hub.dataset.checks import check_dataset_repository
from nuzoo.hub.dataset.repository import prepare_dataset_repository
from nuzoo.hub.errors import DatasetRowError, LicenceError
from nuzoo.simulation.detectors import DETECTORS, Detector
from nuzoo.simulation.materials import POLYSTYRENE
from nuzoo.simulation.response.readout import Readout

EVENTS = 40


@dataclass(frozen=True)
class Points(Readout):
    side: int

    def geometry(self) -> dict[str, Any]:
        return {"side": self.side}

    def summary(self) -> str:
        return f"{self.side} points"

    def respond(self, event) -> dict[str, np.ndarray]:
        raise NotImplementedError


def points_schema(geometry) -> EventSchema:
    def hit(name, dtype, text, **more):
        return Column(name, dtype, text, per="hit", required=True, **more)

    last = Bound(geometry["side"] - 1)
    hits = (
        hit("x", "int16", "position", low=Bound(0), high=last),
        hit("charge", "float32", "what was seen", unit="p.e.", low=Bound(0)),
        hit("hit_class", "int64", "what made it", classes=("track", "shower")),
    )
    return EventSchema((*IDENTITY_COLUMNS, *hits, *ORIGIN_COLUMNS), whose=geometry["detector"])


def make_row(index: int) -> dict[str, Any]:
    rng = np.random.default_rng(index)
    return {
        "event_id": f"toy-{index}",
        "detector": "toy-box",
        "x": rng.integers(0, 16, index % 5, dtype=np.int16),
        "charge": rng.exponential(10, index % 5).astype(np.float32),
        "hit_class": rng.integers(0, 2, index % 5),
        "source": f"toy {index}",
    }


@pytest.fixture
def points(monkeypatch, tmp_path) -> Path:
    box = Detector("toy-box", POLYSTYRENE, *[(0.0,) * 3, (100.0,) * 3] * 2, Points(16))
    monkeypatch.setitem(DETECTORS, box.name, box)
    paths = dict.fromkeys(("processor", "reader", "display", "augmentation"), "")
    modality = registry.Modality("toy-points", schema=f"{__name__}.points_schema", **paths)
    monkeypatch.setitem(registry.MODALITIES, modality.name, modality)
    task = registry.Task("toy-hits", recipe="", trainer="", targets=("hit_class",))
    monkeypatch.setitem(registry.TASKS, task.name, task)
    sample = registry.Sample("toy", modality.name, (task.name,))
    monkeypatch.setitem(registry.DATASETS, sample.name, sample)
    write_dataset(
        tmp_path / "data",
        {f"toy-{index}": index for index in range(EVENTS)},
        row_features(points_schema(box.geometry())),
        make_row,
        {"dataset": "toy", "events": EVENTS, "generator": "numpy"},
        shard_size=10,
    )
    return tmp_path / "data"


def test_it_is_published_and_verified(points, tmp_path):
    with pytest.raises(LicenceError):
        prepare_dataset_repository({"default": points}, "org/toy", tmp_path / "out")
    prepare_dataset_repository({"default": points}, "org/toy", tmp_path / "out", licence="cc-by-4.0")
    assert [check for check in check_dataset_repository(tmp_path / "out") if check.problem] == []
    card = DatasetCard.load(tmp_path / "out" / "README.md")
    assert "| `hit_class` | list of class: 0 track, 1 shower | what made it |" in card.text
    assert "| configuration | split | events |\n" in card.text
    assert "| side | 16 |" in card.text
    assert "generator numpy" in card.text
    rows = load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache"))
    assert rows.features["hit_class"] == List(ClassLabel(names=["track", "shower"]))
    check_labelled(rows, "train", ("hit_class",), points_schema({"side": 16, "detector": "toy-box"}))
    with pytest.raises(UnusableDatasetError, match="expected labels that count the classes shower"):
        check_class_names(rows, ["shower", "track"], "here", "hit_class")


@pytest.mark.parametrize(
    ("column", "wrong", "message"),
    [
        ("x", 16, "at most 15, got 16 at entry 0"),
        ("charge", float("nan"), "finite numbers, got nan"),
        ("hit_class", 2, "at most 1, got 2 at entry 0: number the classes from 0: track, shower"),
    ],
)
def test_wrong_hits_are_refused(points, tmp_path, column, wrong, message):
    shard = points / "data" / "train-00000-of-00004.parquet"
    table = pq.read_table(shard)
    lists = table[column].to_pylist()
    row = next(number for number, hits in enumerate(lists) if hits)
    lists[row][0] = wrong
    field = table.schema.field(column)
    changed = table.set_column(table.schema.get_field_index(column), field, [pa.array(lists, field.type)])
    pq.write_table(changed, shard)
    manifest = json.loads((points / "manifest.json").read_text())
    from nuzoo.files.checksums import sha256

    entry = manifest["files"]["data/train-00000-of-00004.parquet"]
    entry |= {"bytes": shard.stat().st_size, "sha256": sha256(shard)}
    (points / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DatasetRowError, match=f"row {row}, column {column}: expected {message}"):
        prepare_dataset_repository({"default": points}, "org/toy", tmp_path / "out", licence="cc-by-4.0")
