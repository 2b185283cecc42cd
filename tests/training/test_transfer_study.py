"""Models at detectors that they were not made for."""

import csv

import numpy as np
import pytest
from datasets import Dataset

from nuzoo.cli import main
from nuzoo.datasets_scripts.common.other_maps import maps_laid_out_as
from nuzoo.simulation.detectors import find_detector
from nuzoo.simulation.errors import DetectorError
from nuzoo.training.fields import RecipeError
from nuzoo.training.transfer import run_study
from nuzoo.training.transfer.study import TransferStudy

NAME = "nu_transfer"


def pixels(view, places, columns):
    """Columns of one event with 1, 2, … MeV at (row, column)."""
    index = np.array([row * columns + column for row, column in places], dtype=np.uint32)
    return {f"{view}_index": [index], f"{view}_energy": [np.arange(1, len(places) + 1, dtype=np.float32)]}


def test_anchors_come_to_lie_on_each_other_and_what_does_not_fit_is_lost():
    """Of DUNE's 500 × 500 the anchor is (250, 0), of the modular detector's 512 × 512 (256, 256)."""
    places = [(250, 0), (0, 10), (499, 255), (499, 256)]
    views = pixels("u", places, 500) | pixels("v", [(1, 1)], 500) | pixels("z", [(250, 3)], 500)
    rows = Dataset.from_dict({"event_id": ["e"], "detector": ["dune-like-3view"], **views})
    moved = maps_laid_out_as(rows, "modular-2x2x7", {"xz": "z", "yz": "u"})
    assert set(moved.column_names) == {
        "event_id", "detector", "xz_index", "xz_energy", "yz_index", "yz_energy"
    }  # fmt: skip
    row = moved[0]
    assert row["detector"] == "modular-2x2x7"
    assert row["xz_index"] == [256 * 512 + 259]
    assert row["yz_index"] == [256 * 512 + 256, 6 * 512 + 266, 505 * 512 + 511]
    assert row["yz_energy"] == [1, 2, 3]
    back = maps_laid_out_as(moved, "dune-like-3view", {"u": "yz", "v": "yz", "z": "xz"})[0]
    assert back["u_index"] == back["v_index"] == [250 * 500, 10, 499 * 500 + 255]
    assert back["z_index"] == [250 * 500 + 3]


def test_a_view_that_is_not_there_is_refused_with_those_that_are():
    views = pixels("xz", [(1, 1)], 512) | pixels("yz", [(1, 1)], 512)
    rows = Dataset.from_dict({"event_id": ["e"], "detector": ["modular-2x2x7"], **views})
    with pytest.raises(DetectorError, match="expected for each of its views u, v, z one of xz, yz, got v, z"):
        maps_laid_out_as(rows, "dune-like-3view", {"u": "xz"})


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["events=[-1]"], "numbers of 0 or more or 'all'"),
        (["events=[10,10]"], "each once"),
        (["events=[true]"], "numbers of 0 or more"),
        (["models={nu-cnn-tiny: {}}"], "expected a recipe of each, got none of nu-cnn-tiny"),
        (["models={nu-cnn-tny: {recipe: nu_cnn_tiny}}"], "nu-cnn-tny"),
        (["detectors={mine: {}}"], "one of path and simulate"),
        (["detectors={mine: {path: a, views: 3}}"], "study.detectors.mine.views"),
        (["evnts=[1]"], "evnts"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_done(overrides, told):
    with pytest.raises(ValueError, match=told) as raised:
        TransferStudy.read(NAME, overrides)
    assert isinstance(raised.value, RecipeError) or "nu-cnn-tny" in told


def test_the_altered_detectors_differ_from_the_modular_one_in_one_thing():
    base = find_detector("modular-2x2x7")
    for name in ("modular-2x2x7-3mm", "modular-2x2x7-10mm", "modular-2x2x7-3view", "single-2x2x7"):
        other = find_detector(name)
        parts = ("material", "low", "high", "vertex_low", "vertex_high")
        assert all(getattr(other, part) == getattr(base, part) for part in parts)
        same = [
            part
            for part in ("drift", "electronics", "views")
            if getattr(other.readout, part) == getattr(base.readout, part)
        ]
        assert len(same) == 2


def test_a_study_simulates_measures_and_trains(tmp_path, capsys):
    given = (
        f"out={tmp_path}/study",
        "events=[0,4]",
        "models={nu-cnn-tiny: {recipe: nu_cnn_tiny, training.max_steps: 2}}",
        "detectors={three: {simulate: lartpc-pixelmaps --events 60 --seed 5 --detector modular-2x2x7-3view, "
        "views: {xz: z, yz: u}}}",
    )
    assert main(["bench", "transfer", *given]) == 0
    out = capsys.readouterr().out
    assert "$ nuzoo simulate lartpc-pixelmaps --events 60" in out and "2 of 2: nu-cnn-tiny-three-4" in out
    table = list(csv.DictReader((tmp_path / "study/transfer.csv").open()))
    assert [(row["training_events"], row["model"]) for row in table] == [
        ("0", "nu-cnn-tiny"),
        ("4", "nu-cnn-tiny"),
    ]
    assert float(table[0]["value"]) > 0.4
    text = (tmp_path / "study/transfer.md").read_text()
    assert "| Accuracy after training events | none | 4 | test events |" in text
    assert main(["bench", "transfer", *given]) == 0


def test_few_events_are_of_all_classes_where_files_are_sorted_by_class(monkeypatch):
    label = [0] * 30 + [1] * 30 + [2] * 30
    splits = {"train": Dataset.from_dict({"label": label}), "test": Dataset.from_dict({"label": [0, None]})}
    monkeypatch.setattr(run_study, "load_events", lambda path: splits)
    found = run_study._splits(TransferStudy.read(NAME, ["events=[0,10]"]), "single volume")
    assert set(found[run_study.TRAIN].take(10)["label"]) == {0, 1, 2}
    assert len(found[run_study.TRAIN]) == 90 and len(found[run_study.HELD_OUT]) == 1
