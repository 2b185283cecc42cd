"""Which events were used, and what they may be called: simulated samples are called simulated."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nuzoo.evaluation.core.errors import EvaluationError, ResultsFileError, SplitOverlapError
from nuzoo.evaluation.core.results import DatasetFacts
from nuzoo.files.events.event_truth import SIMULATED_PREFIX

if TYPE_CHECKING:
    from datasets import Dataset

SIMULATION_TAG = "nuzoo simulation"
SOURCES_LISTED = 5


def sample_tag(sources: Sequence[str], sample: str | None = None) -> str:
    """Name what kind of events these are, for the corner of every figure.

    Args:
        sources: Where the events come from, their column `source`.
        sample: The user's own words, needed when not all events are from our simulation. That some are is
            said beside them.

    Raises:
        EvaluationError: Events of another origin without a name.
    """
    simulated = sum(source.startswith(SIMULATED_PREFIX) for source in sources)
    if simulated and sample is not None:
        part = "" if simulated == len(sources) else "in part "
        return sample if SIMULATION_TAG in sample else f"{sample} ({part}{SIMULATION_TAG})"
    if simulated and simulated == len(sources):
        return SIMULATION_TAG
    if sample is None:
        raise EvaluationError(
            "these events do not come from nuzoo's simulation, so say what they are, for example "
            '--sample "DUNE far detector simulation" or --sample "OPERA data"'
        )
    return sample


def describe_dataset(dataset: Dataset, sample: str | None = None) -> DatasetFacts:
    """Identify rows of events by content and origin; for `sample` see `sample_tag`."""
    event_ids = list(dataset["event_id"])
    sources = _distinct(dataset, "source")
    return DatasetFacts(
        sample=sample_tag(sources, sample),
        split=None if dataset.split is None else str(dataset.split),
        events=len(event_ids),
        detectors=_distinct(dataset, "detector"),
        sources=[_without_folders(source) for source in sources[:SOURCES_LISTED]],
        source_count=len(sources),
        event_ids_sha256=events_digest(event_ids),
        fingerprint=dataset._fingerprint,
    )


def check_disjoint(validation: Dataset, dataset: Dataset) -> None:
    """Refuse, with a `SplitOverlapError`, to calibrate on events that are also reported."""
    if common := set(validation["event_id"]) & set(dataset["event_id"]):
        raise SplitOverlapError(
            f"validation and evaluated events must differ, but {len(common)} are in both (for example "
            f"{min(common)}); split them by event id"
        )


def check_same_events(facts: DatasetFacts, event_ids: Sequence[str]) -> None:
    """Refuse, with a `ResultsFileError`, results and predictions that are not of one evaluation."""
    if facts.events != len(event_ids) or facts.event_ids_sha256 != events_digest(event_ids):
        raise ResultsFileError(
            f"results are of {facts.events} events, predictions of {len(event_ids)}"
            f"{' others' if facts.events == len(event_ids) else ''}; give the two files of one evaluation"
        )


def events_digest(event_ids: Sequence[str]) -> str:
    """Give the SHA-256 of the sorted event ids, one a line."""
    return hashlib.sha256("\n".join(sorted(event_ids)).encode()).hexdigest()


def _distinct(dataset: Dataset, column: str) -> list[str]:
    return sorted(set(dataset[column])) if column in dataset.column_names else []


def _without_folders(source: str) -> str:
    return " ".join(Path(w).name if w.startswith(("/", "~")) else w for w in source.split(" "))
