"""What the results of a hit segmentation say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nuzoo.evaluation.core.results import (
    Absent,
    Bootstrap,
    DatasetFacts,
    Number,
    Results,
    ResultsFile,
)
from nuzoo.evaluation.core.text import with_error
from nuzoo.files.plain_text import plain

OVERALL = {
    "macro_f1": "Macro F1",
    "mean_iou": "Mean IoU",
    "macro_precision": "Macro precision",
    "macro_recall": "Macro recall",
    "accuracy": "Accuracy",
}
"""Of the metrics, those of all classes together, and their titles."""

PER_CLASS = {"f1": "F1", "precision": "precision (purity)", "recall": "recall (efficiency)", "iou": "IoU"}
"""Of the metrics, those of each class, and their titles."""


@dataclass(frozen=True, kw_only=True)
class HitDataset(DatasetFacts):
    """Which events were used, and how many hits of each class they have."""

    hits_per_class: dict[str, int]

    def counts_text(self) -> str:
        """Write the hits of each class."""
        return ", ".join(f"{count:,} {name}" for name, count in self.hits_per_class.items())


@dataclass(frozen=True, kw_only=True)
class HitMetrics:
    """Of the hits of all events together: of all classes, and of each class by name.

    Attributes:
        confusion: The part of the hits of a class (down) that were given each class.
    """

    macro_f1: Number
    mean_iou: Number
    macro_precision: Number
    macro_recall: Number
    accuracy: Number
    f1: dict[str, Number]
    precision: dict[str, Number]
    recall: dict[str, Number]
    iou: dict[str, Number]
    confusion: list[list[Number]]

    def overall(self) -> dict[str, Number]:
        """Give the metrics of all classes together by title."""
        return {title: getattr(self, key) for key, title in OVERALL.items()}

    def class_rows(self) -> list[list[str]]:
        """Write of each class its name and `PER_CLASS` with errors, for a table."""
        return [
            [plain(name), *(with_error(getattr(self, key)[name]) for key in PER_CLASS)] for name in self.f1
        ]


MICHEL_NUMBERS = {
    "efficiency": "Efficiency: true electrons that are found",
    "purity": "Purity: found electrons that are true",
    "cluster_efficiency": "Hits of a true electron that are found",
    "cluster_purity": "Hits of a found electron that are true",
    "energy_bias": "Energy: mean of found / true − 1",
    "energy_resolution": "Energy: standard deviation of found / true",
}
"""Of what is measured of Michel electrons, the titles."""


@dataclass(frozen=True, kw_only=True)
class EnergySpectrum:
    """How many electrons have which energy of their hits; those beyond the last edge are in the last bin."""

    edges_mev: list[float]
    true: list[int]
    reconstructed: list[int]


@dataclass(frozen=True, kw_only=True)
class MichelResults:
    """How Michel electrons are found: those of all events together, see `michel.michel_electrons`.

    Attributes:
        least_hits: Of an electron that counts.
        true: True electrons.
        found: Found electrons.
        pairs: Of both that are one another's.
        cluster_efficiency: Mean over the pairs, like all that follow.
        energy_bias: Mean of the found energy over the true, minus 1.
        energy_resolution: Standard deviation of that ratio.
    """

    least_hits: int
    true: int
    found: int
    pairs: int
    efficiency: Number
    purity: Number
    cluster_efficiency: Number
    cluster_purity: Number
    energy_bias: Number
    energy_resolution: Number
    spectrum: EnergySpectrum

    def rows(self) -> list[list[str]]:
        """Write of each of `MICHEL_NUMBERS` its title and the number with its error, for a table."""
        return [[title, with_error(getattr(self, key))] for key, title in MICHEL_NUMBERS.items()]


@dataclass(frozen=True, kw_only=True)
class SegmentedHits:
    """The numbers, and the hits that they are of.

    Attributes:
        target: Column of the truth.
        hits: Hits that were measured.
        hits_left_out: Others, which the processor does not give to the network.
        counts: Hits by true class (down) and given class.
    """

    target: str
    class_names: list[str]
    dataset: HitDataset
    hits: int
    hits_left_out: int
    counts: list[list[int]]
    metrics: HitMetrics
    bootstrap: Bootstrap

    def check(self) -> None:
        """Refuse numbers that are not of each class."""
        for key in PER_CLASS:
            found = getattr(self.metrics, key)
            if missing := [name for name in self.class_names if name not in found]:
                raise ValueError(f"lacks metrics.{key}.{missing[0]}")


@dataclass(frozen=True, kw_only=True)
class CrossValidatedHits(SegmentedHits, ResultsFile):
    """Results of pooled held-out folds."""

    SCHEMA: ClassVar = ("nuzoo-hit-segmentation-results", 1)

    folds: int


@dataclass(frozen=True, kw_only=True)
class SegmentationResults(SegmentedHits, Results):
    """Results of a network.

    Attributes:
        michel: None where hits have no such class, or their particles are not known.
    """

    SCHEMA: ClassVar = ("nuzoo-hit-segmentation-results", 1)

    validation: HitDataset | None
    michel: Absent[MichelResults] = None
