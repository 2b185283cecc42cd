"""Hits of ndlar_flow and points of Bee as voxels: what is kept, and what is said of the rest."""

import json
import os
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from datasets import load_dataset

from nuzoo.datasets_scripts.lartpc_cubes import convert_files
from nuzoo.datasets_scripts.readers.point_cloud_files import PointCloudFiles
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    MissingViewError,
    NotThisFormatError,
    OtherDetectorError,
    UnknownScaleError,
    WrongEventError,
)

DATA = Path(os.environ.get("NUZOO_DATA", Path(__file__).parents[3] / "shared" / "data"))
GENUINE = DATA / "wirecell" / "test_beedeposource.zip"
MEV_PER_ELECTRON = 23.6e-6 / 0.70504

HIT = np.dtype([("id", "u4"), *((name, "f8") for name in ("x", "y", "z", "t_drift", "Q", "E"))])
EVENT = np.dtype([("id", "u8"), ("nhit", "u4"), ("unix_ts", "u8")])
REGION = np.dtype([("start", "i8"), ("stop", "i8")])
# of events 0, 1 (empty) and 2: x, y, z in cm and Q in ke-
PLACES = np.array(
    [
        [0.1, 0.1, 0.1, 10], [0.2, 0.2, 0.2, 20], [-0.1, 0.1, 0.1, 30], [9, 9, 9, -4],
        [200, 0, 0, 8], [np.nan, 0, 0, 8], [65.0, -65.0, 0.1, 12],
    ]
)  # fmt: skip
OWNER = np.array([0, 0, 0, 0, 2, 2, 2])


@pytest.fixture
def flow(tmp_path):
    """Write a file in the layout of h5flow: `ref` in no order, `ref_region` of each event in it."""

    def written(hits="charge/calib_prompt_hits", per_charge=0.0335, drop=(), bounds=None, **changed):
        table = np.zeros(len(PLACES), HIT)
        for column, name in enumerate(("x", "y", "z", "Q")):
            table[name] = PLACES[:, column]
        table["id"], table["E"] = np.arange(len(table)), table["Q"] * per_charge
        names = [name for name in HIT.names if name not in drop]
        reference = np.c_[OWNER, np.arange(len(table))][[2, 0, 3, 1, 6, 5, 4]]
        arrays = {
            "charge/events/data": np.zeros(3, EVENT),
            f"{hits}/data": table[names],
            f"charge/events/ref/{hits}/ref": reference,
            f"charge/events/ref/{hits}/ref_region": np.array([(0, 4), (0, 0), (4, 7)], REGION),
        }
        with h5py.File(tmp_path / "run.h5", "w") as file:
            for name, array in (arrays | changed).items():
                if array is not None:
                    file[name] = array
            if bounds is not None:
                file.create_group("geometry_info").attrs["lar_detector_bounds"] = bounds
        return tmp_path / "run.h5"

    return written


def read(file, **options):
    files = PointCloudFiles([file], strict=True, **options)
    return list(files), " ".join(files.notes.told())


def test_hits_become_voxels_and_the_rest_is_told(flow):
    rows, told = read(flow())
    assert [row["x"].tolist() for row in rows] == [[147, 148], [], [294]]
    assert rows[0]["y"].tolist() == [148, 148] and rows[2]["y"].tolist() == [1]
    np.testing.assert_allclose(rows[0]["energy"], [30 * 0.0335, 30 * 0.0335], rtol=1e-6)
    assert "hits are those of charge/calib_prompt_hits, energies are E" in told.replace(";", ",")
    for words in (
        "with NaN or infinite numbers are left out: 1 of 7",
        "of negative energy, which is noise below the pedestal, are left out: 1 of 7, -0.134 MeV in all",
        "outside of dune-2x2 are left out: 1 of 7, 0.268 MeV",
        "in a voxel with others are added up: 1 of 7",
        "events without hits stay, as empty ones: 1 of 3",
    ):
        assert words in told


def test_final_hits_are_preferred(flow):
    with h5py.File(flow(), "a") as file:
        for path in (
            "charge/{}/data",
            "charge/events/ref/charge/{}/ref",
            "charge/events/ref/charge/{}/ref_region",
        ):
            file.copy(path.format("calib_prompt_hits"), path.format("calib_final_hits"))
        name = file.filename
    assert "those of charge/calib_final_hits" in read(name)[1]


def test_places_are_moved_to_the_middle_of_the_detector(flow):
    """The cryostat of early productions is 268 cm below."""
    with_bounds = flow(bounds=[[-64, -198, -64], [64, -68, 64]])
    rows, told = read(with_bounds)
    assert "moved by 0, 133, 0 cm, as lar_detector_bounds say" in told
    assert rows[0]["y"].size == 0  # hits at y = 0 are 133 cm above the middle of this one


def test_charge_instead_of_energies(flow):
    rows, told = read(flow(drop=["E"]), mev_per_charge=0.05)
    np.testing.assert_allclose(rows[0]["energy"], [30 * 0.05, 30 * 0.05], rtol=1e-6)
    assert "energies are Q, 0.05 MeV for a thousand electrons" in told


def test_energies_in_another_unit_are_refused(flow):
    many = np.zeros(20, HIT)
    many["Q"], many["E"] = 10, 10 * 23.6e-6
    pairs = np.c_[np.zeros(20, int), np.arange(20)]
    hits = "charge/calib_prompt_hits"
    changed = {
        f"{hits}/data": many,
        f"charge/events/ref/{hits}/ref": pairs,
        f"charge/events/ref/{hits}/ref_region": np.array([(0, 20), (0, 0), (0, 0)], REGION),
    }
    with pytest.raises(UnknownScaleError, match=r"give --mev-per-charge 0\.0335 to take Q"):
        read(flow(**changed))


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"drop": ["E"]}, UnknownScaleError, "a column 'E' of hits"),
        ({"drop": ["z"]}, NotThisFormatError, "columns x, y and z"),
        (
            {"charge/events/ref/charge/calib_prompt_hits/ref": None},
            MissingViewError,
            "calib_prompt_hits/ref'",
        ),
        ({"charge/events/data": np.zeros(5, EVENT)}, NotThisFormatError, "start and stop of 5 events"),
        (
            {
                "charge/events/ref/charge/calib_prompt_hits/ref": np.full((7, 2), 2)[:, :1].repeat(2, 1)
                * [1, 50]
            },
            WrongEventError,
            "rows of 7 hits, got 100 to 100",
        ),
    ],
)
def test_what_is_wrong_with_a_flow_file_is_named(flow, changed, error, words):
    with pytest.raises(error, match=words):
        read(flow(**changed))


def test_converted_flow_loads(flow, tmp_path):
    made = convert_files(tmp_path / "out", [flow()], split_fractions={"train": 1.0})
    rows = load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache"))
    assert [len(row["energy"]) for row in rows] == [2, 0, 1] and not len(made.left_out)
    assert {row["detector"] for row in rows} == {"dune-2x2"} and rows[0]["motif"] is None


POINTS = {
    "geom": "protodune",
    "x": [-380.0, 0.05, 1e9],
    "y": [0, 0.1, 0],
    "z": [-10, 0, 0],
    "q": [1e5, 2e5, 1e4],
}


@pytest.fixture
def bee(tmp_path):
    def written(name="bee.zip", **changed):
        points = json.dumps({k: v for k, v in (POINTS | changed).items() if v is not None})
        if name.endswith(".json"):
            (tmp_path / name).write_text(points)
        else:
            with zipfile.ZipFile(tmp_path / name, "w") as archive:
                archive.writestr("data/0/0-truthDepo.json", points)
                archive.writestr("data/0/0-mc.json", "[]")
        return tmp_path / name

    return written


@pytest.mark.parametrize("name", ["bee.zip", "bee.json"])
def test_points_of_bee_become_voxels(bee, name):
    (row,), told = read(bee(name))
    assert [row[axis].tolist() for axis in "xyz"] == [[0, 380], [0, 0], [0, 10]]
    np.testing.assert_allclose(row["energy"], [1e5 * MEV_PER_ELECTRON, 2e5 * MEV_PER_ELECTRON], rtol=1e-4)
    assert "outside of protodune-sp are left out: 1 of 3" in told and "electrons of 3.347e-05 MeV" in told
    assert ("trees of particles (mc.json) are not read: 1" in told) == (name == "bee.zip")


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"q": None}, UnknownScaleError, "a list q of charges in electrons"),
        ({"q": [1.0]}, ArraySizeError, "1 of q"),
        ({"x": None}, NotThisFormatError, "lists x, y and z"),
        ({"geom": "uboone"}, OtherDetectorError, "'uboone'"),
        ({"y": ["a", 1, 2]}, WrongEventError, "a list of numbers"),
    ],
)
def test_what_is_wrong_with_points_is_named(bee, changed, error, words):
    with pytest.raises(error, match=words):
        read(bee(**changed))


def test_a_genuine_archive_in_two_grids():
    if not GENUINE.exists():
        pytest.skip(f"{GENUINE.name} is not in {DATA}; set NUZOO_DATA")
    rows, told = read(GENUINE)
    assert len(rows) == 10 and "outside" not in told
    assert rows[0]["energy"].sum() == pytest.approx(84932424 * MEV_PER_ELECTRON, rel=1e-4)
