"""Answers of a segmentation: a class for each hit of each event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from nuzoo.evaluation.core.answers import Floats, check_truth, class_names, lists_of
from nuzoo.evaluation.core.errors import AnswerError
from nuzoo.evaluation.core.events import read_lists
from nuzoo.evaluation.tasks.hit_segmentation.numbers import confusions, scores
from nuzoo.evaluation.tasks.hit_segmentation.results import OVERALL

if TYPE_CHECKING:
    from datasets import Dataset


COLUMNS = {"given": "the number of the class of each hit, in the order of the hits"}
"""What a file of answers needs beside `event_id`."""


@dataclass(frozen=True)
class HitAnswers:
    """Fulfils `nuzoo.evaluation.core.answers.Answers`.

    Attributes:
        of_events: Hits of each event by true and given class (n, C, C).
        right: None: an event is right in part.
    """

    of_events: Floats
    right = None

    def scores(self, weights: Floats) -> Mapping[str, Floats]:
        """Compute `OVERALL` of the hits of weighted events."""
        found = scores(np.tensordot(weights, self.of_events, axes=1))
        return {key: found[key] for key in OVERALL}


class HitAnswerReader:
    """Fulfils `nuzoo.evaluation.core.answers.AnswerReader`."""

    columns = COLUMNS
    titles = OVERALL

    def read(self, table: pa.Table, rows: Dataset, targets: Sequence[str]) -> HitAnswers:
        """Read answers about the one column of truth; a hit without a class is refused."""
        (target,) = targets
        truth, names = read_lists(rows, target, np.int64), class_names(rows, target)
        check_truth(table, "truth", np.concatenate(truth))
        given = lists_of(table, "given", list(map(len, truth)))
        bad = [event for event, of in enumerate(given) if not np.isin(of, np.arange(len(names))).all()]
        if bad:
            raise AnswerError(
                f"column given: expected a class from 0 to {len(names) - 1} for each hit "
                f"({', '.join(names)}), got others in {len(bad)} of {len(given)} events, such as "
                f"{table['event_id'][bad[0]]}: give every hit a class, also those that a network left out"
            )
        return HitAnswers(confusions(truth, given, len(names)))


ANSWERS = HitAnswerReader()
