"""Which events were used, and what they may be called: simulated samples are called simulated."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.evaluation.core.errors import EvaluationError

if TYPE_CHECKING:
    from datasets import Dataset

SIMULATED_PREFIX = "nuzoo-simulation "
"""The column `source` of our own simulation begins with this."""

SIMULATION_TAG = "nuzoo simulation"
SOURCES_LISTED = 5


def sample_tag(sources: Sequence[str], sample: str | None = None) -> str:
    """Name what kind of events these are, for the corner of every figure.

    Args:
        sources: Where the events come from, their column `source`.
        sample: The user's own words, needed when not all events are from our simulation.

    Raises:
        EvaluationError: Events of another origin without a name.
    """
    if sources and all(source.startswith(SIMULATED_PREFIX) for source in sources):
        return sample or SIMULATION_TAG
    if sample is None:
        raise EvaluationError(
            "these events do not come from nuzoo's simulation, so say what they are, for example "
            'sample="DUNE far detector simulation" or sample="OPERA data"'
        )
    return sample


def describe_dataset(
    dataset: Dataset, class_names: Sequence[str], sample: str | None = None
) -> dict[str, Any]:
    """Identify a labelled dataset by content and origin.

    Args:
        dataset: Pixel-map rows.
        class_names: Names of the labels.
        sample: See `sample_tag`.

    Returns:
        Tag, split, events in all and per class, detectors, some of the sources, the fingerprint of
        `datasets`, and the SHA-256 of the sorted event ids, which names the events wherever they
        are stored.
    """
    event_ids = list(dataset["event_id"])
    labels = list(dataset["label"])
    sources = _distinct(dataset, "source")
    return {
        "sample": sample_tag(sources, sample),
        "split": None if dataset.split is None else str(dataset.split),
        "events": len(event_ids),
        "events_per_class": {name: labels.count(i) for i, name in enumerate(class_names)},
        "detectors": _distinct(dataset, "detector"),
        "sources": [_without_folders(source) for source in sources[:SOURCES_LISTED]],
        "source_count": len(sources),
        "event_ids_sha256": events_digest(event_ids),
        "fingerprint": dataset._fingerprint,
    }


def events_digest(event_ids: Sequence[str]) -> str:
    """SHA-256 of the sorted event ids, one a line."""
    return hashlib.sha256("\n".join(sorted(event_ids)).encode()).hexdigest()


def _distinct(dataset: Dataset, column: str) -> list[str]:
    return sorted(set(dataset[column])) if column in dataset.column_names else []


def _without_folders(source: str) -> str:
    return " ".join(Path(w).name if w.startswith(("/", "~")) else w for w in source.split(" "))
