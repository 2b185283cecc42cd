"""What the results of a proposal of points of interest say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nuzoo.evaluation.core.results import Bootstrap, DatasetFacts, Number, Results
from nuzoo.evaluation.core.text import with_error
from nuzoo.files.plain_text import plain

NEAR, FAR = 3, 10
"""Voxels within which a found point is a true one: those of the Point Proposal Network (arXiv 2006.14745)."""

OVERALL = {
    "f1": f"F1 within {NEAR} voxels",
    "precision": f"Precision within {NEAR} voxels",
    "recall": f"Recall within {NEAR} voxels",
    "distance_median_mm": f"Median distance of pairs within {FAR} voxels / mm",
}
"""Of the metrics, those that stand for an evaluation, and their titles."""

OTHERS = {
    "distance_68_mm": "Distance that 68 % of these pairs are within / mm",
    "precision_far": f"Precision within {FAR} voxels",
    "recall_far": f"Recall within {FAR} voxels",
    "kind_accuracy": f"Pairs within {NEAR} voxels of the right kind",
}
"""Of the metrics, those that say more, and their titles."""

PER_KIND = {"f1_kind": "F1", "precision_kind": "precision", "recall_kind": "recall"}
"""Of the metrics, those of each kind, and their titles."""


@dataclass(frozen=True, kw_only=True)
class ProposalDataset(DatasetFacts):
    """Which events were used, and how many true points of interest of each kind they have."""

    keypoints_per_kind: dict[str, int]
    events_without: int

    def counts_text(self) -> str:
        """Write the points of each kind."""
        return ", ".join(f"{count:,} {name}" for name, count in self.keypoints_per_kind.items())


@dataclass(frozen=True, kw_only=True)
class ProposalMetrics:
    """Of the points of interest of all events together, and of each kind; see `numbers`.

    Attributes:
        distances: Pairs within `FAR` voxels by distance, in ten bins of a voxel.
    """

    f1: Number
    precision: Number
    recall: Number
    distance_median_mm: Number
    distance_68_mm: Number
    precision_far: Number
    recall_far: Number
    kind_accuracy: Number
    f1_kind: dict[str, Number]
    precision_kind: dict[str, Number]
    recall_kind: dict[str, Number]
    distances: list[int]

    def overall(self) -> dict[str, Number]:
        """Give the metrics of all kinds together by title."""
        return {title: getattr(self, key) for key, title in (OVERALL | OTHERS).items()}

    def kind_rows(self, counts: dict[str, int]) -> list[list[str]]:
        """Write of each kind its name, how many true ones there are, and `PER_KIND`, for a table."""
        return [
            [plain(name), f"{count:,}", *(with_error(getattr(self, key)[name]) for key in PER_KIND)]
            for name, count in counts.items()
        ]


@dataclass(frozen=True, kw_only=True)
class ProposalResults(Results):
    """Results of a network.

    Attributes:
        found: Proposals, of all events.
        voxel_mm: Longest edge of a voxel.
        threshold: Least score of a proposal.
    """

    SCHEMA: ClassVar = ("nuzoo-point-proposal-results", 1)

    dataset: ProposalDataset
    validation: ProposalDataset | None
    class_names: list[str]
    found: int
    voxel_mm: float
    threshold: float
    metrics: ProposalMetrics
    bootstrap: Bootstrap

    def check(self) -> None:
        """Refuse numbers that are not of each kind."""
        for key in PER_KIND:
            found = getattr(self.metrics, key)
            if missing := [name for name in self.class_names if name not in found]:
                raise ValueError(f"lacks metrics.{key}.{missing[0]}")
