import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from datasets import DatasetInfo, get_dataset_config_names, load_dataset
from huggingface_hub import DatasetCard, DatasetCardData

from nuzoo.datasets_scripts.common.rows import row_features
from nuzoo.datasets_scripts.common.splits import split_of
from nuzoo.datasets_scripts.lartpc_pixelmaps import convert_files, simulate_dataset
from nuzoo.files.errors import RepositoryNameError
from nuzoo.files.events.pixel_map_events import pixel_map_schema
from nuzoo.hub.cards import empty_sections
from nuzoo.hub.dataset.checks import check_dataset_repository
from nuzoo.hub.dataset.files import open_dataset
from nuzoo.hub.dataset.publish import publish_dataset
from nuzoo.hub.dataset.repository import prepare_dataset_repository
from nuzoo.hub.errors import (
    DatasetRepositoryError,
    DatasetRowError,
    IncompleteCardError,
    LicenceError,
)
from nuzoo.simulation.detectors import DUNE_LIKE, MODULAR_LARTPC

REPO_ID = "org/lartpc-pixelmaps"
TRAIN = "data/train-00000-of-00001.parquet"
GROUP = 10


@pytest.fixture(scope="module")
def dune_like(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dune") / "data"
    simulate_dataset(folder, events=40, seed=5, detector=DUNE_LIKE.name, shard_size=15)
    return folder


@pytest.fixture(scope="module")
def converted(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("converted")
    maps = np.zeros((3, 3, 500, 500), np.uint8)
    maps[:, :, 100, 200] = np.array([[10], [20], [30]])
    np.savez(folder / "counts.npz", images=maps)
    convert_files(folder / "data", [folder / "counts.npz"], mev_per_count=0.5)
    return folder / "data"


@pytest.fixture(scope="module")
def two_configs(simulated_dataset, dune_like, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("two") / "repository"
    prepare_dataset_repository({"near": simulated_dataset, "far": dune_like}, REPO_ID, out)
    return out


@pytest.fixture
def copy(simulated_dataset, tmp_path) -> Path:
    """A dataset that a test may damage."""
    return shutil.copytree(simulated_dataset, tmp_path / "data")


def features_of(detector):
    return row_features(pixel_map_schema(detector.geometry()))


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def refuses(folder: Path, error: type[Exception], match: str, **options) -> None:
    """Publishing is refused, and neither writes anything nor changes the dataset."""
    out, before = folder.parent / "out", contents(folder)
    with pytest.raises(error, match=match):
        prepare_dataset_repository({"default": folder}, REPO_ID, out, **options)
    assert not out.exists()
    assert contents(folder) == before


def rewrite(folder: Path, change, name: str = TRAIN) -> None:
    """Changes the rows of a shard, and the manifest with them: only the rows can be found wrong."""
    path = folder / name
    table = change(pq.read_table(path))
    pq.write_table(table, path, row_group_size=GROUP)
    manifest = json.loads((folder / "manifest.json").read_text())
    data = path.read_bytes()
    manifest["files"][name] |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def with_column(table: pa.Table, name: str, values: list) -> pa.Table:
    field = table.schema.field(name)
    return table.set_column(table.schema.get_field_index(name), field, [pa.array(values, type=field.type)])


# What is written


def test_one_dataset_lies_as_in_its_folder(simulated_dataset, tmp_path):
    prepare_dataset_repository({"anything": simulated_dataset}, REPO_ID, tmp_path / "out")
    written, source = contents(tmp_path / "out"), contents(simulated_dataset)
    assert written.keys() == source.keys()
    assert {n for n in source if written[n] != source[n]} == {"README.md"}
    assert get_dataset_config_names(str(tmp_path / "out")) == ["default"]


def test_shards_take_no_second_place_on_the_disk(simulated_dataset, two_configs, monkeypatch, tmp_path):
    assert (two_configs / "near" / TRAIN).samefile(simulated_dataset / TRAIN)
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError("another disk")))
    prepare_dataset_repository({"default": simulated_dataset}, REPO_ID, tmp_path / "out")
    copied = tmp_path / "out" / TRAIN
    assert not copied.samefile(simulated_dataset / TRAIN)
    assert copied.read_bytes() == (simulated_dataset / TRAIN).read_bytes()


def test_a_repository_that_is_there_is_not_touched(simulated_dataset, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(FileExistsError):
        prepare_dataset_repository({"default": simulated_dataset}, REPO_ID, tmp_path)
    assert contents(tmp_path) == {"thesis.tex": b"mine"}


@pytest.mark.parametrize("streaming", [False, True])
def test_each_configuration_loads_by_name(two_configs, tmp_path, streaming):
    for config, events, detector in (("near", 60, MODULAR_LARTPC), ("far", 40, DUNE_LIKE)):
        splits = load_dataset(str(two_configs), config, streaming=streaming, cache_dir=str(tmp_path))
        names = [row["event_id"] for split in splits.values() for row in split]
        assert sorted(names) == sorted(f"sim-5-{index}" for index in range(events))
        assert splits["train"].features == features_of(detector)
    assert load_dataset(str(two_configs), split="train", streaming=True).features == features_of(
        MODULAR_LARTPC
    )


# The card


def test_splits_without_an_event_are_named(simulated_dataset, tmp_path):
    simulate_dataset(tmp_path / "small", events=3, seed=4)
    assert list(json.loads((tmp_path / "small" / "manifest.json").read_text())["splits"]) == ["train"]
    folders = {"near": simulated_dataset, "small": tmp_path / "small"}
    prepare_dataset_repository(folders, REPO_ID, tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text()
    assert "**No events**: `small` has none in validation and test." in card
    assert open_dataset(simulated_dataset, ["README.md"]).empty_splits == []
    assert open_dataset(tmp_path / "small", ["README.md"]).empty_splits == ["validation", "test"]


def test_the_card_of_the_dune_like_detector_states_the_energy_of_a_count(
    two_configs, simulated_dataset, tmp_path
):
    assert "| one count of an 8-bit map | 0.033 MeV" in (two_configs / "README.md").read_text()
    prepare_dataset_repository({"near": simulated_dataset}, REPO_ID, tmp_path / "out")
    assert "count" not in (tmp_path / "out" / "README.md").read_text().partition("## Detector")[2]


@pytest.fixture(params=["folder", "converted folder", "one", "two", "mixed"])
def card_folder(request, simulated_dataset, converted, two_configs, tmp_path) -> Path:
    out = tmp_path / "out"
    if request.param == "one":
        prepare_dataset_repository({"default": simulated_dataset}, REPO_ID, out)
    if request.param == "mixed":
        folders = {"simulated": simulated_dataset, "real": converted}
        prepare_dataset_repository(folders, REPO_ID, out, licence="cc-by-4.0", citation="Cite **us**.")
    given = {"folder": simulated_dataset, "converted folder": converted, "two": two_configs}
    return given.get(request.param, out)


def test_every_card_is_valid_and_full(card_folder):
    card = DatasetCard.load(card_folder / "README.md")
    assert DatasetCardData(**card.data.to_dict()).to_dict() == card.data.to_dict()
    assert empty_sections(card.text) == []
    assert not re.search(r"\$\w", card.text)
    headings = set(re.findall(r"^## (.+)$", card.text, re.MULTILINE))
    assert headings >= {
        "What it is",
        "How to use",
        "Features",
        "Splits",
        "Generation",
        "Size",
        "Known limits",
        "Licence",
        "Citation",
    }
    infos = card.data["dataset_info"]
    infos = infos if isinstance(infos, list) else [infos]
    assert [info["config_name"] for info in infos] == [
        config["config_name"] for config in card.data["configs"]
    ]
    assert [config.get("default") for config in card.data["configs"]] == [True] + [None] * (len(infos) - 1)
    for info, config in zip(infos, card.data["configs"], strict=True):
        features = DatasetInfo._from_yaml_dict(dict(info)).features
        for files in config["data_files"]:
            shards = sorted(card_folder.glob(files["path"]))
            rows = sum(pq.read_metadata(shard).num_rows for shard in shards)
            counted = {split["name"]: split["num_examples"] for split in info["splits"]}
            assert counted[files["split"]] == rows > 0
            assert features.arrow_schema.names == pq.read_schema(shards[0]).names
        for column in features:
            assert f"| `{column}` |" in card.text


def test_the_card_tells_how_the_events_were_made(two_configs):
    card = (two_configs / "README.md").read_text()
    for config, detector, events in (("near", MODULAR_LARTPC, 60), ("far", DUNE_LIKE, 40)):
        plan = json.loads((two_configs / config / "plan.json").read_text())
        assert (
            f"`nuzoo simulate lartpc-pixelmaps --events {events} --seed 5 --detector {detector.name}"
            f" --spectrum {plan['spectrum']}`" in card
        )
        assert plan["simulation"] in card
        labels = pq.read_table(two_configs / config / "data", columns=["label"])["label"].to_pylist()
        rows = re.findall(rf"^\| `{config}` \| \w+ \| \d+ \| (\d+) \| (\d+) \| (\d+) \| 0 \|$", card, re.M)
        counted = np.array(rows, dtype=int).sum(axis=0).tolist()
        assert counted == [labels.count(label) for label in range(3)]


def test_licence_and_citation_are_stated(converted, simulated_dataset, tmp_path):
    prepare_dataset_repository(
        {"real": converted}, REPO_ID, tmp_path / "a", licence="cc-by-4.0", citation="Us."
    )
    card = DatasetCard.load(tmp_path / "a" / "README.md")
    assert card.data.license == "cc-by-4.0"
    assert "## Licence\n\n`cc-by-4.0`" in card.text
    assert card.text.rstrip().endswith("## Citation\n\nUs.")
    prepare_dataset_repository({"default": simulated_dataset}, REPO_ID, tmp_path / "b")
    assert DatasetCard.load(tmp_path / "b" / "README.md").data.license == "apache-2.0"


def test_the_snippet_of_a_folder_runs_in_it(simulated_dataset, tmp_path):
    (snippet,) = re.findall(r"```python\n(.*?)```", (simulated_dataset / "README.md").read_text(), re.DOTALL)
    show = "print(len(events), len(event['xz_index']) == len(event['xz_energy']))"
    code = f"import sys; sys.modules['nuzoo'] = None\n{snippet}\n{show}"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=simulated_dataset, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(pq.read_metadata(simulated_dataset / TRAIN).num_rows), "True"]


# What is refused before anything is written


def test_converted_files_need_the_licence_of_their_makers(converted):
    refuses(converted, LicenceError, "--licence cc-by-4.0")


@pytest.mark.parametrize("licence", ["CC BY 4.0", "cc-by-5.0", "other", "", "apache-2.0\nx: 1"])
def test_licences_that_the_hub_does_not_know(copy, licence):
    refuses(copy, LicenceError, "identifier of the Hub", licence=licence)


@pytest.mark.parametrize("repo_id", ["../org/data", "org/a/b", "/tmp/data", "data", "org/../data", "org/a b"])
def test_names_that_are_none(copy, repo_id):
    with pytest.raises(RepositoryNameError):
        publish_dataset({"default": copy}, repo_id)


@pytest.mark.parametrize("name", ["..", "a/b", "", ".near", "data", "manifests", "near "])
def test_configurations_that_are_no_folder_names(copy, dune_like, tmp_path, name):
    with pytest.raises(RepositoryNameError, match="configuration"):
        prepare_dataset_repository({name: copy, "far": dune_like}, REPO_ID, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_empty_citation_is_refused(copy):
    refuses(copy, IncompleteCardError, "Citation", citation=" ")


@pytest.mark.parametrize("name", ["stray.pkl", "lartpc-pixelmaps.py", "thesis.tex", "data/extra.parquet"])
def test_only_the_files_of_a_dataset_are_taken(copy, name):
    (copy / name).write_text("mine")
    refuses(copy, DatasetRepositoryError, f"got {re.escape(name)}; move it elsewhere")


def test_links_are_refused(copy, tmp_path):
    (copy / TRAIN).rename(tmp_path / "elsewhere")
    (copy / TRAIN).symlink_to(tmp_path / "elsewhere")
    refuses(copy, DatasetRepositoryError, "got a link")


@pytest.mark.parametrize("name", ["manifest.json", "plan.json", "manifests/train.txt", TRAIN])
def test_unfinished_datasets(copy, name):
    (copy / name).unlink()
    refuses(copy, DatasetRepositoryError, rf"{re.escape(name)}.*make the dataset again")


def test_half_written_shards(copy):
    (copy / "data" / "train-00000-of-00001.partial").write_bytes(b"half")
    refuses(copy, DatasetRepositoryError, "half written")


def test_a_flipped_bit(copy):
    data = bytearray((copy / TRAIN).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / TRAIN).write_bytes(data)
    refuses(copy, DatasetRepositoryError, rf"{TRAIN}: expected SHA-256")


def test_a_truncated_shard(copy):
    data = (copy / TRAIN).read_bytes()
    (copy / TRAIN).write_bytes(data[:-100])
    refuses(copy, DatasetRepositoryError, rf"{TRAIN}: expected {len(data)} bytes, got {len(data) - 100}")


def test_a_shard_that_is_no_parquet(copy):
    (copy / TRAIN).write_bytes(b"PAR1 but no more")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"][TRAIN] |= {"bytes": 16, "sha256": hashlib.sha256(b"PAR1 but no more").hexdigest()}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    refuses(copy, DatasetRepositoryError, rf"{TRAIN}: expected a Parquet file")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda p: p.pop("seed"), "expected seed"),
        (lambda p: p.update(events=61), "expected 60 events, got 61"),
        (lambda p: p.update(seed="5"), "seed: expected at least 0, a whole number, got '5'"),
        (lambda p: p.update(detector="nope"), "detector: expected one of modular-2x2x7, .*, got 'nope'"),
        (lambda p: p.update(spectrum=["flat"]), r"spectrum: expected one of flat-0-10, .*, got \['flat'\]"),
        (
            lambda p: p.update(seed=99),
            "column event_id: expected sim-99-0 to sim-99-59, by plan.json, got 'sim-5",
        ),
        (
            lambda p: p.update(detector=DUNE_LIKE.name),
            f"column source: .* detector={DUNE_LIKE.name}, by plan.json",
        ),
        (
            lambda p: p.update(spectrum="broad-0.5-40"),
            "column neutrino_energy: .* 0.5 to 40 GeV, by plan.json",
        ),
    ],
)
def test_plans_tell_how_the_events_were_made(copy, change, match):
    plan = json.loads((copy / "plan.json").read_text())
    change(plan)
    (copy / "plan.json").write_text(json.dumps(plan))
    refuses(copy, DatasetRepositoryError, match)


def test_pages_that_cannot_be_decoded(copy):
    data = bytearray((copy / TRAIN).read_bytes())
    data[10:4000] = bytes(3990)
    (copy / TRAIN).write_bytes(data)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"][TRAIN]["sha256"] = hashlib.sha256(data).hexdigest()
    (copy / "manifest.json").write_text(json.dumps(manifest))
    refuses(copy, DatasetRepositoryError, rf"{TRAIN}: expected Parquet that can be read")


def renamed(name):
    return lambda m: m["files"].update({name: m["files"].pop(TRAIN)})


MANIFEST_FAULTS = {
    "upwards": (renamed("../train-00000-of-00001.parquet"), "shards named"),
    "absolute": (renamed("/data/train-00000-of-00001.parquet"), "shards named"),
    "upwards inside": (renamed("data/../train-00000-of-00001.parquet"), "shards named"),
    "pickle": (renamed("data/train.pkl"), "shards named"),
    "gap": (renamed("data/train-00001-of-00002.parquet"), "entry for data/train-00000-of-00002"),
    "no files": (lambda m: m.pop("files"), "files"),
    "empty": (lambda m: m.update(files={}, splits={}), "events of its files"),
    "no digest": (lambda m: m["files"][TRAIN].pop("sha256"), "sha256"),
    "odd digest": (lambda m: m["files"][TRAIN].update(sha256="abc"), "SHA-256"),
    "splits": (lambda m: m["splits"].update(train=1), "in its splits"),
    "list": (lambda m: m.update(files=["a"]), "manifest.json: "),
}


@pytest.mark.parametrize("fault", MANIFEST_FAULTS)
def test_manifests_that_cannot_be_trusted(copy, fault):
    change, match = MANIFEST_FAULTS[fault]
    manifest = json.loads((copy / "manifest.json").read_text())
    change(manifest)
    (copy / "manifest.json").write_text(json.dumps(manifest))
    refuses(copy, DatasetRepositoryError, match)


@pytest.mark.parametrize("text", ["", "{", "[]", "\udcff"])
def test_manifests_that_are_no_json(copy, text):
    (copy / "manifest.json").write_bytes(text.encode(errors="surrogateescape"))
    refuses(copy, DatasetRepositoryError, r"manifest\.json: expected (a )?JSON")


def test_fewer_rows_than_the_manifest_says(copy):
    rewrite(copy, lambda table: table.slice(0, table.num_rows - 1))
    refuses(copy, DatasetRepositoryError, rf"{TRAIN}: expected \d+ rows")


def test_split_manifests_name_the_rows(copy):
    path = copy / "manifests" / "train.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], "sim-5-999"]) + "\n")
    refuses(copy, DatasetRepositoryError, r"train\.txt: .*(sim-5-999|" + lines[-1] + ")")
    path.write_text("\n".join(reversed(lines)) + "\n")
    refuses(copy, DatasetRepositoryError, "another order")


def test_one_configuration_has_one_set_of_columns(copy):
    rewrite(copy, lambda table: table.drop_columns("n_protons"), "data/test-00000-of-00001.parquet")
    refuses(copy, DatasetRepositoryError, r"data/test-.*n_protons")


def test_columns_have_the_types_of_the_card(copy):
    def narrow(table):
        position = table.schema.get_field_index("label")
        return table.set_column(position, "label", table["label"].cast(pa.int32()))

    rewrite(copy, narrow)
    refuses(copy, DatasetRepositoryError, r"column label: expected ClassLabel.*got Value\('int32'\)")


def test_classes_are_numbered_as_on_the_card(copy):
    def swap(table):
        stored = table.schema.metadata[b"huggingface"]
        return table.replace_schema_metadata({"huggingface": stored.replace(b"nue_cc", b"nutau_cc")})

    rewrite(copy, swap)
    refuses(copy, DatasetRepositoryError, r"column label: expected .*nutau_cc.*got .*nue_cc")


def first(value):
    return lambda pixels: [value, *pixels[1:]]


def last(value):
    return lambda pixels: [*pixels[:-1], value]


OTHER_SPLIT = next(f"sim-9-{number}" for number in range(1000) if split_of(f"sim-9-{number}") == "test")
OTHER_EVENT = next(f"sim-5-{number}" for number in range(60, 99) if split_of(f"sim-5-{number}") == "train")
ROW_FAULTS = {
    "nan": ("xz_energy", first(float("nan")), "finite numbers, got nan at entry 0: mask dead"),
    "infinite": ("yz_energy", last(float("inf")), "finite numbers, got inf"),
    "negative": ("xz_energy", last(-0.5), "at least 0 MeV, got -0.5"),
    "outside": ("xz_index", last(512 * 512), "at most 262143, got 262144"),
    "unsorted": ("xz_index", lambda pixels: pixels[::-1], "rising"),
    "twice": ("xz_index", lambda pixels: [pixels[0], pixels[0], *pixels[2:]], "each once"),
    "short": ("xz_energy", lambda pixels: pixels[:-1], "as many entries as in 'xz_index'"),
    "no list": ("xz_index", lambda _: None, "a list"),
    "hole": ("xz_energy", first(None), "a number, got null"),
    "label": ("label", lambda _: 3, "at most 2, got 3 .*: number the classes from 0: nue_cc"),
    "negative label": ("label", lambda _: -1, "at least 0, got -1"),
    "mode": ("interaction_mode", lambda _: 9, "at most 4, got 9"),
    "truth": ("neutrino_energy", lambda _: float("nan"), "finite numbers, got nan"),
    "below zero": ("deposited_energy", lambda _: -1.0, "at least 0 MeV, got -1.0"),
    "vertex": ("vertex", lambda _: [0.0, float("inf"), 0.0], "finite numbers, got inf at entry 1"),
    "home": ("source", lambda _: "/home/me/run7.h5#3", "no path of this machine's disk, got '/home/me"),
    "url": ("source", lambda _: "file:///data/run7.h5", "no path"),
    "host": ("source", lambda _: "node7:/data/run7.h5", "no path"),
    "way up": ("source", lambda _: "from ../../run7.h5", "no path"),
    "other seed": ("source", lambda s: s.replace("seed=5", "seed=6"), "seed=5 event="),
    "other event": ("event_id", lambda _: OTHER_EVENT, "sim-5-0 to sim-5-59, by plan.json"),
    "other energy": (
        "neutrino_energy",
        lambda _: 10.5,
        "0 to 10 GeV, by plan.json, got 10.5",
    ),
    "windows": ("source", lambda _: r"read C:\data\run7.h5", "no path"),
    "no source": ("source", lambda _: None, "a text, got null"),
    "detector": ("detector", lambda _: DUNE_LIKE.name, "modular-2x2x7, got 'dune"),
    "no name": ("event_id", lambda _: "", "one line of text"),
    "split": ("event_id", lambda _: OTHER_SPLIT, f"split train, got '{OTHER_SPLIT}', which belongs to test"),
    "linked picture": ("display", lambda d: {"bytes": d["bytes"], "path": "x.png"}, "within the row"),
    "no picture": ("display", lambda _: {"bytes": b"\x80\x04K.", "path": None}, "PNG"),
}


@pytest.mark.parametrize("fault", ROW_FAULTS)
def test_rows_that_are_wrong(copy, fault):
    name, change, match = ROW_FAULTS[fault]
    pixels = pq.read_table(copy / TRAIN)["xz_index"].to_pylist()
    row = next(number for number in range(2 * GROUP, len(pixels)) if len(pixels[number]) > 2)

    def damage(table):
        for view in ("xz", "yz"):  # rows without a pixel before it
            for part in ("index", "energy"):
                values = table[f"{view}_{part}"].to_pylist()
                values[0] = values[row - 1] = []
                table = with_column(table, f"{view}_{part}", values)
        values = table[name].to_pylist()
        values[row] = change(values[row])
        return with_column(table, name, values)

    rewrite(copy, damage)
    named = "xz_energy" if fault == "short" else name
    refuses(copy, DatasetRowError, rf"{TRAIN}, row {row}, column {named}: expected .*{match}")


def test_an_event_may_not_occur_twice(copy):
    def repeat(table):
        names = table["event_id"].to_pylist()
        return with_column(table, "event_id", [*names[:-1], names[0]])

    rewrite(copy, repeat)
    refuses(copy, DatasetRowError, r"column event_id: expected each event once.*train-\S+ row 0 as well")


def test_an_event_may_not_be_in_two_splits(copy):
    trained = pq.read_table(copy / TRAIN)["event_id"][3].as_py()

    def leak(table):
        return with_column(table, "event_id", [trained, *table["event_id"].to_pylist()[1:]])

    rewrite(copy, leak, "data/test-00000-of-00001.parquet")
    refuses(
        copy, DatasetRowError, rf"data/test-.*, row 0, .*'{trained}', which is in train-\S+ row 3 as well"
    )


def test_unknown_truth_and_empty_maps_are_no_fault(copy, tmp_path):
    def empty(table):
        for name in ("label", "interaction_mode", "neutrino_energy", "vertex", "n_protons"):
            table = with_column(table, name, [None] * table.num_rows)
        for name in ("xz_index", "xz_energy"):
            table = with_column(table, name, [[]] * table.num_rows)
        return table

    rewrite(copy, empty)
    prepare_dataset_repository({"default": copy}, REPO_ID, tmp_path / "out")
    assert [check for check in check_dataset_repository(tmp_path / "out") if check.problem] == []


# What is checked after a download


@pytest.fixture
def downloaded(two_configs, tmp_path) -> Path:
    return shutil.copytree(two_configs, tmp_path / "snapshot")


def problems(folder: Path) -> dict[str, str]:
    return {check.name: check.problem for check in check_dataset_repository(folder) if check.problem}


def test_a_good_repository_passes(two_configs, tmp_path):
    snapshot = tmp_path / "snapshot"  # as the client's cache lays it out: links to blobs
    for number, path in enumerate(sorted(p for p in two_configs.rglob("*") if p.is_file())):
        blob = tmp_path / "blobs" / str(number)
        blob.parent.mkdir(exist_ok=True)
        blob.write_bytes(path.read_bytes())
        link = snapshot / path.relative_to(two_configs)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blob)
    (snapshot / "checksums.json").write_text("{}")
    checks = list(check_dataset_repository(snapshot))
    assert [check for check in checks if check.problem] == []
    assert {
        f"{config}: {part}" for config in ("near", "far") for part in ("manifest", "checksums", "rows")
    } <= {check.name for check in checks}
    assert sum(check.name.endswith("loads") for check in checks) == 6


def edit_metadata(folder: Path, change) -> None:
    card = DatasetCard.load(folder / "README.md")
    metadata = card.data.to_dict()
    change(metadata)
    (folder / "README.md").write_text(f"---\n{yaml.safe_dump(metadata, sort_keys=False)}---\n{card.text}")


METADATA_FAULTS = {
    "licence": (lambda m: m.update(license="other"), "card: metadata", "identifier"),
    "no configs": (lambda m: m.pop("configs"), "card: metadata", "configs"),
    "no info": (lambda m: m["dataset_info"].pop(), "card: metadata", "dataset_info of far"),
    "no default": (lambda m: m["configs"][0].pop("default"), "card: metadata", "as default"),
    "elsewhere": (
        lambda m: m["configs"][1]["data_files"][0].update(path="../train-*.parquet"),
        "card: metadata",
        "got '../train",
    ),
    "counts": (
        lambda m: m["dataset_info"][1]["splits"][0].update(num_examples=7),
        "far: manifest",
        "'train': 7",
    ),
    "column": (lambda m: m["dataset_info"][1]["features"].pop(0), "far: train loads", "column"),
}


@pytest.mark.parametrize("fault", METADATA_FAULTS)
def test_metadata_that_is_wrong(downloaded, fault):
    change, name, match = METADATA_FAULTS[fault]
    edit_metadata(downloaded, change)
    assert re.search(match, problems(downloaded)[name])


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        (r"## Citation\n\n.*", "## Citation\n", "Citation"),
        (r"`apache-2\.0`", "$licence", "placeholder"),
        (r"`apache-2\.0`", "That of the files that were converted: state it here.", "placeholder"),
    ],
)
def test_texts_that_are_not_finished(downloaded, old, new, match):
    card = downloaded / "README.md"
    text, times = re.subn(old, new, card.read_text())
    assert times == 1
    card.write_text(text)
    assert re.search(match, problems(downloaded)["card: sections"])


def test_a_card_that_is_missing_or_broken(downloaded):
    (downloaded / "README.md").write_text("---\nlicense: [\n---\n# Broken\n")
    assert set(problems(downloaded)) == {"card: metadata"}
    (downloaded / "README.md").unlink()
    assert "got none" in problems(downloaded)["card: metadata"]


def test_files_that_are_wrong(downloaded):
    (downloaded / "lartpc-pixelmaps.py").write_text("import os")
    shard = downloaded / "far" / "data" / "train-00001-of-00003.parquet"
    data = bytearray(shard.read_bytes())
    data[100] ^= 1
    shard.write_bytes(data)
    found = problems(downloaded)
    assert "lartpc-pixelmaps.py" in found["files: none but the dataset's"]
    assert "train-00001-of-00003.parquet: expected SHA-256" in found["far: checksums"]
    assert not any(name.startswith("near") for name in found)


def test_rows_that_were_uploaded_wrong(downloaded):
    def damage(table):
        energies = table["xz_energy"].to_pylist()
        energies[4][0] = float("nan")
        return with_column(table, "xz_energy", energies)

    rewrite(downloaded / "near", damage)
    assert set(problems(downloaded)) == {"near: rows"}


# The Hub

UPLOAD = """
import sys
from huggingface_hub import HfApi
HfApi().create_repo("org/lartpc-pixelmaps", repo_type="dataset")
HfApi().upload_folder(repo_id="org/lartpc-pixelmaps", repo_type="dataset", folder_path=sys.argv[1])
"""
LOAD = """
far = load_dataset("org/lartpc-pixelmaps", "far", split="test", streaming=True)
near = load_dataset("org/lartpc-pixelmaps", "near", split="train", revision=revision)
print(len(near), *sorted(event["event_id"] for event in far))
"""


def test_the_snippets_of_the_card_run_from_a_hub_without_nuzoo(two_configs, local_hub, run_fresh):
    uploaded = run_fresh(UPLOAD, two_configs)
    assert uploaded.returncode == 0, uploaded.stderr
    snippets = re.findall(r"```python\n(.*?)```", (two_configs / "README.md").read_text(), re.DOTALL)
    assert len(snippets) == 4
    done = run_fresh("\n".join(snippets) + LOAD, without_nuzoo=True)
    assert done.returncode == 0, done.stderr
    rows, *names = done.stdout.split()
    assert int(rows) == pq.read_metadata(two_configs / "near" / TRAIN).num_rows
    assert names == sorted((two_configs / "far" / "manifests" / "test.txt").read_text().split())
