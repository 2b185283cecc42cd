"""Conversions: event by event, whole or not at all, with splits and classes of one's own."""

import csv
import os
import zlib
from collections import Counter

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from nuzoo.cli import main
from nuzoo.commands.options import PARTIAL
from nuzoo.datasets_scripts.common.dataset_facts import dataset_facts
from nuzoo.datasets_scripts.common.dataset_folder import DatasetRequestError
from nuzoo.datasets_scripts.common.sharded_parquet import DatasetFolderError
from nuzoo.datasets_scripts.common.splits import SplitError, split_of
from nuzoo.datasets_scripts.common.streamed_shards import StreamedShards
from nuzoo.datasets_scripts.lartpc_pixelmaps import convert_files
from nuzoo.hub.dataset.files import open_dataset
from nuzoo.hub.dataset.rows import check_rows

FRACTIONS = {"train": 0.5, "validation": 0.25, "test": 0.25}


def write_events(folder, number, labels=None, names=None):
    """An HDF5 file of events of one pixel each."""
    folder.mkdir(parents=True, exist_ok=True)
    maps = np.zeros((number, 2, 512, 512), np.float32)
    maps[:, :, 5, 6] = np.arange(1, number + 1)[:, None]
    with h5py.File(folder / "a.h5", "w") as content:
        content.create_dataset("images", data=maps, compression="lzf", chunks=(1, 2, 512, 512))
        if labels is not None:
            content["pids"] = labels
        if names is not None:
            content["event_id"] = names
    return folder / "a.h5"


def rows_of(out):
    return {row["event_id"]: (split, row) for split, part in load_dataset(str(out)).items() for row in part}


def everything(out):
    return {file.relative_to(out): file.read_bytes() for file in sorted(out.rglob("*")) if file.is_file()}


def test_events_come_back_in_shards_of_their_splits(tmp_path):
    file, size = write_events(tmp_path, 23, ["nuecc", "nc"] * 11 + ["numucc"]), []
    made = convert_files(tmp_path / "out", [file], split_fractions=FRACTIONS)
    rows = rows_of(tmp_path / "out")
    assert len(rows) == 23
    for name, (split, row) in rows.items():
        number = int(name.rpartition("#")[2])
        assert split == split_of(name, FRACTIONS)
        assert row["xz_energy"] == [number + 1.0] and row["source"] == f"a.h5#{number}"
        assert row["label"] == (1 if number == 22 else [0, 2][number % 2])
        size.append(split)
    assert made.manifest["splits"] == Counter(size)
    check_rows(open_dataset(tmp_path / "out", also=["README.md"]))


def test_shards_end_where_they_are_full(tmp_path, monkeypatch):
    monkeypatch.setattr("nuzoo.datasets_scripts.common.streamed_shards.ROWS_PER_GROUP", 2)
    from datasets import Features, Value

    shards = StreamedShards(tmp_path, Features({"event_id": Value("string")}), 5)
    for number in range(12):
        shards.add("train", {"event_id": f"e{number}"})
    (tmp_path / "out").mkdir()
    manifest = shards.publish(tmp_path / "out")
    assert manifest["splits"] == {"train": 12}
    assert [entry["events"] for entry in manifest["files"].values()] == [5, 5, 2]
    files = [tmp_path / "out" / name for name in manifest["files"]]
    read = [name for file in files for name in pq.read_table(file)["event_id"].to_pylist()]
    assert read == [f"e{number}" for number in range(12)]
    assert pq.read_metadata(tmp_path / "out" / "data/train-00000-of-00003.parquet").num_row_groups == 3
    assert (tmp_path / "out/manifests/train.txt").read_text().split() == read


def test_fractions_and_lists_are_told_in_the_card(tmp_path):
    file = write_events(tmp_path, 8, names=[f"e{number}" for number in range(8)])
    convert_files(tmp_path / "hashed", [file], split_fractions={"train": 0.75, "test": 0.25})
    assert "0.75 train, 0 validation, 0.25 test" in (tmp_path / "hashed/README.md").read_text()
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "train.txt").write_text("e1\ne2\n")
    (lists / "test.txt").write_text("e5\n")
    made = convert_files(tmp_path / "listed", [file], manifests=lists)
    assert {name: split for name, (split, _) in rows_of(tmp_path / "listed").items()} == {
        "e1": "train",
        "e2": "train",
        "e5": "test",
    }
    assert len(made.left_out) == 5 and made.lost == 0
    assert "the lists came with the files" in (tmp_path / "listed/README.md").read_text()
    (lists / "test.txt").write_text("e5\ne1\n")
    with pytest.raises(SplitError, match="e1"):
        convert_files(tmp_path / "other", [file], manifests=lists)
    for wrong in ({"train": 0.5}, {"train": 1.5, "test": -0.5}, {"dev": 1.0}):
        with pytest.raises(SplitError):
            convert_files(tmp_path / "other", [file], split_fractions=wrong)
    with pytest.raises(DatasetRequestError, match="both"):
        convert_files(tmp_path / "other", [file], split_fractions=FRACTIONS, manifests=lists)
    assert not (tmp_path / "other").exists()


def test_classes_of_ones_own(tmp_path):
    classes = ("nue_cc", "nutau_cc", "cosmic")
    file = write_events(tmp_path, 3, ["cosmic", "nutaucc", "NuE CC"])
    convert_files(tmp_path / "out", [file], classes=classes, split_fractions={"train": 1.0})
    events = load_dataset(str(tmp_path / "out"), split="train")
    names = events.features["label"].names
    assert names == list(classes)
    assert [names[label] for label in events["label"]] == ["cosmic", "nutau_cc", "nue_cc"]
    facts = dataset_facts(tmp_path / "out")
    assert facts.splits["train"].classes["`label` cosmic"] == 1
    check_rows(open_dataset(tmp_path / "out", also=["README.md"]))
    shards = list((tmp_path / "out/data").iterdir())
    convert_files(tmp_path / "again", shards, split_fractions={"train": 1.0})
    assert load_dataset(str(tmp_path / "again"), split="train")["label"] == events["label"]


def test_killed_and_started_again_the_bytes_are_the_same(tmp_path, monkeypatch):
    file = write_events(tmp_path, 6)
    convert_files(tmp_path / "whole", [file])
    added = StreamedShards.add

    def killed(shards, split, row):
        if row["event_id"].endswith("#4"):
            raise KeyboardInterrupt
        added(shards, split, row)

    monkeypatch.setattr(StreamedShards, "add", killed)
    with pytest.raises(KeyboardInterrupt):
        convert_files(tmp_path / "out", [file])
    assert everything(tmp_path / "out") == {}
    (tmp_path / "out/.converting").mkdir(parents=True)
    (tmp_path / "out/.converting/train-00000.parquet").write_text("half")
    monkeypatch.undo()
    for _ in range(2):
        convert_files(tmp_path / "out", [file])
        assert everything(tmp_path / "out") == everything(tmp_path / "whole")


@pytest.mark.parametrize("harm", ["torn", "changed", "missing", "no manifest"])
def test_a_dataset_that_lost_something_is_made_again(tmp_path, harm):
    file, out = write_events(tmp_path, 6), tmp_path / "out"
    convert_files(out, [file])
    before = everything(out)
    shard = next(out.glob("data/train-*.parquet"))
    if harm == "torn":
        shard.write_bytes(shard.read_bytes()[:100])
    elif harm == "changed":
        shard.write_bytes(b"x" + shard.read_bytes()[1:])
    elif harm == "missing":
        shard.unlink()
    else:
        (out / "manifest.json").write_text("{")
    convert_files(out, [file])
    assert everything(out) == before


def test_a_folder_with_something_else_is_refused_before_events_are_read(tmp_path, monkeypatch):
    file = write_events(tmp_path, 2)
    convert_files(tmp_path / "out", [file], split_fractions=FRACTIONS)
    before = everything(tmp_path / "out")
    monkeypatch.setattr(StreamedShards, "add", None)
    with pytest.raises(DatasetFolderError, match="splits"):
        convert_files(tmp_path / "out", [file])
    assert everything(tmp_path / "out") == before


def test_events_that_a_list_names_and_no_file_has_are_told(tmp_path):
    file = write_events(tmp_path, 2, names=["e0", "e1"])
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "train.txt").write_text("e0\ne1\nmisspelt-1\nmisspelt-2\n")
    made = convert_files(tmp_path / "out", [file], manifests=lists)
    (told,) = made.left_out.told()
    assert told.startswith("left out 2 (train.txt#misspelt-1, train.txt#misspelt-2): expected an event")
    assert made.lost == 0
    assert "misspelt-2" in (tmp_path / "out/left-out.csv").read_text()


def test_nothing_readable_is_told_a_line_a_reason_and_where_all_of_it_is(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.h5").write_bytes(b"no HDF5")
    (tmp_path / "in/b.gz").write_bytes(zlib.compress(bytes(5)))
    (tmp_path / "in/LICENSE").write_text("passed over")
    assert main(["convert", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert sum(line.startswith("left out 1 (") for line in lines) == 2
    assert sum(line.startswith("passed over 1 (") for line in lines) == 1
    assert lines[-1] == f"left out: all of it is in {tmp_path / 'out/left-out.csv'}"
    assert (tmp_path / "out/left-out.csv").is_file()


def test_an_event_of_a_name_that_was_there_is_left_out(tmp_path):
    files = [write_events(tmp_path / folder, 2, names=["x", folder]) for folder in "ab"]
    made = convert_files(tmp_path / "out", files)
    assert set(rows_of(tmp_path / "out")) == {"x", "a", "b"}
    assert (len(made.left_out), made.lost) == (1, 1)
    with (tmp_path / "out/left-out.csv").open(newline="") as table:
        (row,) = csv.DictReader(table)
    assert (row["file"], row["event"]) == ("b/a.h5", "0") and "'x'" in row["reason"]


def test_the_command_says_what_it_did_and_its_status_what_is_missing(tmp_path, capsys):
    file = write_events(tmp_path / "in", 3, [0, 1, 2])
    (tmp_path / "in/LICENSE").write_text("passed over")
    arguments = ["convert", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    told = capsys.readouterr()
    assert "labels are numbers of classes: 0 nue_cc" in told.out and "converted 3 events" in told.out
    assert "passed over 1" in told.err
    (tmp_path / "in/cut.h5").write_bytes(file.read_bytes()[:3000])
    arguments[-1] = str(tmp_path / "part")
    assert main(arguments) == PARTIAL
    assert "cut.h5" in (tmp_path / "part/left-out.csv").read_text()
    assert main(["convert", str(tmp_path / "absent"), "--out", str(tmp_path / "none")]) == 1
    assert not (tmp_path / "none").exists()


def test_what_is_written_may_be_read_by_others_as_the_umask_says(tmp_path):
    file = write_events(tmp_path, 2)
    (tmp_path / "cut.gz").write_bytes(zlib.compress(bytes(5)))
    earlier = os.umask(0o022)
    try:
        convert_files(tmp_path / "out", [file, tmp_path / "cut.gz"])
    finally:
        os.umask(earlier)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert modes == {0o644}


OWN_DETECTOR = """\
name: my-chamber
size: [40, 30]
views:
- {name: xz, pitch_mm: 3.0}
- {name: yz, pitch_mm: 3.0}
mev_per_count: 0.5
"""


def test_a_detector_of_ones_own_goes_with_its_events(tmp_path):
    from nuzoo.simulation.detectors import DETECTORS

    (tmp_path / "mine.yaml").write_text(OWN_DETECTOR)
    counts = np.zeros((2, 2, 40, 30), np.uint8)
    counts[:, :, 3, 7] = 4
    np.savez(tmp_path / "a.npz", images=counts, labels=["nc", "nuecc"])
    options = {"detector": str(tmp_path / "mine.yaml"), "split_fractions": {"train": 1.0}}
    try:
        convert_files(tmp_path / "out", [tmp_path / "a.npz"], **options)
        del DETECTORS["my-chamber"]
        made = convert_files(tmp_path / "again", [tmp_path / "out"], split_fractions={"train": 1.0})
        assert (made.lost, made.manifest["splits"]) == (0, {"train": 2})
        for folder in ("out", "again"):
            assert (tmp_path / folder / "detector.yaml").is_file()
            assert str(tmp_path) not in (tmp_path / folder / "plan.json").read_text()
            rows = load_dataset(str(tmp_path / folder), split="train")
            assert rows["xz_index"] == [[3 * 30 + 7]] * 2 and rows["xz_energy"] == [[2.0]] * 2
            check_rows(open_dataset(tmp_path / folder, also=["README.md"]))
    finally:
        DETECTORS.pop("my-chamber", None)


def test_names_of_classes_are_words_on_the_card(tmp_path):
    classes = ("nue_cc", "<b>cosmic</b>", "a|b")
    file = write_events(tmp_path, 3, list(classes))
    convert_files(tmp_path / "out", [file], classes=classes)
    card = (tmp_path / "out/README.md").read_text().split("## Splits")[1]
    assert "`label` nue\\_cc" in card
    assert "`label` &lt;b&gt;cosmic&lt;/b&gt;" in card
    assert "`label` a\\|b" in card


def test_a_dataset_that_is_there_keeps_the_list_of_what_it_left_out(tmp_path):
    write_events(tmp_path / "a", 3)
    (tmp_path / "a" / "b.h5").write_bytes(b"")
    convert_files(tmp_path / "out", [tmp_path / "a"])
    before = everything(tmp_path / "out")
    write_events(tmp_path / "b", 5)
    (tmp_path / "b" / "c.h5").write_bytes(b"")
    with pytest.raises(DatasetFolderError):
        convert_files(tmp_path / "out", [tmp_path / "b"])
    assert any(path.name == "left-out.csv" for path in before) and everything(tmp_path / "out") == before
