"""The table of what is lost under other detector effects: events altered as stated, changes paired."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset, Features, List, Value

from nuzoo.training.augmentation.point_clouds import PointCloudAugmentation

PITCH_MM, SIDE_MM = 3.0, 768 * 3.0


@pytest.fixture(scope="module")
def compare():
    path = Path(__file__).parents[2] / "benchmarks" / "compare_transfer.py"
    spec = importlib.util.spec_from_file_location("compare_transfer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rows():
    """Two events of voxels along the drift, each with others 60 mm away."""
    hits = {name: List(Value("int16")) for name in "xyz"} | {"energy": List(Value("float32"))}
    features = Features({"detector": Value("string"), **hits, "motif": List(Value("int64"))})
    x = np.tile(np.arange(4, 764, 20), 2)
    event = {"detector": "lartpc-cube-768", "x": x, "y": np.repeat([300, 320], 38), "z": np.full(76, 400)}
    return Dataset.from_list([event | {"energy": 0.1 + x % 7, "motif": x % 5}] * 2, features=features)


def test_attenuation_is_one_exponential_an_event(compare, rows):
    found = compare.altered(rows, "motif", PointCloudAugmentation(attenuation_mm=2000.0))
    lengths = []
    for before, after in zip(rows, found, strict=True):
        assert all(before[name] == after[name] for name in ("x", "y", "z", "motif"))
        drift = (np.array(before["x"]) + 0.5) * PITCH_MM
        length = drift / np.log(np.array(before["energy"]) / np.array(after["energy"]))
        np.testing.assert_allclose(length, length[0], rtol=1e-2)
        lengths.append(length[0])
    assert min(lengths) >= 2000 and lengths[0] != pytest.approx(lengths[1], rel=0.01)


def test_diffusion_moves_hits_by_the_root_of_their_drift_with_their_truth(compare, rows):
    effects = PointCloudAugmentation(diffusion_mm=6.0)
    moved = compare.altered(rows, "motif", effects)
    assert moved[0]["x"] != moved[1]["x"]
    assert moved.to_list() == compare.altered(rows, "motif", effects).to_list()
    pulls = []
    for before, after in zip(rows, moved, strict=True):
        assert (before["energy"], before["motif"]) == (pytest.approx(after["energy"]), after["motif"])
        for axis in "xyz":
            step = PITCH_MM * (np.array(after[axis]) - before[axis])
            drift = (np.array(before["x"]) + 0.5) * PITCH_MM / SIDE_MM
            pulls.extend(step / np.sqrt(36 * drift + PITCH_MM**2 / 12))
    assert np.std(pulls) == pytest.approx(1.0, abs=4 / math.sqrt(2 * len(pulls)))


def test_no_effects_leave_events_alone(compare, rows):
    assert compare.altered(rows, "motif", PointCloudAugmentation()) is rows


def test_changes_are_paired(compare):
    """Two models, two conditions, two classes: all is right but one hit of four in each event altered."""
    right, wrong = np.array([[3.0, 0], [0, 1]]), np.array([[2.0, 1], [0, 1]])
    counts = np.array([[[right] * 5, [wrong] * 5], [[right] * 5, [right] * 5]])
    f1, lost, gained = compare.macro_f1(counts).values()
    expected = (4 / 5 + 2 / 3) / 2
    assert [[number.value for number in model] for model in f1] == [[1, pytest.approx(expected)], [1, 1]]
    assert lost[0][1].value == pytest.approx(expected - 1) and lost[1][1].value == 0
    assert gained[1][1].value == pytest.approx(1 - expected) and gained[1][0].value == 0
    assert lost[0][0].error == 0


def test_errors_of_changes_are_those_of_the_differences(compare):
    """Events differ much in how hard they are, and all lose the same."""
    rng = np.random.default_rng(0)
    good = rng.integers(20, 90, 60)
    of = [[[[g - less, 100 - g + less], [0, 100]] for g in good] for less in (0, 10)]
    f1, lost, _ = compare.macro_f1(np.array(of, dtype=float)[None]).values()
    assert lost[0][1].error < f1[0][0].error / 4
