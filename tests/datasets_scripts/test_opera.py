"""Open data of OPERA: places, energies, labels, and what is refused."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from datasets import load_dataset

from nuzoo.datasets_scripts.lartpc_pixelmaps import convert_files
from nuzoo.datasets_scripts.readers.detector_files import DetectorFiles
from nuzoo.datasets_scripts.readers.opera import MEV_PER_PHOTOELECTRON
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    OtherDetectorError,
    UnknownLabelError,
    WrongEventError,
)

DATA = Path(os.environ.get("NUZOO_DATA", Path(__file__).parents[3] / "shared" / "data"))
GENUINE = DATA / "opera" / "opera_events.npz"

HITS = [
    [0, 0, -1.0, 161.59, 10.0],  # xz: the strip below zero, first wall of the second super-module
    [0, 1, 2.0, 160.13, 20.0],  # yz: the strip above zero, the same wall
    [0, 0, -2.0, 161.59, 5.0],  # in the same strip as the first
    [1, 1, -60.0, -774.04, 7.0],  # the first wall of all
]
ARRAYS = {
    "tt": np.array(HITS),
    "event_id": np.array([11, 22]),
    "label": np.array([1, 0]),
    "label_names": np.array(["nuMu", "nuE"]),
    "vtx": np.array(
        [[0, 0, 0, 0, -1.0, 2.0, 150.0], [0, 0, 0, 0, 9.0, 9.0, 9.0], [1, 0, 0, 0, 0, 0, -780.0]]
    ),
    "rpc": np.full((9, 5), np.nan),
}


@pytest.fixture
def save(tmp_path):
    def saved(**changed):
        np.savez(tmp_path / "opera.npz", **{k: v for k, v in (ARRAYS | changed).items() if v is not None})
        return tmp_path / "opera.npz"

    return saved


def read(file, **options):
    files = DetectorFiles([file], strict=True, **options)
    return list(files), " ".join(files.notes.told())


def test_strips_are_rows_and_walls_are_columns(save):
    (first, second), told = read(save())
    assert first["xz_index"].tolist() == [131 * 104 + 60 + 12]  # 104 columns, of which 60 stand before z = 0
    assert first["yz_index"].tolist() == [148 * 104 + 60 + 12]  # the other plane of the same wall
    np.testing.assert_allclose(first["xz_energy"], [15 * MEV_PER_PHOTOELECTRON], rtol=1e-6)
    assert second["xz_index"].size == 0 and second["yz_index"] % 104 == [60 - 58]
    assert (first["label"], first["neutrino_pdg"], second["label"]) == (0, 12, 1)
    assert list(first["vertex"]) == [-1.0, 2.0, 150.0] and first["event_id"].endswith("/nuE-11")
    assert "0.1377 MeV, by the median of muons" in told and "1 events of nuMu are numu_cc" in told


def test_a_photoelectron_is_what_a_muon_says():
    assert pytest.approx(2.175, abs=1e-3) == 15.8 * MEV_PER_PHOTOELECTRON  # PDG: 2.052 MeV/cm × 10.6 mm


def test_windows_are_placed_at_the_vertex_and_what_they_lose_is_told(save):
    far = np.array([*HITS, [0, 0, 300.0, 161.59, 3.0]])
    (first, _), told = read(save(tt=far), detector="opera-target-tracker-5mm", mev_per_count=0.5)
    row, column = divmod(int(first["yz_index"][0]), 512)
    assert row == 256  # at the height of the vertex
    assert column == 256 + 1641 // 5 - 1540 // 5  # floor of z + 4 cm, in mm, by 5 mm
    assert first["yz_energy"].tolist() == [10.0]
    assert "outside of the maps of opera-target-tracker-5mm are left out: 1 of 5, 0.0015 GeV" in told


def test_an_event_without_vertex_has_no_window(save):
    with pytest.raises(OtherDetectorError, match="a vertex to place the window"):
        read(save(vtx=None), detector="opera-target-tracker-5mm")


def test_classes_that_are_not_asked_for_are_told(save):
    (first, second), told = read(save(label_names=np.array(["charm", "nuTau"])))
    assert first["label"] is None and first["neutrino_pdg"] == 16 and second["label"] == 1
    assert "events of nutau_cc stay without a label" in told and "1 events of charm are numu_cc" in told
    (_, second), _ = read(
        save(label_names=np.array(["charm", "nuTau"])), classes=("numu_cc", "nutau_cc", "charm")
    )
    assert second["label"] == 2


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"tt": np.zeros((3, 4))}, ArraySizeError, r"shape \(n, 5\)"),
        ({"tt": np.array([[7, 0, 0, 0, 1.0]])}, ArraySizeError, "rows of 2 events"),
        ({"tt": np.array([[0, 2, 0, 0, 1.0]])}, WrongEventError, r"0 \(xz\) or 1 \(yz\)"),
        ({"tt": np.array([[0, 0, 0, 0, -1.0]])}, WrongEventError, "0 or more, got -1.0"),
        ({"tt": np.array([[0, 0, np.nan, 0, 1.0]])}, WrongEventError, "finite numbers, got nan"),
        ({"event_id": None}, ArraySizeError, "'event_id'"),
        ({"label": np.array([1, 5])}, UnknownLabelError, "numbers of the 2 names"),
        ({"label_names": np.array(["nuX", "nuE"])}, UnknownLabelError, "'nuX'"),
    ],
)
def test_what_is_wrong_is_named(save, changed, error, words):
    with pytest.raises(error, match=words):
        read(save(**changed))


def test_a_detector_of_other_views_is_refused(save):
    with pytest.raises(OtherDetectorError, match="views xz, yz"):
        read(save(), detector="dune-like-3view")


def test_genuine_events(tmp_path):
    if not GENUINE.exists():
        pytest.skip(f"{GENUINE.name} is not in {DATA}; set NUZOO_DATA")
    arrays = np.load(GENUINE)
    some = {name: arrays[name][:20] for name in ("event_id", "label")} | {
        "label_names": arrays["label_names"]
    }
    some |= {name: arrays[name][arrays[name][:, 0] < 20] for name in ("tt", "vtx")}
    np.savez(tmp_path / "some.npz", **some)
    made = convert_files(tmp_path / "out", [tmp_path / "some.npz"], split_fractions={"train": 1.0})
    assert made.manifest["splits"] == {"train": 20} and not len(made.left_out)
    rows = load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache"))
    seen = sum(sum(row["xz_energy"]) + sum(row["yz_energy"]) for row in rows)
    assert seen == pytest.approx(some["tt"][:, 4].sum() * MEV_PER_PHOTOELECTRON, rel=1e-5)
    names = Counter(arrays["label_names"][some["label"]].tolist())
    assert Counter(row["event_id"].split("/")[1].split("-")[0] for row in rows) == names
