"""What the results of masked modelling of events say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import FiniteFloat

from nuzoo.evaluation.core.results import Results
from nuzoo.evaluation.tasks.event_classification.results import ClassifiedEvents, LabelledDataset


@dataclass(frozen=True, kw_only=True)
class MaskedEventResults(ClassifiedEvents, Results):
    """What a linear probe finds in the features of a network, and what the network tells.

    Attributes:
        target: Column of the classes that the probe tells.
        probe_events: Events that it was fitted on; they are of `validation`.
        told: Of what was hidden, and of hits, by name; see `MEANING` in `measure.py`.
    """

    SCHEMA: ClassVar = ("nuzoo-masked-event-modelling-results", 1)

    validation: LabelledDataset | None
    target: str
    probe_events: int
    told: dict[str, FiniteFloat]
