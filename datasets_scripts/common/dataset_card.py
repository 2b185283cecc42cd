"""The card of a dataset: text from the templates, facts from the dataset itself.

A dataset folder and a repository on the Hub have the same card but for the name in its snippets, the
licence and the citation, which only its publisher knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from datasets import ClassLabel, Image, List
from huggingface_hub import DatasetCard, DatasetCardData

from nuzoo.datasets_scripts.common.dataset_facts import DatasetFacts, dataset_facts
from nuzoo.datasets_scripts.common.described import write_description
from nuzoo.datasets_scripts.common.splits import HASHED, STAYS
from nuzoo.files.atomic import write_atomically
from nuzoo.files.names import CARD_FILE, MANIFESTS_FOLDER
from nuzoo.files.plain_text import plain
from nuzoo.registry import Sample, import_object

TEMPLATE = "dataset.md"
DEFAULT_CONFIG = "default"
SIMULATION_LICENCE = "apache-2.0"
LICENCE_NOT_STATED = "That of the files that were converted: state it here."

SIMULATED = "Simulated by nuzoo's fast parametrised simulation (not GENIE and Geant4)."
GIVEN_KINDS = {
    "interactions": (
        "Interactions of another generator, transported and recorded by nuzoo's fast parametrised simulation."
    ),
    "deposits": "Energy deposits of another simulation, recorded by nuzoo's response of the detector.",
}
CONVERTED = "Read from detector files; whether these were simulated or measured, their source tells."
SIMULATION_LIMITS = (
    "The simulation is a fast parametrised one and approximate in multiplicities, final-state interactions "
    "and hadronic showers; nuzoo's `docs/interactions.md` and `docs/transport.md` measure how far it is from "
    "GENIE, GiBUU and published tables. Numbers that matter must be checked with a full simulation."
)
CONVERSION_LIMITS = (
    "Truth is what the files state; columns that they do not have are null. The detector's properties above "
    "are those of nuzoo's description of it, not measured from these files."
)
GIVEN_LIMITS = {
    "interactions": (
        "Interactions are those of the file, on its nuclei whatever the detector is of; they are put "
        "anywhere in it, along the beam. Transport and response are nuzoo's, fast and parametrised."
    ),
    "deposits": (
        "Deposits are those of the file, with its axes, whatever they were made in; the response alone is "
        "nuzoo's. Truth that deposits do not tell is null."
    ),
}
NOT_OPTIONS = (
    *("dataset", "simulation", "shard_size", "detector_sha256"),
    *("given", "file", "sha256", "format", "entries"),
)
"""What a plan holds beside the options of `nuzoo simulate`."""

CONVERSION_CITATION = "Cite the source of the files, which each row's `source` names."
SPLIT_RULE = HASHED.format(shares="90 % training, 5 % validation, 5 % test") + STAYS


@dataclass(frozen=True)
class CardWords:
    """What a dataset's own file says of it; see `nuzoo.registry.Sample.card`.

    Attributes:
        pretty_name: For people.
        task_categories: What the Hub calls what it is for.
        tags: On the Hub.
        composition: What happens in the events that nuzoo simulates, Markdown.
        citation: Of what nuzoo simulated of it, Markdown.
        source_citation: Of what was converted from files, Markdown.
    """

    pretty_name: str
    task_categories: tuple[str, ...] = ("other",)
    tags: tuple[str, ...] = ("physics", "neutrino")
    composition: str = ""
    citation: str = "Cite nuzoo (CITATION.cff)."
    source_citation: str = CONVERSION_CITATION


def write_dataset_card(folder: Path) -> Path:
    """Write the README.md of a finished dataset folder, and what describes its detector where needed."""
    card, facts = folder / CARD_FILE, dataset_facts(folder)
    write_description(folder, facts.detector)
    write_atomically(card, dataset_card({DEFAULT_CONFIG: facts}))
    return card


def dataset_card(
    configs: Mapping[str, DatasetFacts],
    repo_id: str | None = None,
    *,
    licence: str | None = None,
    citation: str | None = None,
) -> str:
    """Return the card, with the metadata that `load_dataset` and the dataset viewer read.

    Args:
        configs: The dataset of each configuration; the first is the one that loads without a name. One
            alone lies in `data/`, of several each lies in `<name>/data/`.
        repo_id: Name on the Hub; None for the card of a folder.
        licence: Identifier of the Hub. None takes that of the simulation, and leaves that of converted
            files to be stated.
        citation: Markdown.
    """
    simulated = all(map(_is_ours, configs.values()))
    licence = licence or (SIMULATION_LICENCE if simulated else None)
    names = list(configs)
    first, last = configs[names[0]], configs[names[-1]]
    generations = (f"- `{name}`: {_generation(facts)}" for name, facts in configs.items())
    card = DatasetCard.from_template(
        _metadata(configs, licence or "other"),
        template_str=_template(TEMPLATE),
        configs=configs,
        repo_id=repo_id,
        title=(repo_id or first.sample.name).rpartition("/")[2],
        about=_each(configs, _about),
        kind=_each(configs, _kind),
        example=_example(first),
        split=next(iter(first.splits)),
        last_config=names[-1],
        last_split=next(iter(last.splits)),
        columns={
            name: (_type(feature), facts.schema[name].meaning)
            for facts in configs.values()
            for name, feature in facts.features.items()
        },
        classes=dict.fromkeys(
            name for facts in configs.values() for split in facts.splits.values() for name in split.classes
        ),
        split_rule=_each(configs, lambda facts: facts.plan.get("splits", SPLIT_RULE)),
        split_lists=", ".join(f"`{_root(configs, name)}{MANIFESTS_FOLDER}/`" for name in configs),
        composition=_each(configs, lambda facts: own_words(facts.sample).composition * _is_ours(facts)),
        shares={name: facts.shares for name, facts in configs.items() if any(facts.shares.values())},
        generation="\n".join(generations),
        limits=_each(configs, _limits),
        licence_text=f"`{licence}`" if licence else LICENCE_NOT_STATED,
        citation=_each(configs, _citation) if citation is None else citation,
    )
    return f"{card}\n"


def _template(name: str) -> str:
    return files("nuzoo.model_cards").joinpath(name).read_text(encoding="utf-8")


def own_words(sample: Sample) -> CardWords:
    """Return what a dataset's own file says of it, general words where it says nothing."""
    return import_object(sample.card)() if sample.card else CardWords(pretty_name=sample.name)


def _about(facts: DatasetFacts) -> str:
    """Return the section of the modality, or what its schema says where it has none."""
    section = files("nuzoo.model_cards").joinpath(f"events/{facts.sample.modality}.md")
    if section.is_file():
        return section.read_text(encoding="utf-8").strip()
    recorded = ", ".join(f"`{column.name}`" for column in facts.schema.hits)
    return (
        f"Events as {facts.sample.modality.replace('-', ' ')}: for every event, {recorded} and what is known."
    )


def _citation(facts: DatasetFacts) -> str:
    words = own_words(facts.sample)
    if facts.given:
        return f"{words.citation} {CONVERSION_CITATION}"
    return words.citation if facts.simulated else words.source_citation


def _is_ours(facts: DatasetFacts) -> bool:
    """Whether nuzoo's own simulation made all of the events."""
    return facts.simulated and not facts.given


def _kind(facts: DatasetFacts) -> str:
    return GIVEN_KINDS.get(facts.given) or (SIMULATED if facts.simulated else CONVERTED)


def _limits(facts: DatasetFacts) -> str:
    return GIVEN_LIMITS.get(facts.given) or (SIMULATION_LIMITS if facts.simulated else CONVERSION_LIMITS)


def _each(configs: Mapping[str, DatasetFacts], text: Callable[[DatasetFacts], str]) -> str:
    """Say a thing once of all configurations, or where they differ of each group, with whom it is about."""
    about: dict[str, list[str]] = {}
    for name, facts in configs.items():
        about.setdefault(text(facts), []).append(f"`{name}`")
    if len(about) == 1:
        return next(iter(about))
    return "\n".join(f"- {', '.join(group)}: {said}" for said, group in about.items())


def _root(configs: Mapping[str, DatasetFacts], name: str) -> str:
    return "" if len(configs) == 1 else f"{name}/"


def _metadata(configs: Mapping[str, DatasetFacts], licence: str) -> DatasetCardData:
    described = [{"config_name": name, **_dataset_info(facts)} for name, facts in configs.items()]
    detectors = dict.fromkeys(facts.detector.name for facts in configs.values())
    words = own_words(next(iter(configs.values())).sample)
    return DatasetCardData(
        license=licence,
        task_categories=list(words.task_categories),
        tags=list(words.tags),
        pretty_name=f"{words.pretty_name} ({', '.join(detectors)})",
        size_categories=[_size_category(sum(facts.events for facts in configs.values()))],
        configs=[
            {"config_name": name, "data_files": _data_files(facts, _root(configs, name))}
            | ({"default": True} if name == next(iter(configs)) else {})
            for name, facts in configs.items()
        ],
        dataset_info=described if len(described) > 1 else described[0],
    )


def _data_files(facts: DatasetFacts, root: str) -> list[dict[str, str]]:
    return [{"split": split, "path": f"{root}data/{split}-*.parquet"} for split in facts.splits]


def _dataset_info(facts: DatasetFacts) -> dict[str, Any]:
    return {
        "description": f"content sha256:{facts.content}",  # `load_dataset` caches a folder by its card
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


def _example(facts: DatasetFacts) -> str:
    """Return a line of Python that shows what was recorded of an event."""
    shown = facts.schema.hits[:2]
    recorded = ", ".join(f'event["{column.name}"]' for column in shown)
    return f"{recorded}  # {'; '.join(f'{column.text} {column.unit}'.strip() for column in shown)}"


def _type(feature: Any) -> str:
    if isinstance(feature, ClassLabel):
        return f"class: {', '.join(f'{number} {plain(name)}' for number, name in enumerate(feature.names))}"
    if isinstance(feature, List):
        return f"{'list' if feature.length < 0 else feature.length} of {_type(feature.feature)}"
    return "image" if isinstance(feature, Image) else feature.dtype


def simulation_command(plan: Mapping[str, Any]) -> str:
    """Give the command that simulates the events of a plan again."""
    given = {key: plan[key] for key in plan if key not in NOT_OPTIONS and plan[key] is not None}
    if "given" in plan:
        given[plan["given"]] = plan["file"]
    options = " ".join(f"--{key.replace('_', '-')} {value}" for key, value in given.items())
    return f"nuzoo simulate {plan['dataset']} {options}"


def _generation(facts: DatasetFacts) -> str:
    plan = facts.plan
    if facts.simulated:
        file = f" the file is {plan['format']} with SHA-256 `{plan['sha256']}`;" if facts.given else ""
        return (
            f"`{simulation_command(plan)}`, {plan['shard_size']} events a file at most;{file} "
            f"{' '.join(facts.first_source.split()[:2])}, digest of its source `{plan['simulation']}`."
        )
    if "sha256" in plan:
        options = "".join(f", {key} {value}" for key, value in plan.get("options", {}).items())
        return (
            f"read from detector files by `nuzoo convert --format {plan['dataset']}`{options}; the SHA-256 "
            f"of the rows is `{plan['sha256']}`."
        )
    return f"made from {', '.join(f'{key} {value}' for key, value in plan.items())}."
