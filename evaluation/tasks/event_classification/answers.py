"""Answers of a classifier: a probability for each class of each event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nuzoo.evaluation.core.answers import Floats, check_truth, class_names, probabilities_of
from nuzoo.evaluation.tasks.event_classification.numbers import scores
from nuzoo.evaluation.tasks.event_classification.results import OVERALL

if TYPE_CHECKING:
    from datasets import Dataset


COLUMNS = {"probabilities": "of each class, in the order of the classes; they sum to 1"}
"""What a file of answers needs beside `event_id`."""


@dataclass(frozen=True)
class ClassAnswers:
    """Fulfils `nuzoo.evaluation.core.answers.Answers`.

    Attributes:
        label: True classes, int (n,).
        probability: (n, C).
    """

    label: NDArray[np.int64]
    probability: Floats

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which events have the largest probability at their class (n,)."""
        right: NDArray[np.bool_] = self.probability.argmax(axis=1) == self.label
        return right

    def scores(self, weights: Floats) -> Mapping[str, Floats]:
        """Compute `OVERALL` of weighted events."""
        found = scores(self.probability, self.label, weights)
        return {key: found[key] for key in OVERALL}


@dataclass(frozen=True)
class ClassAnswerReader:
    """Fulfils `nuzoo.evaluation.core.answers.AnswerReader`.

    Attributes:
        titles: Of the scores, the one that counts first.
    """

    titles: Mapping[str, str]
    columns = COLUMNS

    def read(self, table: pa.Table, rows: Dataset, targets: Sequence[str]) -> ClassAnswers:
        """Read answers about the one column of truth."""
        (target,) = targets
        label = np.array(list(rows[target]), dtype=np.int64)
        check_truth(table, "label", label)
        return ClassAnswers(label, probabilities_of(table, "probabilities", class_names(rows, target)))


ANSWERS = ClassAnswerReader(OVERALL)
