"""What the results of a reconstruction of events say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import FiniteFloat

from nuzoo.evaluation.core.results import Absent, Bootstrap, DatasetFacts, Number, Results
from nuzoo.evaluation.core.text import with_error
from nuzoo.evaluation.tasks.event_classification.results import Calibration
from nuzoo.evaluation.tasks.event_reconstruction.residuals import QUANTITIES
from nuzoo.files.plain_text import plain

NOMINAL, EQUAL = "nominal", "equal"
"""How events count: as many as the column `weight` says, or one each."""

HEADLINE = {
    "flavour_macro_auc": "Macro one-vs-rest AUC of flavour",
    "charm_macro_auc": "Macro one-vs-rest AUC of charm",
    "e_vis_sigma_mad": "σ_MAD of the fractional error of E_vis",
    "vertex_median_mm": "Median distance of the vertex / mm",
}
"""The numbers that stand for an evaluation, and their titles."""

SELECTION = {"fom": "S/√(S+B)", "efficiency": "efficiency", "purity": "purity"}
NONE = "none"
"""Title of events whose scores reach no threshold."""


@dataclass(frozen=True, kw_only=True)
class ReconstructionDataset(DatasetFacts):
    """Which events were used, and how many of each class."""

    events_per_flavour: dict[str, int]
    events_per_charm: dict[str, int]

    def counts_text(self) -> str:
        """Write the events of each class."""
        return "; ".join(
            ", ".join(f"{count:,} {name}" for name, count in counts.items())
            for counts in (self.events_per_flavour, self.events_per_charm)
        )


@dataclass(frozen=True, kw_only=True)
class ClassSelection:
    """Events of a class selected by its score, at the threshold of the largest figure of merit.

    Attributes:
        threshold: None of a class without events.
        fom: S/√(S+B).
    """

    threshold: FiniteFloat | None
    fom: Number
    efficiency: Number
    purity: Number


@dataclass(frozen=True, kw_only=True)
class ClassifiedBy:
    """How well events are told apart by flavour, or by charm.

    Attributes:
        absent: Classes without events, which the macro average leaves out.
        weight_per_class: Sum of the weights of the events of each class.
        macro_auc: Mean of the areas under the ROC curves of the classes that have events.
        accuracy: Of the class of highest score.
        auc: Of each class against all others.
        selection: Of each class.
        confusion: Part of each true class (down) that is assigned to each, the last column to none.
        counts: Events of the same cells, each counted once.
        calibration: Of the events as they are, without weights.
    """

    class_names: list[str]
    absent: list[str]
    weight_per_class: dict[str, FiniteFloat]
    macro_auc: Number
    accuracy: Number
    auc: dict[str, Number]
    selection: dict[str, ClassSelection]
    confusion: list[list[Number]]
    counts: list[list[int]]
    calibration: Calibration

    def rows(self, counts: dict[str, int]) -> list[list[str]]:
        """Write of each class its name, events, AUC, threshold and selection, for a table."""
        return [
            [
                plain(name),
                f"{counts[name]:,}",
                with_error(self.auc[name]),
                "–" if of.threshold is None else f"{of.threshold:.3f}",
                *(with_error(getattr(of, key)) for key in SELECTION),
            ]
            for name, of in self.selection.items()
        ]


@dataclass(frozen=True, kw_only=True)
class TruthBin:
    """Fractional errors of events with a true value between two edges, GeV.

    Attributes:
        quantiles: 5, 25, 50, 75 and 95 % of the errors.
    """

    low: FiniteFloat
    high: FiniteFloat
    events: int
    median: Number
    sigma_mad: Number
    quantiles: list[FiniteFloat]


@dataclass(frozen=True, kw_only=True)
class Residual:
    """Fractional errors, (true - reconstructed) / true, of a quantity.

    Attributes:
        undefined: Events that have none: the truth is 0, or there is no such particle.
    """

    events: int
    undefined: int
    median: Number
    sigma_mad: Number
    bins: list[TruthBin]


@dataclass(frozen=True, kw_only=True)
class VertexDistance:
    """Distances of reconstructed vertices from true ones, mm: mean, and what a part of events is within."""

    mean_mm: Number
    median_mm: Number
    within_68_mm: Number
    within_95_mm: Number


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Parts of the components that are within one and two standard deviations of the truth.

    Gaussian errors of the right size have 0.683 and 0.954.
    """

    within_one: Number
    within_two: Number


@dataclass(frozen=True, kw_only=True)
class ReconstructionNumbers:
    """Everything that follows from predictions.

    Attributes:
        coverage: By what has an uncertainty; not there where the network gives none.
    """

    flavour: ClassifiedBy
    charm: ClassifiedBy
    residuals: dict[str, Residual]
    vertex: VertexDistance
    bootstrap: Bootstrap
    coverage: Absent[dict[str, Coverage]] = None

    def headline(self) -> dict[str, Number]:
        """Give the numbers of `HEADLINE`."""
        return {
            "flavour_macro_auc": self.flavour.macro_auc,
            "charm_macro_auc": self.charm.macro_auc,
            "e_vis_sigma_mad": self.residuals["e_vis"].sigma_mad,
            "vertex_median_mm": self.vertex.median_mm,
        }


@dataclass(frozen=True, kw_only=True)
class ReconstructionResults(ReconstructionNumbers, Results):
    """Results of a network.

    Attributes:
        weights: `NOMINAL` or `EQUAL`.
        weight_sum: Sum of the weights of the events.
        expected_events: That figures of merit are for; not there where they are for `weight_sum`.
    """

    SCHEMA: ClassVar = ("nuzoo-event-reconstruction-results", 1)

    dataset: ReconstructionDataset
    validation: ReconstructionDataset | None
    weights: str
    weight_sum: FiniteFloat
    expected_events: Absent[FiniteFloat] = None

    def check(self) -> None:
        """Refuse numbers that are not of each class, or not of each quantity."""
        for of in ("flavour", "charm"):
            found: ClassifiedBy = getattr(self, of)
            for key in ("auc", "selection"):
                if missing := [name for name in found.class_names if name not in getattr(found, key)]:
                    raise ValueError(f"lacks {of}.{key}.{missing[0]}")
        if missing := [name for name in QUANTITIES if name not in self.residuals]:
            raise ValueError(f"lacks residuals.{missing[0]}")
