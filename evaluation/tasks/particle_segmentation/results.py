"""What the results of a segmentation into instances say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nuzoo.evaluation.core.results import Bootstrap, DatasetFacts, Fraction, Number, Results
from nuzoo.evaluation.core.text import with_error
from nuzoo.files.plain_text import plain

OVERALL = {
    "pq": "Panoptic quality (PQ), right class",
    "pq_any": "PQ, any class",
    "ari": "Adjusted Rand index (ARI)",
    "f1_mean": "F1 of the classes of matched instances, mean",
    "efficiency": "Efficiency",
    "purity": "Purity",
}
"""Of the metrics, those that stand for an evaluation, and their titles."""

OTHERS = {
    "sq": "Segmentation quality (SQ): mean IoU of matched instances",
    "rq": "Recognition quality (RQ): F1 of finding instances",
    "precision": "Found instances that match",
    "recall": "True instances that are matched",
    "pq_mean": "PQ, mean of classes",
    "ari_apart": "ARI, unclaimed hits apart",
    "ari_claimed": "ARI of claimed hits only",
}
"""Of the metrics, those that say more, and their titles."""

PER_CLASS = {"pq_class": "PQ", "f1_class": "F1 of matched"}
"""Of the metrics, those of each class, and their titles."""


@dataclass(frozen=True, kw_only=True)
class InstanceDataset(DatasetFacts):
    """Which events were used.

    Attributes:
        instances_per_class: true instances, those of the background left out.
        events_without: events without such instances.
        events_with_one: events with one, of which there is no adjusted Rand index.
    """

    instances_per_class: dict[str, int]
    events_without: int
    events_with_one: int

    def counts_text(self) -> str:
        """Write the instances of each class."""
        return ", ".join(f"{count:,} {name}" for name, count in self.instances_per_class.items())


@dataclass(frozen=True, kw_only=True)
class InstanceMetrics:
    """Of the instances of all events together; see `scores` for what each is.

    Attributes:
        confusion: matched pairs by true class (down) and found class.
        recall_by_size: of true instances by the number of their hits, see `size_edges`.
        size_edges: lower edges of the bins; the last one is open.
    """

    pq: Number
    pq_any: Number
    ari: Number
    f1_mean: Number
    efficiency: Number
    purity: Number
    sq: Number
    rq: Number
    precision: Number
    recall: Number
    pq_mean: Number
    ari_apart: Number
    ari_claimed: Number
    pq_class: dict[str, Number]
    f1_class: dict[str, Number]
    confusion: list[list[int]]
    recall_by_size: list[Fraction]
    size_edges: list[int]

    def overall(self) -> dict[str, Number]:
        """Give the metrics of all classes together by title."""
        return {title: getattr(self, key) for key, title in (OVERALL | OTHERS).items()}

    def class_rows(self, counts: dict[str, int]) -> list[list[str]]:
        """Write of each class that has instances its name, their number and `PER_CLASS`, for a table."""
        return [
            [plain(name), f"{count:,}", *(with_error(getattr(self, key)[name]) for key in PER_CLASS)]
            for name, count in counts.items()
        ]


@dataclass(frozen=True, kw_only=True)
class InstanceResults(Results):
    """Results of a network.

    Attributes:
        instances: what was looked for, "particle" or "interaction".
        found: instances that were found.
        not_judged: those of them that are on void hits.
        beyond_queries: true instances beyond the number of queries of their event.
    """

    SCHEMA: ClassVar = ("nuzoo-particle-segmentation-results", 1)

    dataset: InstanceDataset
    validation: InstanceDataset | None
    instances: str
    class_names: list[str]
    hits: int
    found: int
    not_judged: int
    beyond_queries: int
    metrics: InstanceMetrics
    bootstrap: Bootstrap

    def check(self) -> None:
        """Refuse numbers that are not of each class."""
        for key in PER_CLASS:
            found = getattr(self.metrics, key)
            if missing := [name for name in self.dataset.instances_per_class if name not in found]:
                raise ValueError(f"lacks metrics.{key}.{missing[0]}")
