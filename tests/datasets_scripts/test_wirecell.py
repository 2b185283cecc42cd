"""Frames of Wire-Cell: places, charge, bad channels, and what is refused."""

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from nuzoo.datasets_scripts.readers.detector_files import DetectorFiles
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    NotThisFormatError,
    OtherDetectorError,
    TruncatedFileError,
    UnknownScaleError,
    WrongEventError,
)

DATA = Path(os.environ.get("NUZOO_DATA", Path(__file__).parents[3] / "shared" / "data"))
GENUINE = DATA / "wirecell" / "protodunehd-sp-frames-anode1.tar.bz2"

CHANNELS = np.array([2560, 2561, 3360, 4160, 5119], np.int32)  # of anode 1: u 0 and 1, v 0, z 0 and 959
CHARGE = np.zeros((5, 40), np.float32)
CHARGE[0, 5], CHARGE[0, 6], CHARGE[1, 20], CHARGE[2, 0], CHARGE[3, 10], CHARGE[4, 39] = (
    3e4, 1e4, 2e4, 5e3, -7e3, 6e4,
)  # fmt: skip
ARRAYS = {
    "frame_gauss1_7": CHARGE,
    "channels_gauss1_7": CHANNELS,
    "tickinfo_gauss1_7": np.array([0.0, 500.0, 100.0]),
    "chanmask_bad_7": np.array([[2561, 0, 130], [9000, 0, 130]], np.int32),
}
MEV_PER_ELECTRON = 23.6e-6 / 0.70504  # W_ion, and the box model of ArgoNeuT at 2.1 MeV/cm and 0.5 kV/cm


@pytest.fixture
def save(tmp_path):
    def saved(name="frames.tar.bz2", mode="w:bz2", **changed):
        arrays = {k: v for k, v in (ARRAYS | changed).items() if v is not None}
        if name.endswith(".npz"):
            np.savez(tmp_path / name, **arrays)
            return tmp_path / name
        with tarfile.open(tmp_path / name, mode) as archive:
            for member, array in arrays.items():
                np.save(held := io.BytesIO(), array)
                entry = tarfile.TarInfo(f"{member}.npy")
                entry.size = held.tell()
                held.seek(0)
                archive.addfile(entry, held)
        return tmp_path / name

    return saved


def read(*files, **options):
    reader = DetectorFiles(files, strict=True, **options)
    return list(reader), " ".join(reader.notes.told())


def test_channels_are_columns_and_drift_is_rows(save):
    (row,), told = read(save())
    # the middle of tick 105 is 52.75 µs late: 84.4 mm at 1.6 mm/µs, which is row 16 of 5.1 mm
    assert row["u_index"].tolist() == [16 * 960]
    np.testing.assert_allclose(row["u_energy"], [4e4 * MEV_PER_ELECTRON], rtol=1e-4)
    assert row["v_index"].tolist() == [int(100.5 * 0.8 / 5.1) * 960]
    assert row["z_index"].tolist() == [int(139.5 * 0.8 / 5.1) * 960 + 959]
    assert row["event_id"].endswith("/frames#7-apa1") and row["detector"] == "protodune-hd-apa"
    assert "1 of anode 1, whose 20,000 electrons are left out" in told
    assert "charge below zero is left out: 1 ticks, -7,000 electrons" in told
    assert "one electron is 3.347e-05 MeV" in told


@pytest.mark.parametrize(
    ("name", "mode"), [("f.tar", "w"), ("f.tar.gz", "w:gz"), ("f.tgz", "w:gz"), ("f.npz", "")]
)
def test_any_packing_is_read(save, name, mode):
    (row,), _ = read(save(name, mode))
    assert row["u_index"].tolist() == [16 * 960]


def test_coarser_maps_hold_the_same_energy(save):
    (fine,), _ = read(save())
    (coarse,), _ = read(save(), detector="protodune-hd-apa-500", mev_per_count=1e-3)
    for view in "uvz":
        assert coarse[f"{view}_energy"].sum() * MEV_PER_ELECTRON * 1e3 == pytest.approx(
            fine[f"{view}_energy"].sum(), rel=1e-4
        )
    assert coarse["z_index"].tolist() == [int(139.5 * 0.8 / 10.2) * 500 + 479]


def test_frames_and_anodes_are_events_of_their_own(save):
    more = {key.replace("_7", "_8").replace("gauss1", "gauss2"): of for key, of in ARRAYS.items()}
    more["channels_gauss2_8"] = np.array([0, 1, 2560, 2561, 2562], np.int32)
    rows, _ = read(save(**more))
    assert [row["event_id"].partition("#")[2] for row in rows] == ["7-apa1", "8-apa0", "8-apa1"]


def test_deconvolved_charge_is_chosen(save):
    (row,), told = read(save(frame_raw1_7=np.full((5, 40), 900, np.int16)))
    assert row["u_index"].size == 1 and "charge is that of frame_gauss1" in told
    with pytest.raises(UnknownScaleError, match=r"got frame_raw1"):
        read(save(frame_raw1_7=np.full((5, 40), 900, np.int16), frame_gauss1_7=None))


def test_anodes_may_have_tags_of_their_own(save):
    other = {key.replace("gauss1", "gauss0"): of for key, of in ARRAYS.items() if "gauss1" in key}
    rows, _ = read(save(**other | {"channels_gauss0_7": CHANNELS - 2560}))
    assert [row["event_id"].partition("#")[2] for row in rows] == ["7-apa1", "7-apa0"]
    assert rows[0]["z_index"].tolist() == rows[1]["z_index"].tolist()


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"frame_gauss1_7": np.full((5, 40), 900, np.int16)}, UnknownScaleError, "raw ADC counts"),
        ({"frame_gauss1_7": np.full((5, 40), np.nan, np.float32)}, WrongEventError, "finite numbers"),
        ({"frame_gauss1_7": np.zeros(5, np.float32)}, ArraySizeError, r"shape \(channels, ticks\)"),
        ({"frame_gauss1_7": None}, UnknownScaleError, "frame_gauss…, got no frame"),
        ({"channels_gauss1_7": CHANNELS[:3]}, ArraySizeError, r"channels_gauss1 of shape \(5,\)"),
        ({"tickinfo_gauss1_7": None}, ArraySizeError, "tickinfo_gauss1"),
        ({"chanmask_bad_7": np.zeros((2, 2))}, ArraySizeError, "chanmask"),
    ],
)
def test_what_is_wrong_is_named(save, changed, error, words):
    with pytest.raises(error, match=words):
        read(save(**changed))


def test_other_archives_are_called_what_they_are(save, tmp_path):
    with tarfile.open(tmp_path / "thesis.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("thesis.tex"))
    with pytest.raises(NotThisFormatError, match=r"thesis\.tex"):
        read(tmp_path / "thesis.tar")
    whole = save().read_bytes()
    (tmp_path / "half.tar.bz2").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TruncatedFileError):
        read(tmp_path / "half.tar.bz2")
    with pytest.raises(OtherDetectorError, match="views u, v, z"):
        read(save(), detector="modular-2x2x7")


def test_a_genuine_frame():
    if not GENUINE.exists():
        pytest.skip(f"{GENUINE.name} is not in {DATA}; set NUZOO_DATA")
    (row,), told = read(GENUINE)
    # sums of the array itself, by plane
    for view, electrons in (("u", 2.2718534e8), ("v", 2.0258669e8), ("z", 2.200589e8)):
        assert row[f"{view}_energy"].sum(dtype=np.float64) == pytest.approx(
            electrons * MEV_PER_ELECTRON, rel=1e-4
        )
    assert "15 of anode 1, whose 0 electrons are left out" in told
