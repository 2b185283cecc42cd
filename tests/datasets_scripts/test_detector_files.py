"""Searching folders, leaving broken files out, damage at random, and the real DUNE sample."""

import collections
import os
import tarfile
import tempfile
import tracemalloc
import zlib
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from nuzoo.datasets_scripts.readers import detector_files
from nuzoo.datasets_scripts.readers.detector_files import DetectorFiles, declared_classes
from nuzoo.datasets_scripts.readers.dune_cvn import MEV_PER_COUNT
from nuzoo.datasets_scripts.readers.source_errors import (
    MissingViewError,
    NotThisFormatError,
    SourceFileError,
    TruncatedFileError,
    UnknownFileTypeError,
)
from nuzoo.files.events.event_classes import EVENT_CLASSES

read_detector_files = partial(detector_files.DetectorFiles, usual_mev_per_count=MEV_PER_COUNT)

DATA = Path(os.environ.get("NUZOO_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
SAMPLE = DATA / "dune_cvn" / "dune_cvn_600.tar.gz"


def modular_maps(*events, dtype=np.uint8):
    maps = np.zeros((*events, 2, 512, 512), dtype)
    maps[..., 250:260, 200:300] = 40
    return maps


def write_one_of_each(root):
    """A valid file of each format; returns their names in the order in which they are to be read."""
    (root / "cvn").mkdir()
    (root / "cvn" / "e.gz").write_bytes(zlib.compress(bytes(750_000)))
    (root / "cvn" / "e.info").write_text("6\n3.5\n1.4\n0\n0\n0\n0.9\n12\n2\n1\n0\n4\n")
    (root / "png").mkdir()
    for view, pixels in zip(("xz", "yz"), modular_maps(), strict=True):
        Image.fromarray(pixels).save(root / "png" / f"e_{view}.png")
    (root / "png" / "e_pid.txt").write_text("nc")
    with h5py.File(root / "a.h5", "w") as content:
        content.create_dataset("images", data=modular_maps(2), compression="gzip", chunks=(1, 2, 512, 512))
        content["pids"] = ["nc", "nuecc"]
    np.save(root / "b.npy", modular_maps(dtype=np.float32))
    np.savez_compressed(root / "c.npz", images=modular_maps(2), pids=["nc", "nuecc"])
    lists = {"index": pa.array([[1, 2]], pa.list_(pa.uint32())), "energy": pa.array([[1.0, 2.0]])}
    pq.write_table(
        pa.table({f"{v}_{p}": column for v in ("xz", "yz") for p, column in lists.items()}),
        root / "d.parquet",
    )
    named = ["a.h5#0", "a.h5#1", "b.npy#0", "c.npz#0", "c.npz#1", "d.parquet#0", "cvn/e.gz", "png/e_xz.png"]
    return [f"{root.name}/{name}" for name in named]


def test_folders_are_searched_in_sorted_order(tmp_path):
    expected = write_one_of_each(tmp_path)
    (tmp_path / ".hidden").write_text("passed over")
    files = read_detector_files([tmp_path])
    assert [row["source"] for row in files] == expected
    assert [row["source"] for row in files] == expected
    assert files.left_out == []


def test_the_files_of_one_event_count_once(tmp_path):
    write_one_of_each(tmp_path)
    parts = [*(tmp_path / "png").iterdir(), *(tmp_path / "cvn").iterdir()]
    assert len(parts) == 5
    assert sorted(row["source"] for row in read_detector_files(parts)) == ["cvn/e.gz", "png/e_xz.png"]


def test_events_are_read_one_at_a_time(tmp_path):
    write_one_of_each(tmp_path)
    (tmp_path / "cvn" / "e.gz").write_bytes(b"broken")
    files = read_detector_files([tmp_path], strict=True)
    rows = iter(files)
    assert next(rows)["source"] == f"{tmp_path.name}/a.h5#0"
    with pytest.raises(SourceFileError):
        collections.deque(rows)


def test_broken_files_are_left_out_and_the_rest_is_read(tmp_path):
    expected = write_one_of_each(tmp_path)
    (tmp_path / "a.h5").write_text("text")
    (tmp_path / "notes.txt").write_text("unknown")
    gz = tmp_path / "cvn" / "cut.gz"
    gz.write_bytes((tmp_path / "cvn" / "e.gz").read_bytes()[:300])
    (tmp_path / "png" / "e_yz.png").unlink()
    files = read_detector_files([tmp_path])
    assert [row["source"] for row in files] == expected[2:7]
    left_out = {entry.path.name: type(entry.error) for entry in files.left_out}
    assert left_out == {
        "a.h5": NotThisFormatError,
        "notes.txt": UnknownFileTypeError,
        "cut.gz": TruncatedFileError,
        "e": MissingViewError,
    }


def test_strict_passes_unknown_files_of_a_folder_and_raises_on_broken_ones(tmp_path):
    write_one_of_each(tmp_path)
    (tmp_path / "LICENSE").write_text("unknown")
    files = read_detector_files([tmp_path], strict=True)
    assert len(list(files)) == 8
    assert [type(entry.error) for entry in files.left_out] == [UnknownFileTypeError]
    with pytest.raises(UnknownFileTypeError):
        list(read_detector_files([tmp_path / "LICENSE"], strict=True))


def test_events_of_one_name_in_two_folders_have_two_ids(tmp_path):
    for folder in ("nue", "numu"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "event1.gz").write_bytes(zlib.compress(bytes(750_000)))
    assert [row["event_id"] for row in read_detector_files([tmp_path])] == ["nue/event1", "numu/event1"]
    rows = read_detector_files([tmp_path / "nue", tmp_path / "numu"])
    assert [row["source"] for row in rows] == ["nue/event1.gz", "numu/event1.gz"]


def test_links_are_followed_once(tmp_path):
    for folder in ("disk/nue", "study/numu"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "event1.gz").write_bytes(zlib.compress(bytes(750_000)))
    (tmp_path / "study" / "nue").symlink_to(tmp_path / "disk" / "nue")
    (tmp_path / "study" / "numu" / "loop").symlink_to(tmp_path / "study")
    files = read_detector_files([tmp_path / "study"])
    assert [row["event_id"] for row in files] == ["nue/event1", "numu/event1"]
    assert [(item.path.name, item.passed_over) for item in files.left_out] == [("loop", True)]


def test_names_that_are_no_text_are_written_as_such(tmp_path):
    file = os.fsencode(tmp_path) + b"/\xe9v.gz"
    Path(os.fsdecode(file)).write_bytes(zlib.compress(bytes(750_000)))
    (row,) = read_detector_files([tmp_path])
    assert row["event_id"] == f"{tmp_path.name}/\\xe9v" and row["source"].endswith("\\xe9v.gz")


def test_what_is_left_out_holds_on_to_no_maps(tmp_path):
    for number in range(40):
        (tmp_path / f"{number}.gz").write_bytes(zlib.compress(bytes(749_999)))
    files = read_detector_files([tmp_path])
    tracemalloc.start()
    assert list(files) == [] and len(files.left_out) == files.lost == 40
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 10 * 750_000


@pytest.fixture(scope="module")
def valid_files(tmp_path_factory):
    root = tmp_path_factory.mktemp("valid")
    write_one_of_each(root)
    return {file.relative_to(root): file.read_bytes() for file in sorted(root.rglob("*")) if file.is_file()}


DAMAGED = ["cvn/e.gz", "cvn/e.info", "png/e_xz.png", "png/e_pid.txt", "a.h5", "b.npy", "c.npz", "d.parquet"]


@pytest.mark.parametrize("name", DAMAGED)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(data=st.data())
def test_only_named_errors_escape_from_damaged_files(valid_files, name, data):
    content = bytearray(valid_files[Path(name)])
    where = st.integers(0, len(content) - 1) | st.integers(0, min(len(content), 3000) - 1)
    for position, value in data.draw(st.lists(st.tuples(where, st.integers(0, 255)), max_size=6)):
        content[position] = value
    end = data.draw(st.just(len(content)) | st.integers(0, len(content)))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, name)
        file.parent.mkdir(exist_ok=True)
        for other, whole in valid_files.items():
            if other.parent == Path(name).parent and other.parent != Path():
                Path(folder, other).write_bytes(whole)
        file.write_bytes(content[:end])
        files = read_detector_files([file])
        rows = list(files)
        assert rows or files.left_out
        for row in rows:
            for view in ("xz", "yz") if "xz_index" in row else "uvz":
                energy = row[f"{view}_energy"]
                assert np.isfinite(energy).all() and (energy >= 0).all()


@pytest.mark.parametrize("ending", ["h5", "npy", "npz"])
def test_memory_does_not_grow_with_the_file(tmp_path, ending):
    file, maps = tmp_path / f"a.{ending}", np.zeros((300, 2, 512, 512), np.uint8)
    if ending == "h5":
        with h5py.File(file, "w") as content:
            content.create_dataset("images", data=maps, chunks=(1, 2, 512, 512), compression="lzf")
    elif ending == "npy":
        np.save(file, maps)
    else:
        np.savez_compressed(file, images=maps)
    size = maps.nbytes
    del maps
    tracemalloc.start()
    events = sum(1 for _ in read_detector_files([file]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert events == 300
    assert peak < 0.6 * size, f"{peak} of {size} bytes"


@pytest.fixture(scope="module")
def dune_sample(tmp_path_factory):
    if not SAMPLE.exists():
        pytest.skip(f"{SAMPLE.name} is not in {DATA.name}; set NUZOO_DATA")
    root = tmp_path_factory.mktemp("dune")
    with tarfile.open(SAMPLE) as archive:
        archive.extractall(root, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    return root / "dune_cvn"


def test_the_dune_sample(dune_sample):
    files = read_detector_files([dune_sample])
    labels = collections.Counter()
    ids, pixels = set(), []
    for row in files:
        folder = row["event_id"].split("/")[0]
        labels[folder, row["label"]] += 1
        ids.add(row["event_id"])
        pixels.append(len(row["z_index"]))
        assert 0 <= row["inelasticity"] <= 1 and row["neutrino_energy"] > 0.3
    assert labels == {("nue", 0): 150, ("numu", 1): 150, ("nc", 2): 150, ("nutau", None): 150}
    assert len(ids) == 600 and min(pixels) > 0
    assert [entry.path.name for entry in files.left_out] == ["LICENSE"]


def test_what_is_no_ordinary_file_is_left_out_and_never_opened(tmp_path):
    np.save(tmp_path / "good.npy", modular_maps(1, dtype=np.float32))
    pipes = ["a.h5", "b.npz", "c.parquet", "d.gz", "e_xz.png", "f_pid.txt", "g.info", "h.npy", "unknown"]
    for name in pipes:
        os.mkfifo(tmp_path / name)
    (tmp_path / "linked.npy").symlink_to(tmp_path / "good.npy")
    files = DetectorFiles([tmp_path])
    assert [Path(row["source"]).name for row in files] == ["good.npy#0", "linked.npy#0"]
    told = {item.path.name: str(item.error) for item in files.left_out}
    assert sorted(told) == pipes and all("a pipe" in text for text in told.values())
    assert declared_classes([tmp_path]) == EVENT_CLASSES
    named = DetectorFiles([tmp_path / "a.h5", tmp_path / "unknown"])
    assert not list(named) and len(named.left_out) == 2


@pytest.mark.parametrize("name", ["a\ud800", "a\nb", "a\x00b", "\x1b[31mred"])
def test_a_name_that_is_no_plain_text_costs_one_event(tmp_path, name):
    maps = modular_maps(3, dtype=np.float32)
    np.savez(tmp_path / "a.npz", images=maps, event_id=np.array(["one", name, "three"]))
    files = DetectorFiles([tmp_path / "a.npz"], truth=False)
    assert [row["event_id"] for row in files] == ["one", "three"]
    [left] = files.left_out
    assert "a.npz#1, column event_id" in str(left.error)
    str(left.error).encode()


UNREADABLE_LABELS = {
    "infinite": np.array([0, 1, np.inf]),
    "objects": np.array(["nue_cc", 1, None], object),
    "one-hot": np.eye(3),
    "too few": np.array([0, 1]),
    "huge": np.array(["0", "1", "9" * 400]),
}


@pytest.mark.parametrize("name", UNREADABLE_LABELS)
def test_labels_that_cannot_be_read_are_unknown_where_nobody_asks_for_them(tmp_path, name):
    maps = modular_maps(3, dtype=np.float32)
    np.savez(tmp_path / "a.npz", images=maps, labels=UNREADABLE_LABELS[name])
    files = DetectorFiles([tmp_path / "a.npz"], truth=False)
    assert [row["label"] for row in files] == [None] * 3
    assert sum("labels stay unknown" in note for note in files.notes) == 1
    asked = DetectorFiles([tmp_path / "a.npz"])
    assert not list(asked)
    [left] = asked.left_out
    assert "labels" in str(left.error) and "float32" not in str(left.error)
