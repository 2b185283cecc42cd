"""Answers of a reconstruction: probabilities of flavour and charm, two momenta and a vertex an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from nuzoo.evaluation.core.answers import Floats, check_truth, class_names, probabilities_of, vectors_of
from nuzoo.evaluation.tasks.event_reconstruction.evaluate import predictions_of
from nuzoo.evaluation.tasks.event_reconstruction.numbers import headline_numbers
from nuzoo.evaluation.tasks.event_reconstruction.predictions import VECTORS, EventPredictions
from nuzoo.evaluation.tasks.event_reconstruction.results import EQUAL, HEADLINE, NOMINAL
from nuzoo.evaluation.tasks.event_reconstruction.truth import CLASSES, weights_of

if TYPE_CHECKING:
    from datasets import Dataset

AS_GIVEN = dict.fromkeys(CLASSES, 1.0)
"""Temperatures: probabilities are not calibrated again."""


COLUMNS = {
    "flavour_probabilities": "of each flavour, in the order of the classes; they sum to 1",
    "charm_probabilities": "of each class of charm, in their order; they sum to 1",
    "vis_momentum": "of all visible particles, GeV/c, x, y, z",
    "jet_momentum": "of those but the lepton, GeV/c, x, y, z",
    "vertex": "mm, x, y, z",
}
"""What a file of answers needs beside `event_id`."""


@dataclass(frozen=True)
class ReconstructionAnswers:
    """Fulfils `nuzoo.evaluation.core.answers.Answers`; events count by their weight in the nominal sample.

    Attributes:
        predictions: Of n events.
        right: None: an event is right in part.
    """

    predictions: EventPredictions
    right = None

    def scores(self, weights: Floats) -> Mapping[str, Floats]:
        """Compute `HEADLINE` of weighted events."""
        return headline_numbers(self.predictions, AS_GIVEN, weights * self.predictions.weight)


class ReconstructionAnswerReader:
    """Fulfils `nuzoo.evaluation.core.answers.AnswerReader`."""

    columns = COLUMNS
    titles = HEADLINE

    def read(self, table: pa.Table, rows: Dataset, targets: Sequence[str]) -> ReconstructionAnswers:
        """Read answers about all that is true of an event."""
        found = {name: vectors_of(table, name, 3) for name in VECTORS}
        for name in CLASSES:
            check_truth(table, name, list(rows[name]))
            probability = probabilities_of(table, f"{name}_probabilities", class_names(rows, name))
            found[f"{name}_logits"] = np.log(np.maximum(probability, np.finfo(np.float64).tiny))
        weight, _ = weights_of(rows, None, NOMINAL, EQUAL)
        return ReconstructionAnswers(predictions_of(rows, found, weight))


ANSWERS = ReconstructionAnswerReader()
