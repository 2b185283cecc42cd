"""What explaining a reconstruction found, for its report and its file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import FiniteFloat

from nuzoo.evaluation.core.results import Absent, Bootstrap, DatasetFacts, Number, ResultsFile


@dataclass(frozen=True, kw_only=True)
class SalientEvent:
    """An event with its saliency.

    Attributes:
        picture: Name of its file.
        patches: With hits.
    """

    event_id: str
    answer: str
    score: FiniteFloat
    truth: str
    patches: int
    picture: str


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """See `Faithfulness`."""

    events: int
    salient: Number
    control: Number
    difference: Number
    conclusion: str


@dataclass(frozen=True, kw_only=True)
class ExplanationResults(ResultsFile):
    """What was found.

    Attributes:
        model: Its name.
        ablation: By the part that is left out and by the number; "all" leaves out none.
        energy_factors: Of the scan.
        energy_scan: Changes of the median fractional error by quantity, one for each factor.
        deletion: Not there where no event had salient patches and controls.
    """

    SCHEMA: ClassVar = ("nuzoo-reconstruction-explanation", 1)

    model: str
    dataset: DatasetFacts
    weights: str
    saliency: list[SalientEvent]
    ablation: dict[str, dict[str, Number]]
    energy_factors: list[FiniteFloat]
    energy_scan: dict[str, list[Number]]
    map_method: str
    bootstrap: Bootstrap
    deletion: Absent[Deletion] = None
