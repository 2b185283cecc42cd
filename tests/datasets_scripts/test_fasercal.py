"""FASERCal's dataset: simulated, written as files of the public converter, read back, and broken."""

import gzip
import io
import json
import tarfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from nuzoo.cli import main
from nuzoo.datasets_scripts.fasercal import FaserCal, FaserCalPlan, convert_files, simulate_dataset
from nuzoo.datasets_scripts.readers import fasercal_arrays
from nuzoo.datasets_scripts.readers.fasercal import FaserCalFiles
from nuzoo.datasets_scripts.readers.fasercal_rows import (
    ArrayShapeError,
    BrokenLinksError,
    FewHitsError,
    MissingArrayError,
    WrongNumbersError,
)
from nuzoo.datasets_scripts.readers.source_errors import (
    NotThisFormatError,
    ObjectArrayError,
    TooLargeError,
    TruncatedFileError,
    UnknownFileTypeError,
    UnreadableFileError,
    WrongEventError,
)
from nuzoo.files.events.detector_event_labels import GhostRuleError

TRUE = ("track", "parent", "primary", "pdg", "x", "y", "z", "module", "energy")
FLAGS = ("is_primary", "is_secondary", "is_tau_decay", "is_charm_decay")
MUON = ("charge", "n_points", "px", "py", "pz", "p", "chi2", "ndof", "p_value", "p_error", "inverse_p_error")
ENTRY = np.dtype([(name, np.int32) for name in ("g4_id", "track_id", "parent_id", "pdg")])
VECTORS = {
    "primary_vertex": "primary_vertex",
    "vis_momentum": "vis_sp_momentum",
    "jet_momentum": "jet_momentum",
    "neutrino_momentum": "in_neutrino_momentum",
}
SCALARS = {
    "neutrino_pdg": "in_neutrino_pdg",
    "neutrino_energy": "in_neutrino_energy",
    "tau_decay_mode": "tau_decay_mode",
    "e_vis": "e_vis",
    "pt_miss": "pt_miss",
}


@pytest.fixture(scope="module")
def rows():
    plan = FaserCalPlan(3, 11, "fasercal")
    return [plan.row(index) for index in range(3)]


def particles(row, kind):
    chosen = np.asarray(row["particle_list"]) == kind
    entries = np.zeros(chosen.sum(), ENTRY)
    for field, column in (("track_id", "track"), ("parent_id", "parent"), ("pdg", "pdg")):
        entries[field] = np.asarray(row[f"particle_{column}"])[chosen]
    return entries


def arrays_of(row):
    """The arrays of the public converter, as its description gives them."""
    true = {name: np.asarray(row[f"true_{name}"]) for name in (*TRUE, *FLAGS) if name != "module"}
    true["module"] = true["z"] // 20
    cal = [row[f"cal_{name}"] for name in ("x", "y", "z", "module", "energy", "status")]
    return {
        "run_number": np.int64(row["run_number"]),
        "event_id": np.int64(row["event_number"]),
        **{name: np.bool_(row[name]) for name in ("is_cc", "is_es", "is_tau", "is_charmed")},
        **{name: np.asarray(row[column], np.float64) for column, name in VECTORS.items()},
        **{name: np.asarray(row[column]) for column, name in SCALARS.items()},
        "po": particles(row, 0),
        "tau_decay": particles(row, 1),
        "charm_decay": particles(row, 2),
        "reco_hits": np.stack(cal, axis=1).astype(np.float32),
        "ghost_mask": np.asarray(row["cal_status"]) == 1,
        "indptr": np.concatenate([[0], np.cumsum(row["cal_link_count"])]).astype(np.int32),
        "true_index": np.asarray(row["link_true"], np.int32),
        "link_weight": np.asarray(row["link_weight"], np.float32),
        "true_hits": np.stack([true[name] for name in (*TRUE, *FLAGS)], axis=1).astype(np.float32),
        "ecal_hits": np.asarray(row["ecal_energy"]).reshape(5, 5),
        "ahcal_hits": np.stack([row[f"ahcal_{n}"] for n in ("x", "y", "z", "energy")], axis=1).astype(float),
        "muspec_ntracks": np.int64(row["muon_count"]),
        "muspec_info": np.stack([row[f"muon_{name}"] for name in MUON]).astype(np.float32),
        "seg_labels": np.zeros((1, 4), np.float32),
    }


def saved(path, arrays):
    np.savez_compressed(path, **arrays)
    return path


def content_of(arrays):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def test_files_give_the_row_back(rows, tmp_path):
    for row in rows:
        file = saved(tmp_path / f"run_11_event_{row['event_number']}.npz", arrays_of(row))
        (found,) = FaserCalFiles([file], strict=True)
        assert found["event_id"] == f"run_11_event_{row['event_number']}"
        same = [name for name in found if name in row and name not in ("event_id", "source", "detector")]
        assert {"cal_energy", "link_weight", "flavour", "charm", "ahcal_x", "muon_p", "true_pdg"} <= {*same}
        for name in same:
            if found[name] is not None and row[name] is not None:
                np.testing.assert_allclose(found[name], row[name], rtol=1e-6, err_msg=name)


def test_layers_counted_in_each_module(rows, tmp_path):
    arrays = arrays_of(rows[0])
    for name, z in (("reco_hits", 2), ("true_hits", 6)):
        arrays[name][:, z] %= 20
    files = FaserCalFiles([saved(tmp_path / "a.npz", arrays)], strict=True)
    (found,) = files
    np.testing.assert_array_equal(found["cal_z"], rows[0]["cal_z"])
    np.testing.assert_array_equal(found["true_z"], rows[0]["true_z"])
    assert "numbered" in next(files.notes.told())


def changed(rows, **changes):
    arrays = arrays_of(rows[0])
    for name, change in changes.items():
        arrays[name] = change(arrays[name].copy())
    return arrays


def put(index, value):
    def change(array):
        array[index] = value
        return array

    return change


BROKEN = {
    "indptr too short": ({"indptr": lambda a: a[:-1]}, BrokenLinksError, "one entry more"),
    "indptr beyond links": ({"indptr": put(-1, 10**6)}, BrokenLinksError, "rising from 0"),
    "indptr falls": ({"indptr": put(1, 10**6)}, BrokenLinksError, "rising from 0"),
    "links cut": ({"true_index": lambda a: a[:-1]}, BrokenLinksError, "rising from 0"),
    "weights": ({"link_weight": lambda a: a * 0.9}, WrongEventError, "sum to 1"),
    "negative weight": ({"link_weight": put(0, -1.0)}, WrongEventError, "at least 0"),
    "id out of range": ({"true_index": put(0, 10**6)}, WrongEventError, "every true hit"),
    "mask of ghosts": ({"ghost_mask": lambda a: ~a}, BrokenLinksError, "status is 1"),
    "another detector": ({"reco_hits": put((0, 0), 48)}, WrongEventError, "another detector"),
    "positions in mm": ({"reco_hits": put((0, 0), 3.5)}, WrongNumbersError, "whole numbers"),
    "position NaN": ({"reco_hits": put((0, 1), np.nan)}, WrongNumbersError, "whole numbers"),
    "energy NaN": ({"reco_hits": put((0, 4), np.nan)}, WrongEventError, "finite"),
    "energy negative": ({"ecal_hits": put((0, 0), -1.0)}, WrongEventError, "at least 0"),
    "module": ({"reco_hits": put((0, 3), 11)}, WrongEventError, "module"),
    "status": ({"reco_hits": put((0, 5), 7)}, (BrokenLinksError, WrongEventError), ""),
    "columns": ({"reco_hits": lambda a: a[:, :5]}, ArrayShapeError, "6"),
    "ecal": ({"ecal_hits": lambda a: a[:4]}, ArrayShapeError, "5"),
    "vertex NaN": ({"primary_vertex": put(0, np.nan)}, WrongEventError, "finite"),
    "objects": ({"po": lambda a: np.array([{"pdg": 13}], object)}, ObjectArrayError, "never unpickled"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_what_is_broken_is_named_and_the_others_are_read(broken, rows, tmp_path):
    changes, error, told = BROKEN[broken]
    saved(tmp_path / "a_broken.npz", changed(rows, **changes))
    saved(tmp_path / "b_good.npz", arrays_of(rows[1]))
    files = FaserCalFiles([tmp_path])
    found = [*files]
    assert [row["event_id"] for row in found] == ["run_11_event_1"]
    (left,) = files.left_out
    assert isinstance(left.error, error)
    assert told in str(left.error)
    assert files.lost == 1
    with pytest.raises(error):
        list(FaserCalFiles([tmp_path], strict=True))


@pytest.mark.parametrize(
    "name", ["run_number", "reco_hits", "muspec_info", "true_hits", "indptr", "tau_decay_mode"]
)
def test_missing_arrays(name, rows, tmp_path):
    arrays = arrays_of(rows[0])
    del arrays[name]
    file = saved(tmp_path / "a.npz", arrays)
    with pytest.raises(MissingArrayError, match=name):
        list(FaserCalFiles([file], strict=True))
    if name not in ("run_number", "reco_hits", "muspec_info"):
        (row,) = FaserCalFiles([file], strict=True, truth=False)
        assert len(row["cal_x"])


def test_files_that_are_no_files_of_events(rows, tmp_path):
    whole = content_of(arrays_of(rows[0]))
    (tmp_path / "half.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.npz").write_text("no archive")
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "shard-0000.tar").write_bytes(b"no archive at all" * 100)
    (tmp_path / "notes.txt").write_text("hello")
    files = FaserCalFiles([tmp_path, tmp_path / "gone.npz"])
    assert [*files] == []
    kinds = {left.path.name: type(left.error) for left in files.left_out}
    assert kinds == {
        "half.npz": TruncatedFileError,
        "text.npz": NotThisFormatError,
        "empty.npz": NotThisFormatError,
        "shard-0000.tar": NotThisFormatError,
        "notes.txt": UnknownFileTypeError,
        "gone.npz": UnreadableFileError,
    }
    assert [left.path.name for left in files.left_out if left.passed_over] == ["notes.txt"]
    assert files.lost == 5


def shard(path, members):
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def test_shards_are_streamed_past_a_broken_member(rows, tmp_path):
    good = [content_of(arrays_of(row)) for row in rows]
    members = {"a.data.npz": good[0], "b.data.npz": good[1][:500], "c.data.npz": good[2], "c.json": b"{}"}
    shard(tmp_path / "train-0000.tar", members)
    (tmp_path / "metadata.json").write_text(json.dumps({"splits": {"train": {"num_shards": 2}}}))
    files = FaserCalFiles([tmp_path / "train-0000.tar"])
    assert [row["event_id"] for row in files] == ["run_11_event_0", "run_11_event_2"]
    (left,) = files.left_out
    assert "train-0000.tar#b.data.npz" in str(left.error)
    assert "2 shards of train are told of, 1 are there" in next(files.notes.told())


ODD = {
    "a list that is none": {"po": lambda a: a[0]},
    "words for a vector": {"primary_vertex": lambda a: np.array(["a", "b", "c"])},
    "words for a number": {"in_neutrino_pdg": lambda a: np.array("abc")},
    "two numbers for one": {"is_cc": lambda a: np.array([True, False])},
    "an event without a number": {"event_id": lambda a: np.float64("nan")},
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_arrays_cost_one_event_of_a_shard(odd, rows, tmp_path):
    good = content_of(arrays_of(rows[1]))
    members = {"a.data.npz": content_of(changed(rows, **ODD[odd])), "../../b.data.npz": good}
    shard(tmp_path / "train-0000.tar", members)
    files = FaserCalFiles([tmp_path / "train-0000.tar"])
    assert [row["event_id"] for row in files] == ["run_11_event_1"]
    assert "train-0000.tar#a.data.npz" in str(files.left_out[0].error)


def test_shards_that_end_early_or_hold_no_events_are_named(rows, tmp_path):
    good = content_of(arrays_of(rows[0]))
    shard(tmp_path / "none-0000.tar", {"run_1_event_1.npz": good})
    shard(tmp_path / "damaged-0000.tar", {"a.data.npz": good, "b.data.npz": good})
    content = bytearray((tmp_path / "damaged-0000.tar").read_bytes())
    second = 512 + -(-len(good) // 512) * 512
    content[second : second + 100] = b"\xff" * 100
    (tmp_path / "damaged-0000.tar").write_bytes(content)
    (tmp_path / "cut-0000.tar").write_bytes(content[:second])
    endless = tarfile.TarInfo("a.data.npz")
    endless.size = 1 << 60
    (tmp_path / "endless-0000.tar").write_bytes(endless.tobuf(tarfile.GNU_FORMAT) + bytes(2000))
    with tarfile.open(tmp_path / "link-0000.tar", "w") as archive:
        link = tarfile.TarInfo("a.data.npz")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    (tmp_path / "packed-0000.tar").write_bytes(gzip.compress(bytes(content)))
    (tmp_path / "alone-0000.tar").write_bytes(gzip.compress(good))
    (tmp_path / "event-0000.tar").write_bytes(good)
    files = FaserCalFiles([tmp_path])
    assert len([*files]) == 2
    told = {left.path.name: (type(left.error), str(left.error)) for left in files.left_out}
    assert (
        told["none-0000.tar"][0] is NotThisFormatError and "got run_1_event_1.npz" in told["none-0000.tar"][1]
    )
    assert told["damaged-0000.tar"][0] is TruncatedFileError
    assert told["cut-0000.tar"][0] is TruncatedFileError
    assert told["endless-0000.tar"][0] is TruncatedFileError
    assert "a link or a folder" in told["link-0000.tar"][1]
    assert "got a tar archive, packed with gzip; unpack it" in told["packed-0000.tar"][1]
    assert "got a file, packed with gzip; unpack it" in told["alone-0000.tar"][1]
    assert "got a zip archive; unpack it" in told["event-0000.tar"][1]


def test_no_more_is_unpacked_than_an_event_holds(rows, tmp_path, monkeypatch):
    arrays = arrays_of(rows[0]) | {"unused": np.zeros(1 << 20)}
    monkeypatch.setattr(fasercal_arrays, "LARGEST_EVENT", 1 << 20)
    file = saved(tmp_path / "a.npz", arrays)
    assert len([*FaserCalFiles([file], strict=True)]) == 1
    saved(file, arrays | {"true_hits": np.zeros((1 << 15, 13))})
    with pytest.raises(TooLargeError, match="arrays of an event of at most"):
        list(FaserCalFiles([file], strict=True))


def test_small_events_are_left_out_by_either_rule(rows, tmp_path):
    status = np.asarray(rows[0]["cal_status"])
    file = saved(tmp_path / "a.npz", arrays_of(rows[0]))
    real = int((status != 1).sum())
    assert len([*FaserCalFiles([file], least_hits=real)]) == 1
    files = FaserCalFiles([file], least_hits=real + 1, strict=True)
    assert not [*files]
    (left,) = files.left_out
    assert isinstance(left.error, FewHitsError)
    assert left.passed_over
    matched = int((status == 0).sum())
    assert len([*FaserCalFiles([file], least_hits=matched, ghosts="unmatched")]) == 1
    assert not [*FaserCalFiles([file], least_hits=matched + 1, ghosts="unmatched")]
    with pytest.raises(GhostRuleError):
        FaserCalFiles([file], ghosts="both")


def test_parquet_gives_the_rows_back_past_those_that_are_broken(rows, tmp_path):
    recorded = [column.name for column in FaserCalFiles([]).reading.schema.hits]
    stored = [{name: row[name] for name in (*recorded, "event_id", "detector", "source")} for row in rows]
    stored[0] = stored[0] | {"cal_x": [*stored[0]["cal_x"][:-1], 48]}
    pq.write_table(pa.Table.from_pylist([_listed(row) for row in stored]), tmp_path / "a.parquet")
    files = FaserCalFiles([tmp_path / "a.parquet"], truth=False)
    read = [*files]
    assert [row["event_id"] for row in read] == [row["event_id"] for row in rows[1:]]
    for row, expected in zip(read, rows[1:], strict=True):
        for name in recorded:
            np.testing.assert_array_equal(row[name], expected[name])
        assert row["flavour"] is None
    (left,) = files.left_out
    assert "cal_x" in str(left.error) and "a.parquet#0" in str(left.error)


def _listed(row):
    return {name: np.asarray(value).tolist() for name, value in row.items()}


def test_parquet_of_other_events_is_refused(tmp_path):
    pq.write_table(pa.table({"x": [[1.0]], "energy": [[2.0]]}), tmp_path / "points.parquet")
    with pytest.raises(NotThisFormatError, match=r"expected the columns cal_x, .*got x, energy"):
        list(FaserCalFiles([tmp_path / "points.parquet"], strict=True))


def test_truth_of_simulated_events_hangs_together(rows):
    for row in rows:
        vis, jet = np.array(row["vis_momentum"]), np.array(row["jet_momentum"])
        if not row["is_cc"]:
            np.testing.assert_allclose(vis, jet)
        elif row["is_tau"]:
            np.testing.assert_allclose(vis - jet, row["tau_vis_momentum"], rtol=1e-3, atol=1e-2)
        else:
            np.testing.assert_allclose(vis - jet, row["lepton_momentum"], rtol=1e-3, atol=1e-2)
        assert row["pt_miss"] == pytest.approx(np.hypot(*vis[:2]), rel=1e-4)
        track, parent = np.array(row["true_track"]), np.array(row["true_parent"])
        assert (parent < track).all()
        assert (np.array(row["true_is_primary"]) == (np.array(row["true_primary"]) == track)).all()
        assert not (np.array(row["true_is_primary"]) & np.array(row["true_is_secondary"])).any()


def test_simulated_dataset_names_its_classes_and_has_pictures(tmp_path):
    simulate_dataset(tmp_path, events=4, seed=2)
    loaded = load_dataset(str(tmp_path), split="train")
    assert loaded.features["flavour"].names[5] == "nc"
    assert loaded[0]["display"]["bytes"].startswith(b"\x89PNG")


def test_command_line_converts_files(rows, tmp_path, capsys):
    for row in rows:
        saved(tmp_path / f"run_11_event_{row['event_number']}.npz", arrays_of(row))
    files = [str(file) for file in sorted(tmp_path.glob("*.npz"))]
    out = tmp_path / "out"
    assert main(["convert", *files, "--format", "fasercal", "--least-hits", "1", "--out", str(out)]) == 0
    assert "converted 3 events" in capsys.readouterr().out
    assert "FASERCal" in (out / "README.md").read_text()


def test_converted_rows_are_stored_as_they_were(rows, tmp_path):
    saved(tmp_path / "a.npz", arrays_of(rows[1]))
    made = convert_files(tmp_path / "out", [tmp_path / "a.npz"], split_fractions={"train": 1.0})
    assert made.lost == 0
    (stored,) = load_dataset(str(tmp_path / "out"), split="train").with_format("numpy")
    for name in ("cal_x", "cal_energy", "link_weight", "ecal_energy", "true_energy"):
        np.testing.assert_allclose(stored[name], rows[1][name], rtol=1e-6)


def test_builder_makes_the_same_events(tmp_path):
    builder = FaserCal(cache_dir=tmp_path, events=2, seed=11)
    builder.download_and_prepare()
    found = builder.as_dataset()
    names = [row["event_id"] for split in found.values() for row in split]
    assert sorted(names) == ["sim-11-0", "sim-11-1"]
