"""What the results of a pre-training say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import FiniteFloat

from nuzoo.evaluation.core.results import Results
from nuzoo.evaluation.tasks.hit_segmentation.results import HitDataset, SegmentedHits


@dataclass(frozen=True, kw_only=True)
class PreTrainingResults(SegmentedHits, Results):
    """What a linear probe finds in the features of a network.

    Attributes:
        probe_events: Events that the probe was fitted on; they are of `validation`.
        health: What is peculiar to a way of learning, by name; see `Health` in `measure.py`.
    """

    SCHEMA: ClassVar = ("nuzoo-pre-training-results", 1)

    validation: HitDataset | None
    probe_events: int
    health: dict[str, FiniteFloat]
