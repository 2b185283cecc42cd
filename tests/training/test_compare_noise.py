"""The table of what noise costs: frames halved along the drift, changes paired."""

import importlib.util
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

WIDTH = 960


@pytest.fixture(scope="module")
def compare():
    path = Path(__file__).parents[2] / "benchmarks" / "compare_noise.py"
    spec = importlib.util.spec_from_file_location("compare_noise", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_halves_of_a_frame_share_no_pixel_and_are_mirrored(compare, tmp_path):
    lines, columns = [0, 3, 5, 9], [7, 8, 9, 10]  # rows 0 to 9: the first half ends with row 4
    row = {"detector": "protodune-hd-apa"}
    for view in "uvz":
        row[f"{view}_index"] = [line * WIDTH + column for line, column in zip(lines, columns, strict=True)]
        row[f"{view}_energy"] = [1.0, 2.0, 3.0, 4.0]
    (tmp_path / "frames" / "data").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "frames" / "data" / "train-0.parquet")
    found = []
    for folder in compare.halves(str(tmp_path / "frames"), tmp_path / "out"):
        [half] = pq.read_table(Path(folder) / "data").to_pylist()
        places = [
            (*divmod(index, WIDTH), energy)
            for index, energy in zip(half["u_index"], half["u_energy"], strict=True)
        ]
        found.append(sorted(places))
    assert found[0] == [(0, 7, 1.0), (3, 8, 2.0), (6, 8, 2.0), (9, 7, 1.0)]
    assert found[1] == [(0, 10, 4.0), (4, 9, 3.0), (5, 9, 3.0), (9, 10, 4.0)]


def test_changes_are_of_the_same_events(compare):
    """Of 100 events the first model is right in 50 and with noise in 40 of these, the second in all."""
    right = np.ones((2, 2, 100))
    right[0, 0, 50:] = right[0, 1, 40:] = 0
    found = compare.accuracies(right)
    assert [one.value for one in found["accuracy"][0]] == [0.5, 0.4]
    change = found["change to the events as they are"]
    assert change[0][1].value == pytest.approx(-0.1)
    assert change[0][1].error == pytest.approx(np.sqrt(0.1 * 0.9 / 100), rel=0.1)
    assert change[1][1].value == change[1][1].error == 0
    assert found["change to without noise"][0][1].value == pytest.approx(-0.6)
