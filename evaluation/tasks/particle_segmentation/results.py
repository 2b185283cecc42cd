"""What the results of a segmentation into instances say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nuzoo.evaluation.core.results import Absent, Bootstrap, DatasetFacts, Fraction, Number, Results
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

REGRESSED = {
    "momentum_bias": "Momentum: median of p / true p − 1",
    "momentum_resolution": "Momentum: half the width of the central 68.27 % of p / true p − 1",
    "start_median": "Start: distance from the true one that half are within, mm",
    "start_containment": "Start: distance that 68.27 % are within, mm",
}
"""Of the metrics, those of what is told of matched instances beside mask and class, and their titles."""

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
    """Of the instances of all events together; see `scores` and `regression_scores` for what each is.

    What the network does not tell, or the events do not know, is absent.

    Attributes:
        compared: matched pairs whose momentum, or start, is told and known, by that name.
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
    compared: Absent[dict[str, int]] = None
    momentum_bias: Absent[Number] = None
    momentum_resolution: Absent[Number] = None
    start_median: Absent[Number] = None
    start_containment: Absent[Number] = None

    def overall(self) -> dict[str, Number]:
        """Give the metrics of all classes together by title."""
        numbers = {title: getattr(self, key) for key, title in (OVERALL | OTHERS).items()}
        return numbers | self.regressed()

    def regressed(self) -> dict[str, Number]:
        """Give those of what is told of matched instances beside mask and class by title."""
        numbers = {title: getattr(self, key) for key, title in REGRESSED.items()}
        return {title: number for title, number in numbers.items() if number is not None}

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
