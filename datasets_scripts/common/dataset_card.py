"""The card of a pixel-map dataset: text from the template, facts from the dataset itself.

A dataset folder and a repository on the Hub have the same card but for the name in its snippets, the
licence and the citation, which only its publisher knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import yaml
from datasets import ClassLabel, Image, List

from nuzoo.datasets_scripts.common.dataset_facts import DatasetFacts, dataset_facts
from nuzoo.datasets_scripts.pixel_map_rows import DESCRIPTIONS, LABELS, SPLITS
from nuzoo.datasets_scripts.readers.dune_cvn import MEV_PER_COUNT
from nuzoo.files.atomic import write_atomically
from nuzoo.files.names import CARD_FILE
from nuzoo.simulation.detectors import DUNE_LIKE, Detector

TEMPLATE = "pixel_map_dataset.md"
DEFAULT_CONFIG = "default"
SIMULATION_LICENCE = "apache-2.0"
LICENCE_NOT_STATED = "That of the files that were converted: state it here."

SIMULATION_LIMITS = (
    "The simulation is a fast parametrised one and approximate in multiplicities, final-state interactions "
    "and hadronic showers; nuzoo's `docs/interactions.md` and `docs/transport.md` measure how far it is from "
    "GENIE, GiBUU and published tables. Numbers that matter must be checked with a full simulation."
)
CONVERSION_LIMITS = (
    "Truth is what the files state; columns that they do not have are null. The detector's properties above "
    "are those of nuzoo's description of it, not measured from these files."
)
SIMULATION_CITATION = "Cite nuzoo (CITATION.cff) and, for the detector and the task, arXiv:2509.08461."
CONVERSION_CITATION = "Cite the source of the files, which each row's `source` names."

FOLDER_USAGE = """```python
from pathlib import Path

from datasets import load_dataset

folder = Path.cwd()  # where this file lies
events = load_dataset(str(folder), split="$split")  # nuzoo is not needed
event = events[0]
event["$index"], event["$energy"]  # active pixels, and their energies in MeV
```"""

REPOSITORY_USAGE = """```python
from datasets import load_dataset

events = load_dataset("$repo_id", split="$split")  # nuzoo is not needed
event = events[0]
event["$index"], event["$energy"]  # active pixels, and their energies in MeV
```

Row by row, without downloading all of it:

```python
stream = load_dataset("$repo_id", split="$split", streaming=True)
event = next(iter(stream))
```

A configuration by its name:

```python
events = load_dataset("$repo_id", "$config", split="$config_split")
```

The same bytes for ever, by the commit that they came with:

```python
from huggingface_hub import dataset_info
from nuzoo.files.names import CARD_FILE

revision = dataset_info("$repo_id").sha  # write it down
events = load_dataset("$repo_id", split="$split", revision=revision)
```"""


def write_dataset_card(folder: Path) -> Path:
    """Writes the README.md of a finished dataset folder."""
    card = folder / CARD_FILE
    write_atomically(card, dataset_card({DEFAULT_CONFIG: dataset_facts(folder)}))
    return card


def dataset_card(
    configs: Mapping[str, DatasetFacts],
    repo_id: str | None = None,
    *,
    licence: str | None = None,
    citation: str | None = None,
) -> str:
    """The card, with the metadata that `load_dataset` and the dataset viewer read.

    Args:
        configs: The dataset of each configuration; the first is the one that loads without a name. One
            alone lies in `data/`, of several each lies in `<name>/data/`.
        repo_id: Name on the Hub; None for the card of a folder.
        licence: Identifier of the Hub. None takes that of the simulation, and leaves that of converted
            files to be stated.
        citation: Markdown.
    """
    simulated = all(facts.simulated for facts in configs.values())
    licence = licence or (SIMULATION_LICENCE if simulated else None)
    text = files("nuzoo.model_cards").joinpath(TEMPLATE).read_text(encoding="utf-8")
    card = Template(text).substitute(
        title=(repo_id or "lartpc-pixelmaps").rpartition("/")[2],
        summary=_summary(configs),
        configs_table=_configs_table(configs),
        kind=_by_kind(
            configs,
            "Simulated by nuzoo's fast parametrised simulation (not GENIE and Geant4).",
            "Read from detector files; whether these were simulated or measured, their source tells.",
        ),
        usage=_usage(configs, repo_id),
        features_table=_features_table(configs.values()),
        splits_table=_splits_table(configs) + _empty_splits(configs),
        split_manifests=", ".join(f"`{_root(configs, name)}manifests/`" for name in configs),
        detectors=_detectors(configs.values()),
        generation="\n".join(f"- `{name}`: {_generation(facts)}" for name, facts in configs.items()),
        size_table=_size_table(configs),
        limits=_by_kind(configs, SIMULATION_LIMITS, CONVERSION_LIMITS),
        licence=f"`{licence}`" if licence else LICENCE_NOT_STATED,
        citation=_by_kind(configs, SIMULATION_CITATION, CONVERSION_CITATION)
        if citation is None
        else citation,
    )
    metadata = yaml.safe_dump(_metadata(configs, licence or "other"), sort_keys=False, allow_unicode=True)
    return f"---\n{metadata}---\n\n{card}"


def _root(configs: Mapping[str, DatasetFacts], name: str) -> str:
    return "" if len(configs) == 1 else f"{name}/"


def _metadata(configs: Mapping[str, DatasetFacts], licence: str) -> dict[str, Any]:
    described = [{"config_name": name, **_dataset_info(facts)} for name, facts in configs.items()]
    detectors = dict.fromkeys(facts.detector.name for facts in configs.values())
    return {
        "license": licence,
        "task_categories": ["image-classification"],
        "tags": ["physics", "neutrino", "LArTPC", "pixel maps"],
        "pretty_name": f"LArTPC pixel maps ({', '.join(detectors)})",
        "size_categories": [_size_category(sum(facts.events for facts in configs.values()))],
        "configs": [
            {
                "config_name": name,
                "data_files": [
                    {"split": split, "path": f"{_root(configs, name)}data/{split}-*.parquet"}
                    for split in facts.splits
                ],
                **({"default": True} if name == next(iter(configs)) else {}),
            }
            for name, facts in configs.items()
        ],
        "dataset_info": described if len(described) > 1 else described[0],
    }


def _dataset_info(facts: DatasetFacts) -> dict[str, Any]:
    return {
        "features": facts.features._to_yaml_list(),
        "splits": [
            {"name": name, "num_bytes": split.unpacked, "num_examples": split.events}
            for name, split in facts.splits.items()
        ],
        "download_size": facts.bytes,
        "dataset_size": sum(split.unpacked for split in facts.splits.values()),
    }


def _size_category(events: int) -> str:
    steps = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
    return next((name for limit, name in steps.items() if events < limit), "n>1M")


def _summary(configs: Mapping[str, DatasetFacts]) -> str:
    events = sum(facts.events for facts in configs.values())
    size = sum(facts.bytes for facts in configs.values())
    several = f" in {len(configs)} configurations" if len(configs) > 1 else ""
    return f"{events:,} events{several}, {_megabytes(size)} MB."


def _configs_table(configs: Mapping[str, DatasetFacts]) -> str:
    return _table(
        ("configuration", "detector", "views", "pixels of a view (rows × columns)", "events"),
        [
            (
                f"`{name}`",
                f"`{facts.detector.name}`",
                ", ".join(view.name for view in facts.detector.views),
                ", ".join(dict.fromkeys(f"{view.rows} × {view.columns}" for view in facts.detector.views)),
                f"{facts.events:,}",
            )
            for name, facts in configs.items()
        ],
    )


def _by_kind(configs: Mapping[str, DatasetFacts], simulated: str, converted: str) -> str:
    """One of two sentences, or both where the configurations differ, each with whom it is about."""
    names = {
        text: [f"`{name}`" for name, facts in configs.items() if facts.simulated is kind]
        for text, kind in ((simulated, True), (converted, False))
    }
    about = {text: group for text, group in names.items() if group}
    if len(about) == 1:
        return next(iter(about))
    return "\n".join(f"- {', '.join(group)}: {text}" for text, group in about.items())


def _usage(configs: Mapping[str, DatasetFacts], repo_id: str | None) -> str:
    names = list(configs)
    first, last = configs[names[0]], configs[names[-1]]
    view = first.detector.views[0].name
    return Template(REPOSITORY_USAGE if repo_id else FOLDER_USAGE).safe_substitute(
        repo_id=repo_id,
        split=next(iter(first.splits)),
        index=f"{view}_index",
        energy=f"{view}_energy",
        config=names[-1],
        config_split=next(iter(last.splits)),
    )


def _features_table(configs: Iterable[DatasetFacts]) -> str:
    features = {name: feature for facts in configs for name, feature in facts.features.items()}
    return _table(
        ("column", "type", "content"),
        [(f"`{name}`", _type(feature), _described(name)) for name, feature in features.items()],
    )


def _described(name: str) -> str:
    part = name.rpartition("_")[2]
    return DESCRIPTIONS[name] if name in DESCRIPTIONS else DESCRIPTIONS[f"<view>_{part}"]


def _type(feature: Any) -> str:
    if isinstance(feature, ClassLabel):
        return f"class: {', '.join(f'{number} {name}' for number, name in enumerate(feature.names))}"
    if isinstance(feature, List):
        return f"{'list' if feature.length < 0 else feature.length} of {feature.feature.dtype}"
    return "image" if isinstance(feature, Image) else feature.dtype


def _splits_table(configs: Mapping[str, DatasetFacts]) -> str:
    return _table(
        ("configuration", "split", "events", *(f"`{label}`" for label in LABELS), "no class"),
        [
            (
                f"`{name}`",
                split_name,
                f"{split.events:,}",
                *(f"{split.classes[label]:,}" for label in (*LABELS, None)),
            )
            for name, facts in configs.items()
            for split_name, split in facts.splits.items()
        ],
    )


def _empty_splits(configs: Mapping[str, DatasetFacts]) -> str:
    """A warning: who trains or measures on a split must know that it is not there."""
    empty = {
        name: [split for split in SPLITS if split not in facts.splits] for name, facts in configs.items()
    }
    named = [f"`{name}` has none in {' and '.join(splits)}" for name, splits in empty.items() if splits]
    return f"\n\n**No events**: {'; '.join(named)}." if named else ""


def _absent(facts: DatasetFacts) -> str:
    return " and ".join(split for split in SPLITS if split not in facts.splits)


def _size_table(configs: Mapping[str, DatasetFacts]) -> str:
    return _table(
        ("configuration", "files", "MB to download", "bytes an event"),
        [
            (f"`{name}`", facts.shards, _megabytes(facts.bytes), f"{facts.bytes / facts.events:,.0f}")
            for name, facts in configs.items()
        ],
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f}"


def _generation(facts: DatasetFacts) -> str:
    if not facts.simulated:
        digest = facts.plan["sha256"]
        return f"read from detector files by `nuzoo convert`; the SHA-256 of the rows is `{digest}`."
    plan = facts.plan
    return (
        f"`nuzoo simulate {plan['dataset']} --events {plan['events']} --seed {plan['seed']} "
        f"--detector {plan['detector']} --spectrum {plan['spectrum']}`, {plan['shard_size']} events a file "
        f"at most; {' '.join(facts.first_source.split()[:2])}, digest of its source `{plan['simulation']}`."
    )


def _detectors(configs: Iterable[DatasetFacts]) -> str:
    instances = {facts.detector.name: facts.detector for facts in configs}
    return "\n\n".join(f"### {name}\n\n{_detector_facts(each)}" for name, each in instances.items())


def _detector_facts(detector: Detector) -> str:
    size = " × ".join(
        f"{(high - low) / 100:g}" for low, high in zip(detector.low, detector.high, strict=True)
    )
    drift, electronics = detector.drift, detector.electronics
    facts = {
        "active volume": f"{size} m of {detector.material.name.replace('_', ' ')}",
        "anodes": f"x = {', '.join(f'{anode / 100:g}' for anode in drift.anodes)} m",
        "drift field": f"{drift.field:g} kV/cm, {drift.velocity:g} mm/µs, lifetime {drift.lifetime:g} ms",
        "diffusion after 1 m": (
            f"{drift.transverse_diffusion:g} mm across, {drift.longitudinal_diffusion:g} mm along"
        ),
        "noise and threshold": f"{electronics.noise:g} and {electronics.threshold:g} electrons",
    }
    for view in detector.views:
        facts[f"view {view.name}"] = (
            f"{view.rows} × {view.columns} pixels of {view.row_pitch_mm:g} × {view.column_pitch_mm:g} mm"
        )
    if detector == DUNE_LIKE:
        facts["one count of an 8-bit map of the DUNE CVN"] = (
            f"{MEV_PER_COUNT:g} MeV, unless `nuzoo convert --mev-per-count` says otherwise"
        )
    return _table(("property", "value"), facts.items())


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
