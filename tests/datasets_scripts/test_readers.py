"""Each format against arrays written with its own library, and each kind of bad file."""

import gzip
import json
import pickle
import struct
import tarfile
import zipfile
import zlib

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from nuzoo.datasets_scripts.readers.detector_files import DetectorFiles, declared_classes
from nuzoo.datasets_scripts.readers.dune_cvn import MEV_PER_COUNT
from nuzoo.datasets_scripts.readers.reading import Notes
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    MissingViewError,
    NotThisFormatError,
    ObjectArrayError,
    OtherDetectorError,
    SourceFileError,
    TooLargeError,
    TruncatedFileError,
    UnknownFileTypeError,
    UnknownLabelError,
    UnknownScaleError,
    UnreadableFileError,
    WrongEventError,
)
from nuzoo.files.events.pixel_map_events import pixel_map_schema
from nuzoo.simulation.detectors import DUNE_LIKE, MODULAR_LARTPC
from nuzoo.simulation.errors import UnknownDetectorError

MODULAR_SHAPE = (2, 512, 512)
INFO = "6 3.5 1.4 0 0 0 0.9 12 2 1 0 4 0 0 99"


def read(path, **options):
    options = {"usual_mev_per_count": MEV_PER_COUNT} | options
    return list(DetectorFiles([path], strict=True, **options))


def sparse_maps(shape, dtype, pixels=40, seed=7):
    """A few non-zero pixels: uint8 counts 1 to 255, or energies that single precision holds exactly."""
    rng = np.random.default_rng(seed)
    maps = np.zeros(shape, dtype)
    where = tuple(rng.integers(0, size, pixels) for size in shape)
    maps[where] = (
        rng.integers(1, 256, pixels) if np.dtype(dtype).kind in "iu" else rng.integers(1, 80, pixels) / 8
    )
    return maps


def dense(row, views, shape):
    maps = np.zeros((len(views), shape[0] * shape[1]), np.float32)
    for view, flat in zip(views, maps, strict=True):
        index, energy = row[f"{view}_index"], row[f"{view}_energy"]
        assert index.dtype == np.uint32 and energy.dtype == np.float32
        assert (np.diff(index.astype(np.int64)) > 0).all() and (energy != 0).all()
        flat[index] = energy
    return maps.reshape(len(views), *shape)


def modular(row):
    return dense(row, ("xz", "yz"), (512, 512))


def write_cvn(folder, maps, info=INFO, name="event7"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.gz").write_bytes(zlib.compress(maps.tobytes()))
    if info is not None:
        (folder / f"{name}.info").write_text("\n".join(info.split()) + "\n")
    return folder / f"{name}.gz"


def write_images(folder, maps, label="numucc", name="ev1", views=("xz", "yz")):
    folder.mkdir(parents=True, exist_ok=True)
    for view, pixels in zip(views, maps, strict=False):
        Image.fromarray(pixels).save(folder / f"{name}_{view}.png")
    if label is not None:
        (folder / f"{name}_pid.txt").write_text(label)
    return folder


def write_hdf5(file, images, pids=None, **options):
    with h5py.File(file, "w") as content:
        content.create_dataset("images", data=images, **options)
        if pids is not None:
            content["pids"] = pids
    return file


def write_parquet(file, **columns):
    """Two events of the modular detector, with columns replaced; None takes a column away."""
    lists = {
        "xz_index": pa.array([[3, 9], []], pa.list_(pa.uint32())),
        "xz_energy": pa.array([[1.5, 2.0], []], pa.list_(pa.float32())),
        "yz_index": pa.array([[512 * 512 - 1], [0]], pa.list_(pa.uint32())),
        "yz_energy": pa.array([[0.25], [4.0]], pa.list_(pa.float32())),
    }
    table = {name: column for name, column in (lists | columns).items() if column is not None}
    pq.write_table(pa.table(table), file)
    return file


def floats(*rows):
    return pa.array(rows, pa.list_(pa.float32()))


def indices(*rows):
    return pa.array(rows, pa.list_(pa.int64()))


def columns(detector):
    return set(pixel_map_schema(detector.geometry()).by_name)


def test_the_columns_are_those_of_a_pixel_map_row(tmp_path):
    cvn = read(write_cvn(tmp_path / "nue", np.zeros((3, 500, 500), np.uint8)))[0]
    parquet = read(write_parquet(tmp_path / "a.parquet"))[0]
    assert set(cvn) == columns(DUNE_LIKE) - {"display"}
    assert set(parquet) == columns(MODULAR_LARTPC) - {"display"}


def test_dune_cvn(tmp_path):
    counts = sparse_maps((3, 500, 500), np.uint8)
    counts[1, 20, 300] = 99
    row = read(write_cvn(tmp_path / "nue", counts))[0]
    ticks_by_wires = np.stack([view.T for view in counts])
    expected = (ticks_by_wires * MEV_PER_COUNT).astype(np.float32)
    np.testing.assert_array_equal(dense(row, "uvz", (500, 500)), expected)
    assert dense(row, "uvz", (500, 500))[1, 300, 20] == np.float32(99 * MEV_PER_COUNT)
    assert row["event_id"] == "nue/event7" and row["source"] == "event7.gz"
    assert row["detector"] == "dune-like-3view" and row["label"] == 0
    truth = {
        "neutrino_energy": 3.5,
        "neutrino_pdg": 12,
        "interaction_mode": 3,
        "lepton_pdg": 11,
        "lepton_energy": 1.4,
        "inelasticity": pytest.approx(0.6),
        "n_protons": 2,
        "n_charged_pions": 1,
        "n_neutral_pions": 0,
        "n_neutrons": 4,
        "vertex": None,
        "deposited_energy": None,
    }
    assert {name: row[name] for name in truth} == truth


@pytest.mark.parametrize(
    ("code", "pdg", "label", "mode", "lepton"),
    [
        (0, 14, 1, 0, 13),
        (1, -14, 1, 2, -13),
        (4, -12, 0, 0, -11),
        (7, 12, 0, None, 11),
        (10, 16, None, 3, 15),
        (13, 1, 2, None, None),
    ],
)
def test_dune_cvn_labels(tmp_path, code, pdg, label, mode, lepton):
    info = f"{code} 2 1 0 0 0 1 {pdg} 0 0 0 0"
    row = read(write_cvn(tmp_path, np.zeros((3, 500, 500), np.uint8), info))[0]
    assert (row["label"], row["interaction_mode"], row["lepton_pdg"]) == (label, mode, lepton)
    assert row["neutrino_pdg"] == (None if code == 13 else pdg)


def test_dune_cvn_without_truth_and_empty(tmp_path):
    row = read(write_cvn(tmp_path, np.zeros((3, 500, 500), np.uint8), info=None))[0]
    assert row["label"] is None and row["neutrino_energy"] is None
    assert all(len(row[f"{view}_index"]) == 0 for view in "uvz")


@pytest.mark.parametrize("name", ["numucc", "numu_cc", "NuMu CC\n"])
def test_images(tmp_path, name):
    counts = sparse_maps(MODULAR_SHAPE, np.uint8)
    folder = write_images(tmp_path / "group" / "ev1", counts, name)
    row = read(folder, mev_per_count=0.5)[0]
    np.testing.assert_array_equal(modular(row), counts * np.float32(0.5))
    assert row["event_id"] == "group/ev1" and row["label"] == 1 and row["detector"] == "modular-2x2x7"
    assert row["source"] == "ev1/ev1_xz.png"


def test_images_side_by_side_with_dots_in_their_names(tmp_path):
    folder = tmp_path / "run"
    for name in ("a.1", "b_2"):
        write_images(folder, np.zeros(MODULAR_SHAPE, np.uint8), None, name)
    rows = read(folder)
    assert [row["event_id"] for row in rows] == ["run/a.1", "run/b_2"]
    assert [row["label"] for row in rows] == [None, None]


@pytest.mark.parametrize("views_last", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_hdf5(tmp_path, views_last, dtype):
    maps = sparse_maps((20, *MODULAR_SHAPE), dtype, pixels=300)
    stored = np.moveaxis(maps, 1, -1) if views_last else maps
    pids = np.array(["nuecc", "numucc", "nc", "nc"] * 5, dtype="S")
    file = write_hdf5(tmp_path / "a.h5", stored, pids, compression="gzip", compression_opts=1)
    rows = read(file)
    scale = MEV_PER_COUNT if dtype == np.uint8 else 1
    assert len(rows) == 20
    for row, event in zip(rows, maps, strict=True):
        np.testing.assert_array_equal(modular(row), (event * scale).astype(np.float32))
    assert [row["label"] for row in rows] == [0, 1, 2, 2] * 5
    assert [row["source"] for row in rows] == [f"a.h5#{i}" for i in range(20)]
    assert len({row["event_id"] for row in rows}) == 20


def test_hdf5_numbers_and_text_as_labels(tmp_path):
    maps = np.zeros((3, *MODULAR_SHAPE), np.uint8)
    assert [row["label"] for row in read(write_hdf5(tmp_path / "a.hdf5", maps, [2, 0, -1]))] == [2, 0, None]
    text = np.array(["nc", "nue_cc", "numu_cc"], dtype=h5py.string_dtype())
    assert [row["label"] for row in read(write_hdf5(tmp_path / "b.h5", maps, text))] == [2, 0, 1]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, ">f4", np.uint8, np.int32])
def test_npy(tmp_path, dtype):
    maps = sparse_maps((2, *MODULAR_SHAPE), dtype)
    np.save(tmp_path / "many.npy", maps)
    np.save(tmp_path / "one.npy", maps[1])
    scale = MEV_PER_COUNT if np.dtype(dtype).kind in "iu" else 1
    rows = read(tmp_path / "many.npy") + read(tmp_path / "one.npy")
    for row, event in zip(rows, (maps[0], maps[1], maps[1]), strict=True):
        np.testing.assert_array_equal(modular(row), (event * scale).astype(np.float32))


def test_npy_of_the_dune_like_detector_is_rows_by_columns(tmp_path):
    maps = sparse_maps((3, 500, 500), np.float32)
    np.save(tmp_path / "a.npy", maps)
    row = read(tmp_path / "a.npy")[0]
    assert row["detector"] == "dune-like-3view"
    np.testing.assert_array_equal(dense(row, "uvz", (500, 500)), maps)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("name", ["pids", "labels"])
def test_npz(tmp_path, save, name):
    maps = sparse_maps((3, *MODULAR_SHAPE), np.float32)
    columns = {name: np.array(["nc", "nue_cc", "numucc"]), "event_id": np.array(["a", "b", "c"])}
    save(tmp_path / "a.npz", images=maps, **columns)
    rows = read(tmp_path / "a.npz")
    for row, event in zip(rows, maps, strict=True):
        np.testing.assert_array_equal(modular(row), event)
    assert [(row["event_id"], row["label"]) for row in rows] == [("a", 2), ("b", 0), ("c", 1)]


def test_parquet(tmp_path):
    known = {
        "event_id": ["e0", "e1"],
        "label": [1, None],
        "neutrino_energy": [2.5, None],
        "source": ["simulation", None],
    }
    first, second = read(write_parquet(tmp_path / "a.parquet", **known))
    assert first["xz_index"].tolist() == [3, 9] and first["xz_energy"].tolist() == [1.5, 2.0]
    assert second["xz_index"].tolist() == [] and second["yz_energy"].tolist() == [4.0]
    assert (first["event_id"], first["label"], first["neutrino_energy"]) == ("e0", 1, 2.5)
    assert (second["event_id"], second["label"], second["neutrino_energy"]) == ("e1", None, None)
    assert (first["source"], second["source"]) == ("simulation", "a.parquet#1")
    assert first["xz_index"].dtype == np.uint32 and first["xz_energy"].dtype == np.float32


def test_parquet_of_many_events_is_read_in_batches(tmp_path):
    index = indices(*([i] for i in range(1000)))
    energy = floats(*([i / 8] for i in range(1000)))
    columns = {"xz_index": index, "xz_energy": energy, "yz_index": index, "yz_energy": energy}
    rows = read(write_parquet(tmp_path / "a.parquet", **columns))
    assert [int(row["xz_index"][0]) for row in rows] == list(range(1000))
    assert [float(row["yz_energy"][0]) * 8 for row in rows] == list(range(1000))


def fails(path, error, *words, **options):
    with pytest.raises(error) as caught:
        read(path, **options)
    assert type(caught.value) is error
    message = str(caught.value)
    for word in (path.name, "expected", "got", *words):
        assert word in message, message


def zeros(*shape, dtype=np.uint8):
    return np.zeros(shape, dtype)


def test_bad_dune_cvn(tmp_path):
    maps = sparse_maps((3, 500, 500), np.uint8)
    whole = write_cvn(tmp_path, maps)
    packed = whole.read_bytes()
    whole.write_bytes(packed[: len(packed) // 2])
    fails(whole, TruncatedFileError, "copy or download")
    whole.write_bytes(packed[:-4] + bytes(4))
    fails(whole, TruncatedFileError)
    whole.write_bytes(b"")
    fails(whole, TruncatedFileError)
    whole.write_bytes(b"not compressed at all")
    fails(whole, NotThisFormatError)
    whole.write_bytes(zlib.compress(bytes(749_999)))
    fails(whole, ArraySizeError, "749999")
    whole.write_bytes(zlib.compress(bytes(200_000_000), 9))
    fails(whole, TooLargeError)
    whole.write_bytes(bytes(2_000_000))
    fails(whole, TooLargeError, "2000000")
    whole.write_bytes(packed)
    fails(whole, ArraySizeError, "512", detector="modular-2x2x7")


@pytest.mark.parametrize(
    ("info", "error"),
    [
        ("6 3.5 1.4 0 0 0 0.9 99 2 1 0 4", UnknownLabelError),
        ("55 3.5 1.4 0 0 0 0.9 12 2 1 0 4", UnknownLabelError),
        ("6 nan 1.4 0 0 0 0.9 12 2 1 0 4", NotThisFormatError),
        ("6 3.5 1.4", TruncatedFileError),
        ("six 3.5 1.4 0 0 0 0.9 12 2 1 0 4", NotThisFormatError),
    ],
)
def test_bad_info(tmp_path, info, error):
    file = write_cvn(tmp_path, zeros(3, 500, 500), info)
    with pytest.raises(error, match=r"event7\.info"):
        read(file)


def test_bad_images(tmp_path):
    maps = sparse_maps(MODULAR_SHAPE, np.uint8)
    one_view = write_images(tmp_path / "one", maps[:1])
    with pytest.raises(MissingViewError, match=r"no ev1_yz\.png"):
        read(one_view)
    with pytest.raises(UnknownLabelError, match=r"ev1_pid\.txt.*'tau'"):
        read(write_images(tmp_path / "label", maps, "tau"))
    with pytest.raises(ArraySizeError, match=r"ev1_xz\.png.*512 × 512.*100 × 512"):
        read(write_images(tmp_path / "size", maps[:, :, :100]))
    broken = write_images(tmp_path / "cut", maps)
    png = (broken / "ev1_yz.png").read_bytes()
    (broken / "ev1_yz.png").write_bytes(png[: len(png) // 2])
    with pytest.raises(TruncatedFileError):
        read(broken)
    (broken / "ev1_yz.png").write_text("no picture")
    with pytest.raises(NotThisFormatError):
        read(broken)
    colour = write_images(tmp_path / "colour", maps)
    Image.new("RGB", (512, 512)).save(colour / "ev1_xz.png")
    with pytest.raises(NotThisFormatError, match="8-bit grey"):
        read(colour)
    deep = np.arange(512 * 512, dtype=np.uint16).reshape(512, 512)
    Image.fromarray(deep).save(colour / "ev1_xz.png")
    with pytest.raises(NotThisFormatError, match="8 bits would lose its energies"):
        read(colour)
    (tmp_path / "label" / "ev1_xz.png").unlink()
    (tmp_path / "label" / "ev1_yz.png").unlink()
    with pytest.raises(MissingViewError):
        read(tmp_path / "label" / "ev1_pid.txt")


def test_an_image_that_declares_gigapixels_is_not_decoded(tmp_path):
    folder = write_images(tmp_path / "bomb", zeros(*MODULAR_SHAPE))
    png = bytearray((folder / "ev1_xz.png").read_bytes())
    png[16:24] = struct.pack(">II", 20_000, 20_000)
    png[29:33] = struct.pack(">I", zlib.crc32(png[12:29]))
    (folder / "ev1_xz.png").write_bytes(png)
    with pytest.raises(TooLargeError):
        read(folder)


def test_bad_hdf5(tmp_path):
    file = tmp_path / "a.h5"
    file.write_text("energy,label\n1.0,nc\n")
    fails(file, NotThisFormatError, "HDF5")
    write_hdf5(file, zeros(2, 2, 64, 512, 512))
    fails(file, ArraySizeError, "4 axes")
    write_hdf5(file, zeros(4, 2, 300, 300))
    fails(file, ArraySizeError, MODULAR_LARTPC.name, DUNE_LIKE.name)
    write_hdf5(file, zeros(4, 1, 512, 512))
    fails(file, MissingViewError, "xz, yz")
    fails(file, MissingViewError, detector="modular-2x2x7")
    write_hdf5(file, zeros(4, 3, 500, 500))
    fails(file, ArraySizeError, detector="modular-2x2x7")
    write_hdf5(file, zeros(4, *MODULAR_SHAPE), [0, 1])
    fails(file, ArraySizeError, "pids")
    write_hdf5(file, zeros(1, *MODULAR_SHAPE), ["tau"])
    fails(file, UnknownLabelError, "'tau'")
    write_hdf5(file, zeros(1, *MODULAR_SHAPE, dtype="S1"))
    fails(file, NotThisFormatError, "energies or counts")
    write_hdf5(file, zeros(4, *MODULAR_SHAPE))
    file.write_bytes(file.read_bytes()[:100_000])
    fails(file, TruncatedFileError)
    with h5py.File(file, "w") as content:
        content["pictures"] = [1]
    fails(file, MissingViewError, "'images'", "pictures")


def test_hdf5_that_was_announced_and_not_written(tmp_path):
    for options in ({}, {"chunks": (1, 2, 512, 512)}):
        file = tmp_path / "a.h5"
        with h5py.File(file, "w") as content:
            images = content.create_dataset("images", (10**9, *MODULAR_SHAPE), "u1", **options)
            if options:
                images[0] = 1
        fails(file, TruncatedFileError, "not written")


def test_hdf5_does_not_follow_links_to_other_files(tmp_path):
    write_hdf5(tmp_path / "other.h5", zeros(1, *MODULAR_SHAPE))
    (tmp_path / "raw.bin").write_bytes(bytes(2 * 512 * 512))
    file = tmp_path / "a.h5"
    with h5py.File(file, "w") as content:
        content["images"] = h5py.ExternalLink("other.h5", "images")
    fails(file, NotThisFormatError)
    with h5py.File(file, "w") as content:
        content.create_dataset("images", (1, *MODULAR_SHAPE), "u1", external=str(tmp_path / "raw.bin"))
    fails(file, NotThisFormatError, "other files")


@pytest.mark.parametrize(
    ("energy", "expected"),
    [(np.nan, "finite"), (np.inf, "finite"), (1e300, "finite"), (-0.5, "at least 0 MeV"), (2e6, "at most")],
)
def test_bad_energies(tmp_path, energy, expected):
    maps = zeros(2, *MODULAR_SHAPE, dtype=np.float64)
    maps[1, 1, 5, 6] = energy
    np.save(tmp_path / "a.npy", maps)
    np.savez(tmp_path / "a.npz", images=maps)
    write_hdf5(tmp_path / "a.h5", maps)
    value = pa.array([[0.25], [energy]], pa.list_(pa.float64()))
    write_parquet(tmp_path / "a.parquet", yz_energy=value)
    for ending in ("npy", "npz", "h5", "parquet"):
        file = tmp_path / f"a.{ending}"
        fails(file, WrongEventError, f"a.{ending}#1, column yz_energy: expected {expected}")
        files = DetectorFiles([file])
        assert len(list(files)) == 1 and len(files.left_out) == 1


def test_bad_npy(tmp_path):
    file = tmp_path / "a.npy"
    np.save(file, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    fails(file, ObjectArrayError)
    np.save(file, zeros(5))
    fails(file, ArraySizeError, "axes")
    np.save(file, zeros(2, 100, 100))
    fails(file, ArraySizeError, MODULAR_LARTPC.name, DUNE_LIKE.name)
    np.save(file, zeros(1, 512, 512))
    fails(file, MissingViewError)
    np.save(file, np.zeros(MODULAR_SHAPE, "U3"))
    fails(file, NotThisFormatError)
    np.save(file, np.asfortranarray(zeros(*MODULAR_SHAPE)))
    fails(file, NotThisFormatError, "ascontiguousarray")
    np.save(file, zeros(4, *MODULAR_SHAPE))
    file.write_bytes(file.read_bytes()[:700_000])
    fails(file, TruncatedFileError)
    file.write_text("1 2 3")
    fails(file, NotThisFormatError)
    file.write_bytes(b"")
    fails(file, NotThisFormatError)


def test_bad_npz(tmp_path):
    file = tmp_path / "a.npz"
    np.savez(file, maps=zeros(*MODULAR_SHAPE))
    fails(file, MissingViewError, "'images'")
    np.savez(file, images=np.array([None]))
    fails(file, ObjectArrayError)
    np.savez(file, images=zeros(2, *MODULAR_SHAPE), pids=np.array(["nc", "x"]))
    fails(file, UnknownLabelError, "'x' in event 1", "--classes nue_cc,numu_cc,nc,x")
    np.savez(file, images=zeros(2, *MODULAR_SHAPE), pids=np.array(["nc"]))
    fails(file, ArraySizeError)
    np.savez_compressed(file, images=zeros(*MODULAR_SHAPE), pids=np.zeros(100 << 20, np.uint8))
    fails(file, TooLargeError)
    np.savez(file, images=zeros(2, *MODULAR_SHAPE))
    file.write_bytes(file.read_bytes()[:300_000])
    fails(file, TruncatedFileError)
    file.write_text("hello")
    fails(file, NotThisFormatError)


def test_npz_member_with_more_bytes_than_its_shape(tmp_path):
    np.save(tmp_path / "images.npy", zeros(*MODULAR_SHAPE))
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", (tmp_path / "images.npy").read_bytes() + bytes(50_000_000))
    fails(tmp_path / "a.npz", TooLargeError)


@pytest.mark.parametrize(
    ("columns", "error"),
    [
        ({"yz_index": None}, MissingViewError),
        ({"yz_index": indices([1], None)}, MissingViewError),
        ({"yz_index": indices([512 * 512], [0])}, WrongEventError),
        ({"yz_index": indices([-1], [0])}, WrongEventError),
        ({"xz_index": indices([9, 3], [])}, WrongEventError),
        ({"xz_index": indices([3, 3], [])}, WrongEventError),
        ({"xz_index": indices([3], [])}, WrongEventError),
        ({"xz_index": indices([3, None], [])}, WrongEventError),
        ({"xz_energy": floats([None, 1], [])}, WrongEventError),
        ({"label": ["nc", "tau"]}, UnknownLabelError),
        ({"label": [3, 0]}, UnknownLabelError),
        ({"detector": ["modular-2x2x7", "sphere"]}, OtherDetectorError),
        ({"xz_index": pa.array([["a"], []])}, NotThisFormatError),
        ({"xz_energy": pa.array([1.0, 2.0])}, NotThisFormatError),
        ({"neutrino_energy": ["much", "little"]}, NotThisFormatError),
    ],
)
def test_bad_parquet(tmp_path, columns, error):
    fails(write_parquet(tmp_path / "a.parquet", **columns), error)


def test_damaged_parquet(tmp_path):
    file = write_parquet(tmp_path / "a.parquet")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    fails(file, TruncatedFileError)
    file.write_text("a,b\n1,2\n")
    fails(file, NotThisFormatError)
    file.write_bytes(whole[:-8] + b"\xff\xff\xff\x7f" + whole[-4:])
    fails(file, NotThisFormatError)


def test_names_that_nothing_can_be_read_from(tmp_path):
    fails(tmp_path / "absent.h5", UnreadableFileError, "nothing there")
    fails(tmp_path / "absent", UnreadableFileError, "nothing there")
    (tmp_path / "notes.md").write_text("")
    fails(tmp_path / "notes.md", UnknownFileTypeError, ".parquet")
    (tmp_path / "orphan.info").write_text(INFO)
    with pytest.raises(UnreadableFileError, match=r"orphan\.gz"):
        read(tmp_path / "orphan.info")


def test_bad_arguments(tmp_path):
    with pytest.raises(UnknownDetectorError, match="sphere"):
        DetectorFiles([tmp_path], detector="sphere")
    for scale in (0, -1, np.nan):
        with pytest.raises(ValueError, match="mev_per_count"):
            DetectorFiles([tmp_path], mev_per_count=scale)
    with pytest.raises(ValueError, match="labels"):
        DetectorFiles([tmp_path], labels="pdf")


def test_errors_survive_a_process_boundary():
    error = pickle.loads(pickle.dumps(ArraySizeError("a.npy", "three", "two", "add one")))
    assert isinstance(error, SourceFileError)
    assert str(error) == "a.npy: expected three, got two; add one"


@pytest.mark.parametrize("name", ["counts.npy", "counts.h5"])
def test_counts_without_their_energy_are_refused(tmp_path, name):
    counts = np.zeros((2, 512, 512), np.uint8)
    counts[:, 5] = 30
    if name.endswith("npy"):
        np.save(tmp_path / name, counts)
    else:
        with h5py.File(tmp_path / name, "w") as file:
            file["images"] = counts[None]
    with pytest.raises(UnknownScaleError, match="--mev-per-count"):
        list(DetectorFiles([tmp_path / name], strict=True))
    assert len(list(DetectorFiles([tmp_path / name], strict=True, mev_per_count=0.1))) == 1


def labels_of(file, **options):
    """Labels of the events of a file, and what is told of it."""
    files = DetectorFiles([file], strict=True, usual_mev_per_count=MEV_PER_COUNT, **options)
    return [row["label"] for row in files], " ".join(files.notes)


FOUR = ("nue_cc", "numu_cc", "nc", "nutau_cc")


@pytest.mark.parametrize(
    ("values", "options", "expected", "told"),
    [
        ([0, 1, 2], {}, [0, 1, 2], "0 nue_cc"),
        ([b"2", b"0", b""], {}, [2, 0, None], "0 nue_cc"),
        ([0.0, np.nan, 2.0], {}, [0, None, 2], "0 nue_cc"),
        ([[0], [1], [2]], {}, [0, 1, 2], "0 nue_cc"),
        ([12, -14, 14], {}, [0, 1, 1], "PDG codes"),
        ([12, 16, -12], {}, [0, None, 0], "nutau_cc stay without a label"),
        ([12, 16, 1], {"labels": "pdg", "classes": FOUR}, [0, 3, 2], "PDG codes"),
        ([1, 1, 1], {"labels": "index"}, [1, 1, 1], "0 nue_cc"),
        ([1, 1, 1], {"labels": "pdg"}, [2, 2, 2], "PDG codes"),
        ([b"nc", b"NuTau CC", b"numucc"], {"classes": FOUR}, [2, 3, 1], ""),
    ],
)
def test_a_column_of_labels_has_one_coding_which_is_told(tmp_path, values, options, expected, told):
    file = write_hdf5(tmp_path / "a.h5", zeros(3, *MODULAR_SHAPE), np.array(values))
    labels, notes = labels_of(file, **options)
    assert labels == expected
    assert told in notes


@pytest.mark.parametrize(
    "values",
    [[12, 14, 1], [1, 1, 1], [0, 1, 3], [0.0, 0.5, 1.0], [b"nuecc", b"1", b"nc"], [b"nuecc", b"tau", b"nc"]],
)
def test_a_column_with_a_label_that_means_nothing_or_two_things_is_refused_whole(tmp_path, values):
    file = write_hdf5(tmp_path / "a.h5", zeros(3, *MODULAR_SHAPE), np.array(values))
    fails(file, UnknownLabelError)
    files = DetectorFiles([file], usual_mev_per_count=MEV_PER_COUNT, truth=False)
    assert [row["label"] for row in files] == [None] * 3
    told = [line for line in files.notes.told() if "labels stay unknown" in line]
    assert len(told) == 1 and told[0].startswith("a.h5: ")


def test_an_unknown_meaning_of_labels_is_told_with_its_remedy(tmp_path):
    file = write_hdf5(tmp_path / "a.h5", zeros(3, *MODULAR_SHAPE), np.array([12, 14, 1]))
    files = DetectorFiles([file], truth=False, usual_mev_per_count=MEV_PER_COUNT)
    assert len(list(files)) == 3
    assert any("--labels pdg or --labels index" in line for line in files.notes.told())


def test_classes_that_a_file_names_are_known_by_name_where_truth_is_not_asked_for(tmp_path):
    names = np.array(["cosmic", "nc", "nue_cc"])
    np.savez(tmp_path / "a.npz", images=zeros(3, *MODULAR_SHAPE), labels=[0, 1, 2], label_names=names)
    write_hdf5(tmp_path / "b.h5", zeros(1, *MODULAR_SHAPE), np.array([3]))
    files = DetectorFiles([tmp_path], truth=False, usual_mev_per_count=MEV_PER_COUNT)
    labels = [row["label"] for row in files]
    assert [label is not None and files.classes[label] for label in labels] == [*names, False]
    fails(tmp_path / "a.npz", UnknownLabelError, "'cosmic' in event 0")


def test_notes_name_the_first_files_and_count_them():
    notes = Notes()
    for number in range(5):
        notes.add("in MeV", f"{number}.npy")
    notes.add("in counts", "a.h5")
    assert [*notes.told()] == ["0.npy, 1.npy, 2.npy, … (5): in MeV", "a.h5: in counts"]


def test_files_that_share_a_stem_keep_their_endings_in_names_of_events(tmp_path):
    for name in ("arr.npz", "other.npz"):
        np.savez(tmp_path / name, images=zeros(1, *MODULAR_SHAPE))
    write_hdf5(tmp_path / "arr.h5", zeros(1, *MODULAR_SHAPE))
    files = DetectorFiles([tmp_path], strict=True, usual_mev_per_count=MEV_PER_COUNT)
    names = [row["event_id"].rpartition("/")[2] for row in files]
    assert names == ["arr.h5#0", "arr.npz#0", "other#0"]


def test_numbers_are_read_by_the_names_that_the_file_declares(tmp_path):
    names = np.array(["nc", "nue_cc", "numu_cc"])
    np.savez(tmp_path / "a.npz", images=zeros(3, *MODULAR_SHAPE), label=[0, 1, 2], label_names=names)
    assert labels_of(tmp_path / "a.npz")[0] == [2, 0, 1]
    feature = {"names": ["numu_cc", "nc"], "_type": "ClassLabel"}
    modes = {"names": ["dis", "qe"], "_type": "ClassLabel"}
    told = {"info": {"features": {"label": feature, "interaction_mode": modes}}}
    file = write_parquet(tmp_path / "a.parquet", label=[0, 1], interaction_mode=[0, 1])
    table = pq.read_table(file).replace_schema_metadata({"huggingface": json.dumps(told)})
    pq.write_table(table, file)
    rows = read(file)
    assert [row["label"] for row in rows] == [1, 2]
    assert [row["interaction_mode"] for row in rows] == [3, 0]
    feature["names"][0] = "cosmic"
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(told)}), file)
    fails(file, UnknownLabelError, "cosmic")
    assert declared_classes([tmp_path]) == ("cosmic", "nc")
    assert labels_of(file, classes=("cosmic", "nc"))[0] == [0, 1]


def test_a_number_as_the_label_of_an_image_needs_its_meaning(tmp_path):
    folder = write_images(tmp_path / "ev1", sparse_maps(MODULAR_SHAPE, np.uint8), "1")
    with pytest.raises(UnknownLabelError, match="--labels"):
        read(folder)
    assert read(folder, labels="index")[0]["label"] == 1
    assert read(folder, labels="pdg")[0]["label"] == 2


def test_energies_in_mev_are_not_taken_for_counts(tmp_path):
    np.save(tmp_path / "a.npy", sparse_maps(MODULAR_SHAPE, np.float32))
    fails(tmp_path / "a.npy", UnknownScaleError, "leave --mev-per-count out", mev_per_count=0.1)
    fails(write_parquet(tmp_path / "a.parquet"), UnknownScaleError, mev_per_count=0.1)


@pytest.mark.parametrize(("pedestal", "scale", "remedy"), [(1800, 1e-3, "pedestal"), (0, 3e2, "unit")])
def test_maps_that_no_event_can_have_made_are_refused(tmp_path, pedestal, scale, remedy):
    counts = sparse_maps(MODULAR_SHAPE, np.int32, pixels=200) + pedestal
    np.save(tmp_path / "a.npy", counts)
    with pytest.raises(WrongEventError, match=remedy):
        read(tmp_path / "a.npy", mev_per_count=scale)


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("n_protons", 99999, "at most 32767"),
        ("n_protons", 0.5, "whole numbers"),
        ("neutrino_pdg", 1000180400, "at most 32767"),
        ("vertex", [0.0, 1.0], "3 numbers"),
        ("neutrino_energy", -1.0, "at least 0"),
    ],
)
def test_one_number_that_does_not_fit_costs_one_event(tmp_path, column, value, problem):
    good = [0.0, 0.0, 1.0] if isinstance(value, list) else type(value)(1)
    file = write_parquet(tmp_path / "a.parquet", **{column: [good, value], "source": [7, 8]})
    files = DetectorFiles([file])
    assert [row["source"] for row in files] == ["7"]
    (left_out,) = files.left_out
    assert str(left_out.error).startswith(f"{file}#1, column {column}: expected")
    assert problem in str(left_out.error) and files.lost == 0


def test_events_of_the_simulation_keep_their_name(tmp_path):
    source = "nuzoo-simulation 1.0 seed=3 event=5 detector=modular-2x2x7"
    names = {"event_id": ["sim-3-5", "mine"], "source": [source, source]}
    files = DetectorFiles([write_parquet(tmp_path / "a.parquet", **names)])
    assert [(row["event_id"], row["source"]) for row in files] == [("sim-3-5", source)]
    assert "sim-3-5" in str(files.left_out[0].error)


def test_gzip_of_several_members(tmp_path):
    counts = sparse_maps((3, 500, 500), np.uint8).tobytes()
    blocks = b"".join(gzip.compress(counts[i : i + 65280]) for i in range(0, len(counts), 65280))
    (tmp_path / "blocked.gz").write_bytes(blocks)
    assert len(read(tmp_path / "blocked.gz")) == 1
    for name, rest in {"two": zlib.compress(counts), "rubbish": b"and more"}.items():
        (tmp_path / f"{name}.gz").write_bytes(zlib.compress(counts) + rest)
        with pytest.raises(SourceFileError):
            read(tmp_path / f"{name}.gz")


def test_lines_of_info_that_nobody_asks_for_may_be_anything(tmp_path):
    file = write_cvn(tmp_path, zeros(3, 500, 500), "6 3.5 1.4 -nan inf x 0.9 12 2 1 0 4")
    assert read(file)[0]["label"] == 0


def test_endings_in_capitals(tmp_path):
    file = write_cvn(tmp_path / "dune", zeros(3, 500, 500))
    file.rename(file.with_name("EVENT7.GZ"))
    file.with_suffix(".info").rename(file.with_name("EVENT7.INFO"))
    folder = write_images(tmp_path / "png", zeros(*MODULAR_SHAPE))
    for view in ("xz", "yz"):
        (folder / f"ev1_{view}.png").rename(folder / f"ev1_{view}.PNG")
    assert [row["label"] for row in read(tmp_path)] == [0, 1]


@pytest.mark.parametrize(
    ("name", "content", "what", "remedy"),
    [
        ("a.tar.gz", None, "a tar archive, packed with gzip", "unpack it"),
        ("a.zip", b"PK\x03\x04", "a zip archive", "unpack it"),
        ("a.root", b"root\0\0gRooTracker", "GENIE interactions", "nuzoo simulate DATASET --interactions"),
        ("a.root", b"root\0\0", "a ROOT file", "uproot"),
        ("flux.txt", b"1.0 2e-38\n1.1 3e-38\n", "a table of numbers with 2 columns", "leave it out"),
        ("a.png", b"\x89PNG", "not named after a view", "<event>_<view>.png"),
    ],
)
def test_files_of_others_are_called_what_they_are(tmp_path, name, content, what, remedy):
    if content is None:
        with tarfile.open(tmp_path / name, "w:gz") as archive:
            archive.add(__file__)
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceFileError, match=what) as caught:
        read(tmp_path / name)
    assert remedy in str(caught.value)


@pytest.mark.parametrize(
    ("arrays", "what"),
    [
        ({"segments": (5,)}, "edep-sim"),
        ({"batch_0/event_1/pix_x": (5,)}, "larnd-sim"),
        ({"maps": (1, *MODULAR_SHAPE)}, "'maps'"),
    ],
)
def test_hdf5_without_images_is_called_what_it_is(tmp_path, arrays, what):
    with h5py.File(tmp_path / "a.h5", "w") as content:
        for name, shape in arrays.items():
            content[name] = np.zeros(shape, np.float32)
    fails(tmp_path / "a.h5", MissingViewError, what)


@pytest.mark.parametrize("ending", ["npz", "h5"])
def test_one_name_of_a_class_and_a_second_column_of_labels(tmp_path, ending):
    file = tmp_path / f"a.{ending}"
    columns = {
        "images": zeros(2, *MODULAR_SHAPE).astype(np.float32),
        "labels": np.array([0, 0]),
        "label": np.array([2, 2]),
    }
    if ending == "npz":
        np.savez(file, **columns, label_names="NuMu CC")
    else:
        with h5py.File(file, "w") as content:
            for name, values in columns.items():
                content[name] = values
            content["label_names"] = "NuMu CC"
    files = DetectorFiles([file])
    assert [row["label"] for row in files] == [1, 1]
    assert "labels are those of labels; label beside it is not read" in " ".join(files.notes.told())
