"""Datasets of events in space: made, published, verified, loaded and streamed, and what their cards say."""

import json
import re
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import DatasetInfo
from huggingface_hub import DatasetCard

from nuzoo.cli import main
from nuzoo.datasets_scripts.common.samples import schema_of, targets_of
from nuzoo.datasets_scripts.common.splits import SPLITS, split_of
from nuzoo.files.plain_text import plain
from nuzoo.hub.cards import empty_sections
from nuzoo.hub.dataset.checks import PLACEHOLDER
from nuzoo.registry import DATASETS
from nuzoo.simulation.detectors import find_detector

from ..datasets_scripts.larcv_files import EVENT, larcv_event, write_larcv
from ..datasets_scripts.pilarnet_files import SMALL, pilarnet_event, write_pilarnet
from .flows import Session, contents

EVENTS = 12
SEED = next(s for s in count() if {split_of(f"sim-{s}-{index}") for index in range(EVENTS)} == set(SPLITS))
"""Of so few events, some in each split."""


def simulated(name):
    def make(folder: Path) -> Path:
        out = folder / name
        numbers = {"--events": EVENTS, "--seed": SEED, "--shard-size": 3, "--out": out}
        assert main(["simulate", name, *(str(part) for pair in numbers.items() for part in pair)]) == 0
        return out

    return make


def pilarnet(folder: Path) -> Path:
    out = folder / "pilarnet-m"
    for number, split in enumerate(("train", "val", "test"), 1):
        write_pilarnet(folder / split / "a.h5", [pilarnet_event(SMALL, seed=seed) for seed in range(number)])
    files = [str(folder / split) for split in ("train", "val", "test")]
    options = ["--format", "pilarnet-m", "--min-points", "0", "--out", str(out)]
    assert main(["convert", *files, *options]) == 0
    return out


def pilarnet_of_2020(folder: Path) -> Path:
    out = folder / "pilarnet-2020"
    file = write_larcv(folder / "a.h5", [larcv_event(EVENT)] * EVENTS)
    fractions = ["--split-fractions", "train=0.4,validation=0.3,test=0.3"]
    assert main(["convert", str(file), "--format", "pilarnet-2020", *fractions, "--out", str(out)]) == 0
    return out


MAKE = {
    "fasercal": simulated("fasercal"),
    "lartpc-cubes": simulated("lartpc-cubes"),
    "pilarnet-2020": pilarnet_of_2020,
    "pilarnet-m": pilarnet,
    "scintillator-particles": simulated("scintillator-particles"),
}
LICENCE = ["--licence", "cc-by-4.0"]
"""That of files of others must be stated."""


@pytest.fixture(scope="module")
def session(local_hub, tmp_path_factory):
    with Session(local_hub, tmp_path_factory.mktemp("cache")) as session:
        yield session


@pytest.fixture(scope="module", params=MAKE)
def folder(request, tmp_path_factory) -> Path:
    return MAKE[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def repository(folder, session) -> str:
    name = f"org/{folder.name}"
    session.publish(
        folder, "--repo", name, "--type", "dataset", *([] if DATASETS[folder.name].simulate else LICENCE)
    )
    return name


def test_no_dataset_is_forgotten():
    assert set(MAKE) == {name for name, row in DATASETS.items() if row.modality != "pixel-maps"}


def written(folder: Path) -> dict[str, list[dict]]:
    """The rows of each split, as Parquet holds them."""
    rows = {}
    for shard in sorted(folder.glob("data/*.parquet")):
        rows.setdefault(shard.name.partition("-")[0], []).extend(pq.read_table(shard).to_pylist())
    return rows


LOADED = """
import pyarrow.parquet as pq
from datasets import load_dataset
shards = {{split: sorted(Path({folder!r}).glob(f"data/{{split}}-*.parquet")) for split in {splits!r}}}
for streaming in (False, True):
    for split, rows in load_dataset({name!r}, streaming=streaming).items():
        expected = [row for shard in shards.pop(split) for row in pq.read_table(shard).to_pylist()]
        assert list(rows) == expected and expected
        print(split, len(expected), len(expected[0]))
    assert not shards
    shards = {{split: sorted(Path({folder!r}).glob(f"data/{{split}}-*.parquet")) for split in {splits!r}}}
"""


def test_it_is_published_verified_loaded_back_and_streamed(folder, repository, session):
    verified = session.nuzoo("verify", repository, "--type", "dataset")
    assert verified.status == 0, verified.out
    rows = written(folder)
    assert set(rows) == set(SPLITS)
    said = session.run(LOADED.format(folder=str(folder), name=repository, splits=list(rows)))
    columns = len(rows["train"][0])
    expected = sorted(f"{split} {len(members)} {columns}" for split, members in rows.items())
    first, second = np.array_split(said.splitlines(), 2)
    assert sorted(first) == sorted(second) == expected


WORKERS = """
from torch.utils.data import DataLoader
rows = load_dataset({name!r}, split="train", streaming=True).select_columns("event_id")
batches = DataLoader(rows, batch_size=2, num_workers=2)
print(rows.num_shards, *(name for batch in batches for name in batch["event_id"]))
"""


def test_the_card_says_how_the_rows_were_made(folder):
    plan = json.loads((folder / "plan.json").read_text())
    card = (folder / "README.md").read_text().partition("## Generation")[2].partition("## Size")[0]
    if "simulation" in plan:
        made = f"`nuzoo simulate {folder.name} --events {EVENTS} --seed {SEED} --detector {plan['detector']}`"
        assert made in card and plan["simulation"] in card
    else:
        assert f"`nuzoo convert --format {folder.name}`, energy_threshold " in card and plan["sha256"] in card
        assert all(f", {name} {value}" in card for name, value in plan["options"].items())


def test_two_workers_give_each_event_of_the_stream_once(folder, repository, session):
    shards, *names = session.run(
        "from datasets import load_dataset" + WORKERS.format(name=repository)
    ).split()
    assert int(shards) == len([*folder.glob("data/train-*.parquet")])
    assert sorted(names) == sorted(row["event_id"] for row in written(folder)["train"])


def test_rows_know_what_the_schema_says(folder):
    """Of no column a wrong type, of every event its own hits and no truth that its tables lack."""
    for members in written(folder).values():
        for row in members:
            schema = schema_of(DATASETS[folder.name].modality, find_detector(row["detector"]))
            assert list(row) == [column.name for column in schema.columns]
            assert all(row[column.name] is not None for column in schema.columns if column.required)


def test_its_card_tells_everything(folder, repository, local_hub):
    card = DatasetCard(contents(local_hub, repository, "dataset")["README.md"].decode())
    assert empty_sections(card.text) == [] and not PLACEHOLDER.search(card.text)
    rows = [row for members in written(folder).values() for row in members]
    schema = schema_of(DATASETS[folder.name].modality, find_detector(rows[0]["detector"]))
    assert list(DatasetInfo._from_yaml_dict(dict(card.data["dataset_info"])).features) == [*schema.by_name]
    for column in schema.columns:
        (line,) = re.findall(rf"^\| `{column.name}` \| (.+) \|$", card.text, re.M)
        assert column.text in line and (column.unit or "") in line
        assert all(plain(name) in line for name in column.classes)
        if column.name in targets_of(DATASETS[folder.name]) and column.classes and not column.is_ragged:
            assert all(f"`{column.name}` {plain(name)}" in card.text for name in column.classes)
        elif column.classes:
            lists = [row[column.name] if column.is_ragged else [row[column.name]] for row in rows]
            entries = [entry for each in lists for entry in each or () if entry is not None]
            shares = re.search(rf"^\| `default` \| `{column.name}` \| (.+) \|$", card.text, re.M)
            assert bool(shares) == bool(entries)
            for number, name in enumerate(column.classes if entries else ()):
                share = 100 * entries.count(number) / len(entries)
                assert re.search(rf"\b{name} {share:.3g} %", shares[1])
