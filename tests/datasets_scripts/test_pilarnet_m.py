"""PILArNet-M: each version and width against hand-made events, and one genuine event."""

import os
import tracemalloc
from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pytest
from datasets import load_dataset
from torch.utils.data import DataLoader

from nuzoo.cli import main
from nuzoo.commands.options import PARTIAL
from nuzoo.datasets_scripts import pilarnet_m
from nuzoo.datasets_scripts.common.dataset_folder import DatasetRequestError
from nuzoo.datasets_scripts.common.splits import split_of
from nuzoo.datasets_scripts.pilarnet_m import PILArNetM, convert_files
from nuzoo.datasets_scripts.readers import event_ranges
from nuzoo.datasets_scripts.readers.point_cloud_files import PointCloudFiles
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    NoEventsError,
    NotThisFormatError,
    TooLargeError,
    TruncatedFileError,
    UntrustedVertexError,
    WrongEventError,
)

DATA = Path(os.environ.get("NUZOO_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
GENUINE = DATA / "pilarnet" / "pilarnet_m_mini_test_event0.npz"
LED = [3, -1, -1, -1, 4, -1]


def read(*paths, **options):
    return list(PointCloudFiles(paths, strict=True, **options))


def counted(values):
    return [int(count) for count in np.bincount(values)]


@pytest.fixture(scope="session")
def genuine():
    if not GENUINE.exists():
        pytest.skip(f"{GENUINE.name} is not in {DATA.name}; set NUZOO_DATA")
    return dict(np.load(GENUINE))


@pytest.mark.parametrize(
    ("widths", "pid", "momentum", "vector", "vertex"),
    [
        ({"cluster": 5, "extra": 0}, False, False, False, False),
        ({"cluster": 6, "extra": 5}, True, True, False, False),
        ({"cluster": 6, "extra": 6}, True, True, False, True),
        ({"cluster": 6, "extra": 9}, True, True, True, True),
        ({"cluster": 6, "extra": 11}, True, True, True, True),
        ({"cluster": 6, "extra": 6, "momenta": True}, True, True, True, True),
    ],
)
def test_each_version_is_read_as_what_it_is(tmp_path, write, small, widths, pid, momentum, vector, vertex):
    file = write(tmp_path / "test" / "a.h5", [small], **widths)
    (row,) = read(file)
    point = small["point"]
    assert row["event_id"] == "test/a#0" and row["source"] == "a.h5#0"
    assert row["detector"] == "lartpc-cube-768" and row["positions"] == "voxel"
    for column, axis in enumerate("xyz"):
        assert row[axis].dtype == np.int16
        np.testing.assert_array_equal(row[axis], point[:, column])
    np.testing.assert_array_equal(row["energy"], point[:, 3])
    assert row["motif"].tolist() == [4] * 3 + [1] * 4 + [0] * 6 + [0] * 2 + [3] * 6
    assert row["particle"].tolist() == [-1] * 3 + [0] * 4 + [1] * 6 + [2] * 8
    assert row["interaction"].tolist() == [-1] * 3 + [0] * 4 + [1] * 14
    assert row["particle_interaction"].tolist() == [0, 1, 1]
    assert row["particle_hits"].tolist() == [4, 6, 8]
    energies = [point[3:7, 3].sum(), point[7:13, 3].sum(), point[13:, 3].sum()]
    np.testing.assert_allclose(row["particle_energy"], energies, rtol=1e-6)
    if pid:
        assert row["pid"].tolist() == [5] * 3 + [2] * 4 + [1] + [0] * 13
        assert row["particle_pid"].tolist() == [2, 1, 0]
    else:
        assert "pid" not in row and "particle_pid" not in row
    if momentum:  # of fragments 7, 12 (its own) and 22 (the largest): 0.1 GeV times their numbers
        np.testing.assert_allclose(row["particle_momentum"], [700, 1200, 2200], rtol=1e-6)
    else:
        assert "particle_momentum" not in row
    if vector:
        np.testing.assert_allclose(row["particle_px"], [300] * 3, rtol=1e-6)
        np.testing.assert_allclose(row["particle_pz"], [400] * 3, rtol=1e-6)
    assert ("particle_px" in row) is vector
    if vertex:
        assert row["interaction_x"].tolist() == [102, 105]
        assert row["particle_primary"].tolist() == [1, 1, 0]
        assert row["role"].tolist() == [3] * 3 + [0] * 10 + [3] * 2 + [2] * 6
    assert ("role" in row) is ("keypoint_kind" in row) is vertex  # they are of version 3 alone
    assert ("interaction_x" in row) is vertex
    assert "particle_parent" not in row and "particle_pdg" not in row


def test_vertices_of_interactions_come_from_their_own_table(tmp_path, write, small):
    table = [[5, 1, 2, 3], [2, 4, 5, 6]]
    file = write(tmp_path / "a.h5", [small], momenta=True, interactions=np.array(table))
    (row,) = read(file)
    assert [row[f"interaction_{axis}"].tolist() for axis in "xyz"] == [[4, 1], [5, 2], [6, 3]]


def test_a_vertex_that_is_missing_is_not_made_up(tmp_path, write, small):
    file = write(tmp_path / "a.h5", [small], momenta=True, interactions=np.array([[5, 1, 2, 3]]))
    (row,) = read(file)
    assert "interaction_x" not in row


def test_vertices_of_version_2_are_refused_where_they_are_asked_for(tmp_path, write, small):
    second = write(tmp_path / "v2.h5", [small], extra=5)
    first = write(tmp_path / "v1.h5", [small], cluster=5, extra=0)
    third = write(tmp_path / "v3.h5", [small])
    for file in (first, second):
        with pytest.raises(UntrustedVertexError, match=r"expected vertices in the frame of the points"):
            read(file, vertices=True)
    assert len(read(third, vertices=True)) == 1
    files = PointCloudFiles([second])
    list(files)
    (note,) = files.notes.told()
    assert "version 2" in note and "another frame" in note


def test_energies_are_cut_and_points_counted_before_that(tmp_path, write, make_event):
    low = make_event(
        [LED, [5, 1, 1, 0, 1, 2], [2, 4, 4, 3, 0, 0]], energy=[0.1, 0.2, 0.13] + [1.0] * 5 + [0.05] * 2
    )
    file = write(tmp_path / "a.h5", [low])
    (row,) = read(file, min_points=10)
    assert row["motif"].tolist() == [4] + [1] * 5  # more than 0.13, as all users cut
    assert row["particle"].tolist() == [-1] + [0] * 5 and row["particle_hits"].tolist() == [5]
    assert row["interaction"].tolist() == [-1] + [0] * 5
    (row,) = read(file, energy_threshold=0)
    assert len(row["x"]) == 10 and row["particle_hits"].tolist() == [5, 2]
    files = PointCloudFiles([file], min_points=11, strict=True)
    assert not list(files)
    (left,) = files.left_out
    assert left.passed_over and "expected at least 11 points, got 10" in str(left.error)


def test_counts_beside_a_file_save_reading_and_belong_to_it(tmp_path, write, small):
    write(tmp_path / "train" / "a.h5", [small, small], counts=np.array([21, 3]))
    files = PointCloudFiles([tmp_path], min_points=21)
    assert [row["event_id"] for row in files] == ["train/a#0"]
    assert [str(item.path.name) for item in files.left_out] == ["a.h5"]
    write(tmp_path / "train" / "a.h5", [small, small], counts=np.array([21.0]))
    files = PointCloudFiles([tmp_path], min_points=21)
    assert len(list(files)) == 2
    assert any("points are counted" in note for note in files.notes.told())


def test_an_event_of_low_energy_deposits_alone_is_legal(tmp_path, write, make_event, small):
    row = read(write(tmp_path / "a.h5", [make_event([LED])]))[0]
    assert row["particle"].tolist() == [-1] * 3
    assert all(row[name].size == 0 for name in ("particle_hits", "particle_pid", "particle_momentum"))
    empty = make_event([])
    rows = read(write(tmp_path / "b.h5", [small, empty]))
    assert [len(row["x"]) for row in rows] == [21, 0]


def changed(event, **arrays):
    event = {name: array.copy() for name, array in event.items()}
    for name, (where, value) in arrays.items():
        event[name][where] = value
    return event


@pytest.mark.parametrize(
    ("arrays", "error", "words"),
    [
        ({"cluster": ((1, 0), 5)}, ArraySizeError, "expected clusters of 21 points together"),
        ({"cluster": ((1, 4), 5)}, WrongEventError, "column motif: expected at most 4, got 5"),
        ({"cluster": ((1, 5), 6)}, WrongEventError, "column pid: expected at most 5, got 6"),
        ({"cluster": ((1, 2), -2)}, WrongEventError, "column particle: expected -1"),
        ({"point": ((0, 0), 768)}, WrongEventError, "column x: expected at most 767, got 768"),
        ({"point": ((0, 1), -1)}, WrongEventError, "column y: expected at least 0, got -1"),
        ({"point": ((0, 2), 0.5)}, WrongEventError, "column z: expected whole numbers of voxels, got 0.5"),
        ({"point": ((4, 0), np.inf)}, WrongEventError, "column x: expected whole numbers"),
        ({"point": ((2, 3), np.nan)}, WrongEventError, "column energy: expected finite numbers, got nan"),
        (
            {"point": ((2, 3), -0.5)},
            WrongEventError,
            "column energy: expected at least 0, got -0.5 at entry 2",
        ),
        ({"extra": ((1, 1), np.nan)}, WrongEventError, "column particle_momentum: expected finite"),
    ],
)
def test_a_broken_event_costs_itself_alone(tmp_path, write, small, arrays, error, words):
    file = write(tmp_path / "a.h5", [small, changed(small, **arrays), small])
    files = PointCloudFiles([file])
    assert [row["source"] for row in files] == ["a.h5#0", "a.h5#2"]
    (left,) = files.left_out
    assert type(left.error) is error
    assert f"{file}#1" in str(left.error) and words in str(left.error)
    with pytest.raises(error):
        read(file)


def test_a_list_of_any_length_is_not_made_room_for(tmp_path, write, small):
    file = write(tmp_path / "a.h5", [small, small])
    content, length = bytearray(file.read_bytes()), (21 * 8).to_bytes(4, "little")
    with h5py.File(file) as opened:
        place = opened["point"].id.get_offset() + 16
    assert content[place : place + 4] == length
    content[place : place + 4] = b"\xff" * 4
    file.write_bytes(content)
    files = PointCloudFiles([file])
    assert [row["source"] for row in files] == ["a.h5#0"]
    (left,) = files.left_out
    assert isinstance(left.error, TooLargeError) and "got 4294967295" in str(left.error)


def test_events_that_were_announced_and_not_written_cost_no_time(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as content:
        for name in ("point", "cluster"):
            lists = content.create_dataset(name, (10**9,), h5py.vlen_dtype(np.int32), chunks=(1000,))
            lists[5] = np.zeros(8, np.int32)
    with pytest.raises(TruncatedFileError, match="not written to its end"):
        read(tmp_path / "a.h5")


def test_a_file_without_events_is_named(tmp_path, write):
    files = PointCloudFiles([write(tmp_path / "a.h5", [])])
    assert not [*files] and files.lost == 1 and not files.notes
    assert isinstance(files.left_out[0].error, NoEventsError)


def test_clusters_that_are_not_whole_are_refused(tmp_path, small):
    clusters = small["cluster"].astype(np.float32)
    clusters[1, 2] = 7.5
    with h5py.File(tmp_path / "a.h5", "w") as content:
        for name, table in (("point", small["point"]), ("cluster", clusters)):
            content.create_dataset(name, (1,), h5py.vlen_dtype(np.float32))[0] = table.ravel()
    with pytest.raises(WrongEventError, match=r"a.h5#0, column cluster: expected whole numbers, got 7.5"):
        read(tmp_path / "a.h5")


def test_counts_that_contradict_the_points_are_said_and_not_used(tmp_path, write, small):
    files = PointCloudFiles(
        [write(tmp_path / "a.h5", [small] * 3, counts=np.array([21, 22, 3]))], min_points=9
    )
    assert len([*files]) == 3
    assert any("a_points.npy: points are counted from event 1 on" in note for note in files.notes.told())


def test_counts_of_any_size_are_not_made_room_for(tmp_path, write, small):
    file = write(tmp_path / "a.h5", [small])
    with (tmp_path / "a_points.npy").open("wb") as stream:
        header = {"shape": (10**12,), "fortran_order": False, "descr": "<i8"}
        np.lib.format.write_array_header_1_0(stream, header)
    assert len(read(file)) == 1


def test_two_hits_in_one_voxel_are_refused(tmp_path, write, small):
    twice = changed(small, point=(np.s_[5, :3], small["point"][9, :3]))
    with pytest.raises(WrongEventError, match=r"#0, column x: expected each voxel once.*entries 5 and 9"):
        read(write(tmp_path / "a.h5", [twice]))


def test_truth_that_cannot_be_is_unknown_where_it_is_not_asked_for(tmp_path, write, small):
    wrong = [changed(small, cluster=((1, 4), 9)), changed(small, cluster=((1, 0), 9))]
    files = PointCloudFiles([write(tmp_path / "a.h5", [*wrong, small])], truth=False)
    rows = list(files)
    assert [len(row["x"]) for row in rows] == [21] * 3 and ["motif" in row for row in rows] == [0, 0, 1]
    assert sum("truth stays unknown" in note for note in files.notes.told()) == 2


def test_files_that_are_broken_as_a_whole_are_named(tmp_path, write, small):
    whole = write(tmp_path / "whole.h5", [small] * 3)
    cut = tmp_path / "cut.h5"
    cut.write_bytes(whole.read_bytes()[:-900])
    with pytest.raises(TruncatedFileError, match=r"cut.h5: expected an HDF5 file that is whole"):
        read(cut)
    with h5py.File(whole, "r+") as content:
        del content["point"]
    with pytest.raises(NotThisFormatError, match="expected a dataset 'point', got cluster, cluster_extra"):
        read(whole)
    ragged = write(tmp_path / "ragged.h5", [small] * 2)
    with h5py.File(ragged, "r+") as content:
        del content["cluster_extra"]
        content.create_dataset("cluster_extra", (1,), h5py.vlen_dtype(np.float32))[0] = [1.0]
    with pytest.raises(ArraySizeError, match="expected 2 events in 'cluster_extra'"):
        read(ragged)
    plain = tmp_path / "plain.h5"
    with h5py.File(plain, "w") as content:
        content["point"], content["cluster"] = np.zeros((2, 8)), np.zeros((2, 6))
    with pytest.raises(NotThisFormatError, match="lists of any length"):
        read(plain)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"images": np.zeros((1, 2, 4, 4))}, "pixel maps"),
        ({"segments": np.zeros(3)}, "edep-sim"),
        ({"something": np.zeros(3)}, "other arrays: something"),
    ],
)
def test_hdf5_of_something_else_is_called_what_it_is(tmp_path, arrays, words):
    with h5py.File(tmp_path / "a.h5", "w") as content:
        for name, array in arrays.items():
            content[name] = array
    with pytest.raises(NotThisFormatError, match=words):
        read(tmp_path / "a.h5")


def pack(event):
    """A genuine event in the layout of its files: fragments of one particle, motif and type."""
    keys = np.stack([event[name] for name in ("particle", "motif", "pid", "interaction")], axis=-1)
    fragments, of_hit = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(of_hit, kind="stable")
    counts = np.bincount(of_hit)
    first = {particle: row for row, particle in reversed(list(enumerate(fragments[:, 0])))}
    clusters = [
        [
            counts[row],
            -1 if particle < 0 else 10 * particle + 3 if first[particle] == row else 1000 + row,
            -1 if particle < 0 else 10 * particle + 3,
            -1 if interaction < 0 else 5 * interaction + 1,
            motif,
            -1 if pid == 5 else pid,
        ]
        for row, (particle, motif, pid, interaction) in enumerate(fragments)
    ]
    return clusters, order


def test_the_genuine_event(tmp_path, write, make_event, genuine):
    clusters, order = pack(genuine)
    assert clusters[0][1:] == [-1, -1, -1, 4, -1]
    event = make_event(clusters, voxels=genuine["voxel"][order], energy=genuine["energy"][order])
    (row,) = read(write(tmp_path / "a.h5", [event], extra=5), min_points=1024)
    assert len(row["x"]) == 1175
    assert counted(row["motif"]) == [39, 964, 18, 120, 34]
    assert counted(row["pid"]) == [0, 177, 947, 0, 17, 34]
    assert len(row["particle_hits"]) == 10 and row["interaction"].max() == 3
    assert row["energy"].sum(dtype=np.float64) == pytest.approx(709.34, abs=0.01)
    for name in ("particle", "interaction", "motif", "pid"):
        np.testing.assert_array_equal(row[name], genuine[name][order])
    np.testing.assert_array_equal(np.stack([row[axis] for axis in "xyz"], -1), genuine["voxel"][order])
    assert set(row["motif"][row["particle"] == 9]) == {0, 2}  # a Michel electron with two motifs


def test_the_genuine_event_as_it_came(genuine):
    (row,) = read(GENUINE)
    assert counted(row["motif"]) == [39, 964, 18, 120, 34] and row["detector"] == "lartpc-cube-768"


def test_memory_holds_one_event(tmp_path, write, make_event):
    big = make_event([LED, [60_000, 1, 1, 0, 1, 2]])
    few, many = (write(tmp_path / f"{number}.h5", [big] * number) for number in (2, 12))
    peaks = []
    for file in (few, many):
        files = PointCloudFiles([file])
        tracemalloc.start()
        assert sum(len(row["x"]) > 50_000 for row in files) in (2, 12)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + big["point"].nbytes


def layout(tmp_path, write, small):
    for folder, number in (("train", 5), ("val", 2), ("test", 3)):
        write(tmp_path / "PILArNet-M" / folder / f"generic_v2_{number}_v2.h5", [small] * number)
    return tmp_path / "PILArNet-M"


def test_splits_are_those_of_the_folders(tmp_path, write, small):
    source = layout(tmp_path, write, small)
    made = convert_files(tmp_path / "out", [source], min_points=0)
    assert made.manifest["splits"] == {"train": 5, "validation": 2, "test": 3}
    again = convert_files(tmp_path / "again", sorted(source.rglob("*.h5")), min_points=0)
    assert again.manifest["splits"] == made.manifest["splits"]
    rows = load_dataset(str(tmp_path / "out"), split="validation", cache_dir=str(tmp_path / "cache"))
    assert rows["event_id"] == ["val/generic_v2_2_v2#0", "val/generic_v2_2_v2#1"]
    row = rows[0]
    assert row["energy"] == small["point"][:, 3].tolist() and row["particle_parent"] is None
    assert row["display"]["bytes"].startswith(b"\x89PNG")
    card = (tmp_path / "out" / "README.md").read_text()
    assert "2006.01993" in card and "numbers of" in card and "whose folder its file lies in" in card


def test_files_of_no_split_and_lists_of_events(tmp_path, write, small):
    file = write(tmp_path / "here" / "a.h5", [small] * 40)
    made = convert_files(tmp_path / "hashed", [file], min_points=0)
    assert made.manifest["splits"] == {
        split: number
        for split in ("train", "validation", "test")
        if (number := sum(split_of(f"here/a#{index}") == split for index in range(40)))
    }
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "test.txt").write_text("here/a#3\nhere/a#4\n")
    made = convert_files(tmp_path / "listed", [file], min_points=0, manifests=tmp_path / "lists")
    assert made.manifest["splits"] == {"test": 2}


def test_small_events_are_passed_over_by_default(tmp_path, write, small, make_event):
    large = make_event([LED, [1100, 1, 1, 0, 1, 2]])
    made = convert_files(tmp_path / "out", [write(tmp_path / "train" / "a.h5", [small, large, small])])
    assert made.manifest["splits"] == {"train": 1} and not made.lost
    assert len(made.passed_over) == 2 and not len(made.left_out)


def test_the_command_and_what_it_refuses(tmp_path, write, small, capsys):
    broken = changed(small, point=((2, 3), np.nan))
    file = write(tmp_path / "train" / "a.h5", [small, broken])
    (tmp_path / "train" / "b.h5").write_bytes(file.read_bytes()[:2000])
    options = ["--format", "pilarnet-m", "--out", str(tmp_path / "out"), "--min-points", "0"]
    assert main(["convert", str(tmp_path / "train"), *options]) == PARTIAL
    said = capsys.readouterr()
    assert "converted 1 event (1 train), left out 2" in said.out
    assert "no event fell into validation, test: training and evaluation need all splits" in said.out
    assert "version 3" in said.out
    listed = (tmp_path / "out" / "left-out.csv").read_text()
    assert "a.h5,1," in listed and "b.h5" in listed
    assert main(["convert", str(file), *options[:2], "--out", str(tmp_path / "x"), "--labels", "pdg"]) == 2
    assert "--labels: pilarnet-m has no such option" in capsys.readouterr().err
    assert main(["convert", str(file), "--out", str(tmp_path / "maps")]) != 0
    assert "give --format pilarnet-m" in capsys.readouterr().err
    assert main(
        ["convert", str(file), *options[:2], "--out", str(tmp_path / "v"), "--detector", "dune-like-3view"]
    )
    assert "expected one of point clouds (lartpc-cube-768" in capsys.readouterr().err


def streamed(builder, split, workers):
    loader = DataLoader(builder.as_streaming_dataset(split), batch_size=None, num_workers=workers)
    return [row["event_id"] for row in loader]


@pytest.mark.parametrize("split", ["train", "validation"])
def test_two_workers_give_each_event_once(tmp_path, write, small, monkeypatch, split):
    monkeypatch.setattr(event_ranges, "EVENTS_IN_RANGE", 2)
    builder = PILArNetM(
        cache_dir=str(tmp_path / "cache"), files=[str(layout(tmp_path, write, small))], min_points=0
    )
    alone, shared = (streamed(builder, split, workers) for workers in (0, 2))
    folder, number = ("train", 5) if split == "train" else ("val", 2)
    assert alone == [f"{folder}/generic_v2_{number}_v2#{index}" for index in range(number)]
    assert Counter(shared) == Counter(alone)


@pytest.mark.parametrize("counts", [[21, 21], [21] * 9])
def test_counts_of_other_events_lose_none_in_a_stream(tmp_path, write, small, counts):
    file = write(tmp_path / "train" / "a.h5", [small] * 5, counts=np.array(counts))
    builder = PILArNetM(files=(str(file),), min_points=0, cache_dir=str(tmp_path / "cache"))
    with pytest.raises(ArraySizeError, match=f"expected {len(counts)} events, as are counted, got 5"):
        list(builder.as_streaming_dataset("train"))


def test_the_builder_prepares_the_same_events(tmp_path, write, small):
    source = layout(tmp_path, write, small)
    builder = PILArNetM(cache_dir=str(tmp_path / "cache"), files=[str(source)], min_points=0)
    builder.download_and_prepare()
    prepared = builder.as_dataset()
    assert {split: len(rows) for split, rows in prepared.items()} == {"train": 5, "validation": 2, "test": 3}
    (streamed_row, *_) = builder.as_streaming_dataset("test")
    assert prepared["test"][0] == streamed_row
    assert streamed_row["particle"] == read(source / "test" / "generic_v2_3_v2.h5")[0]["particle"].tolist()


def test_a_repository_is_read_at_a_pinned_revision(tmp_path, write, small, monkeypatch):
    source, asked = layout(tmp_path, write, small), []

    def download(repo_id, name, *, repo_type, revision):
        asked.append((repo_id, repo_type, revision))
        if not (source / name).exists():
            from huggingface_hub.errors import EntryNotFoundError

            raise EntryNotFoundError(name)
        return str(source / name)

    names = [str(file.relative_to(source)) for file in source.rglob("*.h5")] + ["README.md"]
    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    monkeypatch.setattr("huggingface_hub.HfApi.list_repo_files", lambda self, repo, **place: names)
    place = {"cache_dir": str(tmp_path / "cache"), "repo_id": "org/PILArNet-M", "min_points": 0}
    builder = PILArNetM(revision="v3", **place)
    assert len(streamed(builder, "test", 0)) == 3
    assert set(asked) == {("org/PILArNet-M", "dataset", "v3")}
    with pytest.raises(DatasetRequestError, match="revision: expected a commit or a tag"):
        PILArNetM(**place)
    with pytest.raises(DatasetRequestError, match="expected one of them, got neither"):
        PILArNetM(cache_dir=str(tmp_path / "cache"))


def test_files_that_are_not_there_are_named(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetRequestError, match=r"expected files .* got .*missing\.h5: check the path"):
        PILArNetM(files=[str(tmp_path / "missing.h5")], cache_dir=str(tmp_path / "cache"))
    builder = PILArNetM(files=[str(tmp_path / "empty")], cache_dir=str(tmp_path / "cache"))
    with pytest.raises(DatasetRequestError, match=r"expected \.h5 or \.hdf5 files, got none in .*empty"):
        builder.as_streaming_dataset("train")


def test_other_numbers_are_refused_at_once(tmp_path):
    for options in ({"energy_threshold": -1.0}, {"min_points": -1}, {"mev_per_charge": 0.0}):
        with pytest.raises(ValueError, match="expected a number"):
            PointCloudFiles([tmp_path], **options)


@pytest.mark.parametrize("width", [5, 11])
def test_files_that_end_anywhere_are_left_out_or_read(tmp_path, write, small, width):
    whole = write(tmp_path / "whole.h5", [small] * 3, extra=width).read_bytes()
    for end in np.linspace(0, len(whole) - 1, 23).astype(int):
        (tmp_path / "cut.h5").write_bytes(whole[:end])
        files = PointCloudFiles([tmp_path / "cut.h5"])
        assert not list(files) and files.lost == 1


def test_card_words_cite_the_source():
    assert "2006.01993" in pilarnet_m.card_words().source_citation
