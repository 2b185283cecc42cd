"""The dataset folder: the same bytes however it is made, and readable without nuzoo."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Image, load_dataset

from nuzoo.datasets_scripts.common.dataset_folder import DatasetRequestError
from nuzoo.datasets_scripts.common.rows import row_features
from nuzoo.datasets_scripts.common.sharded_parquet import DatasetFolderError
from nuzoo.datasets_scripts.common.splits import split_of
from nuzoo.datasets_scripts.lartpc_pixelmaps import (
    LArTPCPixelMaps,
    convert_files,
    simulate_dataset,
)
from nuzoo.files.errors import FolderInUseError
from nuzoo.files.events.pixel_map_events import pixel_map_schema
from nuzoo.files.folder_lock import locked
from nuzoo.simulation.detectors import DETECTORS, DUNE_LIKE, MODULAR_LARTPC
from nuzoo.simulation.interactions import Spectrum
from nuzoo.simulation.simulate import simulate_event

EVENTS, SEED, SHARD_SIZE = 60, 3, 6


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def features_of(detector):
    return row_features(pixel_map_schema(detector.geometry()))


def shards(folder: Path) -> list[Path]:
    return sorted(folder.glob("data/*.parquet"))


def make(folder: Path, **changes) -> dict:
    return simulate_dataset(folder, **{"events": EVENTS, "seed": SEED, "shard_size": SHARD_SIZE, **changes})


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("dataset")
    make(out)
    return out


@pytest.fixture(scope="module")
def loaded(folder, tmp_path_factory):
    return load_dataset(str(folder), cache_dir=str(tmp_path_factory.mktemp("cache")))


def test_a_finished_dataset_is_not_made_again(folder):
    before = {path: path.stat().st_mtime_ns for path in shards(folder)}
    make(folder)
    assert {path: path.stat().st_mtime_ns for path in shards(folder)} == before


@pytest.mark.parametrize(
    "change", [{"events": 61}, {"seed": 4}, {"detector": DUNE_LIKE.name}, {"shard_size": 7}]
)
def test_another_dataset_in_the_same_folder_is_refused_and_the_difference_named(folder, change):
    before = contents(folder)
    stored = json.loads(before["plan.json"])
    [(name, value)] = change.items()
    with pytest.raises(DatasetFolderError, match=r"another dataset.*plan\.json") as refusal:
        make(folder, **change)
    assert f"plan.json, {name} is {stored[name]!r} instead of {value!r}. Give" in str(refusal.value)
    assert contents(folder) == before


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_a_plan_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(DatasetFolderError, match="there is no plan"):
        make(tmp_path)


def test_a_folder_with_foreign_data_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.parquet").write_bytes(b"precious")
    with pytest.raises(DatasetFolderError, match="new folder"):
        make(tmp_path)
    assert contents(tmp_path) == {"data/mine.parquet": b"precious"}


@pytest.mark.parametrize(
    "change",
    [{"events": 0}, {"seed": -1}, {"detector": "bubble-chamber"}, {"spectrum": "white"}, {"shard_size": 0}],
)
def test_impossible_requests_name_what_was_expected(tmp_path, change):
    with pytest.raises(DatasetRequestError, match=rf"{next(iter(change))}: expected .* got"):
        make(tmp_path / "out", **change)
    assert not (tmp_path / "out").exists()


def test_the_manifest_tells_the_truth(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    assert sum(manifest["splits"].values()) == EVENTS
    assert set(manifest["files"]) == {path.relative_to(folder).as_posix() for path in shards(folder)}
    for name, entry in manifest["files"].items():
        data = (folder / name).read_bytes()
        assert entry["bytes"] == len(data)
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()
        assert entry["events"] == pq.read_metadata(folder / name).num_rows


def test_shards_are_made_for_streaming(folder):
    metadata = pq.read_metadata(shards(folder)[0])
    group = metadata.row_group(0)
    assert group.num_rows <= 100
    assert group.column(0).compression == "ZSTD"
    assert group.column(0).has_offset_index


def test_it_loads_as_plain_parquet(loaded):
    assert sum(split.num_rows for split in loaded.values()) == EVENTS
    features = loaded["train"].features
    assert features == features_of(MODULAR_LARTPC)
    assert isinstance(features["display"], Image)
    assert features["label"] == ClassLabel(names=["nue_cc", "numu_cc", "nc"])
    ids = {row for split in loaded.values() for row in split["event_id"]}
    assert ids == {f"sim-{SEED}-{index}" for index in range(EVENTS)}


def test_it_loads_where_nuzoo_and_a_network_are_absent(folder, tmp_path):
    script = (
        "import sys; sys.modules['nuzoo'] = None\n"
        "from datasets import load_dataset\n"
        f"print(sum(len(d) for d in load_dataset({str(folder)!r}, cache_dir={str(tmp_path)!r}).values()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[-1] == str(EVENTS)


def test_it_streams(folder, loaded):
    for split, rows in loaded.items():
        streamed = load_dataset(str(folder), split=split, streaming=True)
        assert [row["event_id"] for row in streamed] == rows["event_id"][:]


def test_rows_hold_the_simulated_event(loaded):
    row = loaded["train"][0]
    index = int(row["event_id"].rpartition("-")[2])
    event = simulate_event(SEED, index, MODULAR_LARTPC, Spectrum())
    for name, values in event.detector.readout.respond(event).items():
        assert row[name] == values.tolist()
    truth = event.interaction
    assert row["label"] == event.label
    assert row["neutrino_energy"] == pytest.approx(truth.neutrino_energy / 1000, rel=1e-6)
    assert row["n_protons"] == sum(pdg == 2212 for pdg in truth.pdg)
    assert row["n_charged_pions"] == sum(abs(pdg) == 211 for pdg in truth.pdg)
    assert row["deposited_energy"] == pytest.approx(event.transported.deposits.energy.sum(), rel=1e-3)
    assert row["vertex"] == pytest.approx(event.vertex, rel=1e-5)
    assert f"seed={SEED}" in row["source"]


def test_the_lepton_of_charged_currents_carries_what_the_inelasticity_leaves(loaded):
    for split in loaded.values():
        for row in split.remove_columns("display"):
            if row["label"] == 2:
                continue
            assert abs(row["lepton_pdg"]) == abs(row["neutrino_pdg"]) - 1
            expected = (1 - row["inelasticity"]) * row["neutrino_energy"]
            assert row["lepton_energy"] == pytest.approx(expected, rel=1e-4)


def test_the_display_shows_both_views_side_by_side(loaded):
    row = loaded["train"].cast_column("display", Image())[0]
    picture = np.asarray(row["display"])
    assert picture.dtype == np.uint8
    assert picture.shape == (512, 1024)
    assert np.count_nonzero(picture) == len(row["xz_index"]) + len(row["yz_index"])
    hottest = int(np.argmax(row["yz_energy"]))
    r, c = divmod(row["yz_index"][hottest], 512)
    expected = min(255, round(255 * np.log1p(row["yz_energy"][hottest]) / np.log1p(20)))
    assert picture[511 - r, 512 + c] == expected


def test_every_column_is_described(folder):
    card = (folder / "README.md").read_text()
    for column in pixel_map_schema(MODULAR_LARTPC.geometry()).columns:
        assert re.search(rf"\| `{column.name}` \| .+ \| {re.escape(column.text)}", card)


def test_splits_are_shares_of_the_hash():
    names = [f"sim-0-{index}" for index in range(20_000)]
    splits = [split_of(name) for name in names]
    for split, share in (("train", 0.90), ("validation", 0.05), ("test", 0.05)):
        spread = np.sqrt(share * (1 - share) / len(names))
        assert abs(splits.count(split) / len(names) - share) < 4 * spread
    for name in names[:200]:
        number = int(hashlib.sha256(name.encode()).hexdigest()[:16], 16) / 16**16
        expected = "train" if number < 0.9 else "validation" if number < 0.95 else "test"
        assert split_of(name) == expected


@pytest.mark.parametrize("name", [MODULAR_LARTPC.name, DUNE_LIKE.name])
def test_the_builder_prepares_a_simulation(tmp_path, name):
    builder = LArTPCPixelMaps(cache_dir=str(tmp_path), events=12, seed=SEED, detector=name)
    builder.download_and_prepare()
    built = builder.as_dataset()
    rows = [row for split in built.values() for row in split]
    assert {row["event_id"] for row in rows} == {f"sim-{SEED}-{index}" for index in range(12)}
    assert all(split_of(row["event_id"]) == split for split, part in built.items() for row in part)
    event = simulate_event(SEED, int(rows[0]["event_id"].rpartition("-")[2]), DETECTORS[name], Spectrum())
    for column, values in event.detector.readout.respond(event).items():
        assert rows[0][column] == values.tolist()


def test_simulations_do_not_share_a_cache(tmp_path):
    folders = {
        LArTPCPixelMaps(cache_dir=str(tmp_path), events=events, seed=seed).cache_dir
        for events, seed in ((12, 0), (12, 1), (13, 0))
    }
    assert len(folders) == 3


@pytest.fixture
def counts(tmp_path) -> Path:
    """Three DUNE-like events of 8-bit counts, each with one pixel lit in each view."""
    maps = np.zeros((3, 3, 500, 500), np.uint8)
    maps[:, :, 100, 200] = np.array([[10], [20], [30]])
    file = tmp_path / "counts.npz"
    np.savez(file, images=maps)
    return file


def converted_energies(folder: Path) -> list[float]:
    return sorted(
        energy
        for shard in shards(folder)
        for pixels in pq.read_table(shard)["u_energy"].to_pylist()
        for energy in pixels
    )


def test_files_become_a_dataset(counts, tmp_path):
    made = convert_files(tmp_path / "out", [counts], mev_per_count=0.5)
    assert sum(made.manifest["splits"].values()) == 3
    assert (len(made.left_out), made.lost) == (0, 0)
    assert converted_energies(tmp_path / "out") == [5.0, 10.0, 15.0]
    assert any(note.endswith(": one count is 0.5 MeV") for note in made.notes)


def test_broken_files_are_left_out(counts, tmp_path):
    broken = tmp_path / "broken.h5"
    broken.write_text("not HDF5")
    made = convert_files(tmp_path / "out", [counts, broken], mev_per_count=0.5)
    assert sum(made.manifest["splits"].values()) == 3
    assert (len(made.left_out), made.lost) == (1, 1)
    assert "broken.h5" in (tmp_path / "out" / "left-out.csv").read_text()
    with pytest.raises(DatasetRequestError, match="no readable event"):
        convert_files(tmp_path / "other", [broken])
    assert [file.name for file in (tmp_path / "other").iterdir()] == ["left-out.csv"]


def test_other_contents_are_another_dataset(counts, tmp_path):
    convert_files(tmp_path / "out", [counts], mev_per_count=0.5)
    convert_files(tmp_path / "out", [counts], mev_per_count=0.5)
    with pytest.raises(DatasetFolderError, match="another dataset"):
        convert_files(tmp_path / "out", [counts], mev_per_count=1.0)
    assert converted_energies(tmp_path / "out") == [5.0, 10.0, 15.0]


def test_the_builder_prepares_files_that_do_not_fill_every_split(counts, tmp_path):
    builder = LArTPCPixelMaps(
        cache_dir=str(tmp_path / "cache"), detector=DUNE_LIKE.name, files=(str(counts),), mev_per_count=0.5
    )
    builder.download_and_prepare()
    built = builder.as_dataset()
    assert sum(part.num_rows for part in built.values()) == 3
    assert all(split_of(row["event_id"]) == split for split, part in built.items() for row in part)


def test_the_builder_reads_files_anew_that_were_written_anew(counts, tmp_path):
    def build():
        files = (str(counts),)
        return LArTPCPixelMaps(cache_dir=str(tmp_path), detector=DUNE_LIKE.name, files=files).cache_dir

    before = build()
    assert build() == before
    np.savez(counts, images=np.ones((1, 3, 500, 500), np.uint8))
    assert build() != before


@pytest.mark.parametrize("is_finished", [True, False])
def test_a_shard_that_holds_something_else_is_written_again(folder, tmp_path, is_finished):
    out = shutil.copytree(folder, tmp_path / "out")
    [torn, damaged, foreign, other, *_] = shards(out)
    torn.write_bytes(torn.read_bytes()[:1000])
    content = bytearray(damaged.read_bytes())
    content[100:400] = bytes(300)
    damaged.write_bytes(content)
    shutil.copy(other, foreign)
    if not is_finished:
        (out / "manifest.json").unlink()
    make(out)
    assert contents(out) == contents(folder)


def test_a_second_run_into_a_folder_is_refused_before_work(tmp_path):
    with locked(tmp_path / "out"), pytest.raises(FolderInUseError, match="wait until it has ended"):
        make(tmp_path / "out")
    assert not any((tmp_path / "out").glob("*"))
