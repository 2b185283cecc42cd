"""What the results of an event classifier say."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import ClassVar

from pydantic import FiniteFloat

from nuzoo.evaluation.core.results import (
    Absent,
    Bootstrap,
    DatasetFacts,
    Estimate,
    Fraction,
    Number,
    Results,
    ResultsFile,
)
from nuzoo.evaluation.core.text import fraction_text, with_error
from nuzoo.files.plain_text import plain

OVERALL = {
    "accuracy": "Accuracy",
    "macro_precision": "Macro precision",
    "macro_recall": "Macro recall",
    "macro_auc": "Macro one-vs-rest AUC",
}
"""Of the metrics, those of all classes together, and their titles."""

HALF_RESOLUTION_MEANING = {
    "energy": "energy of 2 × 2 pixels shared (a coarser detector, objects keep their size)",
    "image": "2 × 2 pixels averaged into one (objects half as large, but for a vision-language model, whose "
    "processor scales the image up again)",
}
"""The ways to see events at half resolution. "image" is how the source paper did it."""

PER_CLASS = {"recall": "recall (efficiency)", "precision": "precision (purity)", "auc": "AUC"}
"""Of the metrics, those of each class, and their titles."""


NOT_FITTED = "not fitted"
"""Part of `Temperature.fitted_on` where no events were used."""

STORED = "model.config.temperature"
UNDECIDED = "take the fit to its limit"
"""Part of `Temperature.fitted_on` where there were events, which did not decide it."""


@dataclass(frozen=True, kw_only=True)
class Temperature(Estimate):
    """What logits are divided by, and the events that it was fitted on, in words."""

    value: FiniteFloat
    fitted_on: str

    @property
    def is_fitted(self) -> bool:
        """Whether it was found on events, and not given or stored before."""
        return NOT_FITTED not in self.fitted_on

    @property
    def warning(self) -> str | None:
        """What a reader must know of a fit that found nothing."""
        if UNDECIDED not in self.fitted_on:
            return None
        return (
            f"the temperature stays {self.value:g} ({self.fitted_on}): they are too few, all are right, or "
            "the model is no better than chance; nothing is calibrated"
        )


@dataclass(frozen=True, kw_only=True)
class LabelledDataset(DatasetFacts):
    """Which events were used, and how many of each class."""

    events_per_class: dict[str, int]

    def counts_text(self) -> str:
        """Write the events of each class."""
        return ", ".join(f"{count:,} {name}" for name, count in self.events_per_class.items())


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Confusion matrices, the true class down: counts, rows that sum to one, columns that sum to one."""

    counts: list[list[int]]
    recall_normalised: list[list[Fraction]]
    precision_normalised: list[list[Fraction]]


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """Of all classes together, and of each class by name. The area is that under the ROC curve."""

    accuracy: Number
    macro_precision: Number
    macro_recall: Number
    macro_auc: Number
    auc: dict[str, Number]
    precision: dict[str, Number]
    recall: dict[str, Number]
    confusion: Confusion

    def overall(self) -> dict[str, Number]:
        """Give the metrics of all classes together by title."""
        return {title: getattr(self, key) for key, title in OVERALL.items()}

    def class_rows(self) -> list[list[str]]:
        """Write of each class its name, `PER_CLASS` with errors, for a table.

        Where a fraction is 0 or 1, which has no bootstrap error, its Wilson limit stands in place of it.
        """
        matrices = (self.confusion.recall_normalised, self.confusion.precision_normalised)
        return [
            [
                plain(name),
                *(
                    fraction_text(by_class[name], matrix[number][number])
                    for by_class, matrix in zip((self.recall, self.precision), matrices, strict=True)
                ),
                with_error(self.auc[name]),
            ]
            for number, name in enumerate(self.recall)
        ]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Before and after the temperature.

    Attributes:
        ece_before: Expected calibration error. Errors of calibration have no interval: a replica repeats the
            fluctuations of the sample and adds its own, so that its percentiles lie above the value.
        nll_before: Negative log-likelihood, nats.
        ece_if_perfect: What perfectly calibrated probabilities would show on as many events.
        certainty_auc: Area under the ROC curve that tells right answers from wrong ones by less entropy.
    """

    ece_before: Number
    ece_after: Number
    nll_before: Number
    nll_after: Number
    ece_if_perfect: Number
    temperature: Temperature
    certainty_auc: Absent[Number] = None


@dataclass(frozen=True, kw_only=True)
class Energy:
    """Efficiency and purity of each class in bins of the true energy; `events_outside` are in none."""

    edges_gev: list[FiniteFloat]
    efficiency: dict[str, list[Fraction]]
    purity: dict[str, list[Fraction]]
    events_outside: int


@dataclass(frozen=True, kw_only=True)
class ClassificationNumbers:
    """Everything that follows from logits and truth.

    Attributes:
        half_resolution: Metrics of the same events seen otherwise, and their changes (`accuracy_change`).
    """

    metrics: Metrics
    calibration: Calibration
    bootstrap: Bootstrap
    half_resolution: Absent[dict[str, dict[str, Number]]] = None
    energy: Absent[Energy] = None


@dataclass(frozen=True, kw_only=True)
class ClassifiedEvents(ClassificationNumbers):
    """The numbers, and the events that they are of."""

    class_names: list[str]
    dataset: LabelledDataset

    def check(self) -> None:
        """Refuse numbers that are not of each class and of each half resolution."""
        of_half = [f"{key}{change}" for key in OVERALL for change in ("", "_change")]
        classes, halves = self.class_names, self.half_resolution or {}
        needed: list[tuple[str, Container[str], list[str]]] = [
            ("dataset.events_per_class", self.dataset.events_per_class, classes),
            *((f"metrics.{key}", getattr(self.metrics, key), classes) for key in PER_CLASS),
            *((f"half_resolution.{mode}", of, of_half) for mode, of in halves.items()),
        ]
        for place, found, names in needed:
            if missing := [name for name in names if name not in found]:
                raise ValueError(f"lacks {place}.{missing[0]}")


@dataclass(frozen=True, kw_only=True)
class CrossValidatedResults(ClassifiedEvents, ResultsFile):
    """Results of pooled held-out folds."""

    SCHEMA: ClassVar = ("nuzoo-event-classification-results", 1)

    folds: int


@dataclass(frozen=True, kw_only=True)
class ClassificationResults(ClassifiedEvents, Results):
    """Results of a network."""

    SCHEMA: ClassVar = ("nuzoo-event-classification-results", 1)

    validation: LabelledDataset | None
