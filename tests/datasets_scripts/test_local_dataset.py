"""What is loaded is what lies in the folder now, whatever was loaded before."""

import shutil

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nuzoo.datasets_scripts.common.loading import UnreachableDatasetError, load_events
from nuzoo.datasets_scripts.common.local_dataset import UnfinishedDatasetError, UnknownConfigurationError
from nuzoo.datasets_scripts.lartpc_pixelmaps import convert_files
from nuzoo.evaluation.display.draw_events import read_dataset


def convert(folder, energy):
    """Convert one event, whose pixels have one energy in MeV."""
    maps = np.zeros((1, 2, 512, 512), np.float32)
    maps[:, :, 100:110, 200] = energy
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "events.npy", maps)
    shutil.rmtree(folder / "data", ignore_errors=True)
    convert_files(folder / "data", [folder / "events.npy"])
    return str(folder / "data")


def energy_of(splits):
    [rows] = splits.values()
    return rows[0]["xz_energy"][0]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))


def test_a_folder_that_was_written_anew_is_read_anew(tmp_path):
    for energy in (1.0, 2.0, 1.0):
        folder = convert(tmp_path / "a", energy)
        assert energy_of(load_events(folder)) == energy
        assert energy_of(datasets.load_dataset(folder)) == energy


def test_two_folders_alike_but_for_what_they_hold_are_two(tmp_path):
    folders = {energy: convert(tmp_path / f"{energy}", energy) for energy in (1.0, 2.0)}
    assert {energy: energy_of(load_events(folder)) for energy, folder in folders.items()} == {1: 1, 2: 2}


def test_a_shard_that_was_exchanged_behind_the_card_is_read(tmp_path):
    first, second = convert(tmp_path / "a", 1.0), convert(tmp_path / "b", 2.0)
    assert energy_of(load_events(first)) == 1
    shutil.copytree(f"{second}/data", f"{first}/data", dirs_exist_ok=True)
    assert energy_of(load_events(first)) == 2


@pytest.mark.parametrize("name", ["run[1]", "run*", "a?c", "{a,b}", "run 1"])
def test_a_folder_is_the_one_of_its_name_and_no_pattern(tmp_path, name):
    convert(tmp_path / "run1", 3.0)
    folder = convert(tmp_path / name, 1.0)
    assert energy_of(load_events(folder)) == 1
    [rows] = load_events(folder, streaming=True).values()
    assert next(iter(rows))["xz_energy"][0] == 1


def test_parquet_files_without_a_card_are_read(tmp_path):
    folder = convert(tmp_path / "a", 1.0)
    for file in ("README.md", "plan.json", "manifest.json"):
        (tmp_path / "a" / "data" / file).unlink()
    assert energy_of(load_events(folder)) == 1
    [shard] = (tmp_path / "a" / "data" / "data").iterdir()
    (tmp_path / "plain").mkdir()
    shutil.copy(shard, tmp_path / "plain" / "anything.parquet")
    assert energy_of(load_events(str(tmp_path / "plain"))) == 1


def test_a_dataset_that_is_half_written_is_refused(tmp_path):
    folder = convert(tmp_path / "a", 1.0)
    (tmp_path / "a" / "data" / "manifest.json").unlink()
    with pytest.raises(UnfinishedDatasetError, match="half written"):
        load_events(folder)


def test_what_a_folder_does_not_have_is_refused(tmp_path):
    folder = convert(tmp_path / "a", 1.0)
    with pytest.raises(UnknownConfigurationError, match=r"config: expected .*\(default\), got 'big'"):
        load_events(folder, name="big")
    with pytest.raises(UnreachableDatasetError, match=r"revision: expected none, .* got 'v1'"):
        load_events(folder, revision="v1")


def stored(folder, change):
    """Two events in each of two splits, of which the second was changed by others."""
    table = pa.table({"event_id": ["a", "b"], "motif": [[1], [2, 3]], "pid": [[4], [5, 6]]})
    (folder / "data").mkdir(parents=True)
    for split, rows in (("test", table), ("validation", change(table))):
        pq.write_table(rows, folder / "data" / f"{split}-00000-of-00001.parquet")
    return str(folder)


def events_read(folder):
    return [row for split in ("test", "validation") for row in read_dataset(folder, split)]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda table: table.slice(0, 0), "a Parquet file of it has no rows: write events"),
        (
            lambda table: table.drop_columns(["pid"]).append_column("role", table["pid"]),
            "a file lacks pid and has also role, other than the card or",
        ),
        (
            lambda table: table.append_column("role", table["pid"]).append_column("x", table["pid"]),
            "a file has also role, x, other than the card or",
        ),
    ],
)
def test_files_that_are_not_alike_are_told_of_in_a_line(change, told, tmp_path):
    folder = stored(tmp_path / "data", change)
    for read in (load_events, events_read):
        with pytest.raises(UnreachableDatasetError) as refused:
            read(folder)
        assert str(refused.value).startswith(f"{folder}: expected a readable dataset: {told}")
        assert len(str(refused.value)) < 400
