"""Answers of a segmentation into instances: to which one each hit belongs, and the class of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from nuzoo.configuration.query_decoder_config import QueryDecoderConfig
from nuzoo.evaluation.core.answers import Floats, check_truth, class_names, lists_of
from nuzoo.evaluation.core.errors import AnswerError
from nuzoo.evaluation.core.events import read_lists
from nuzoo.evaluation.tasks.particle_segmentation.predictions import InstancePredictions
from nuzoo.evaluation.tasks.particle_segmentation.results import OVERALL
from nuzoo.evaluation.tasks.particle_segmentation.scores import EventCounts, count_events, scores

if TYPE_CHECKING:
    from datasets import Dataset


COLUMNS = {
    "found": "the number of the instance of each hit, from 1, in the order of the hits; -1 for none",
    "found_label": "the number of the class of each instance, in the order of their numbers",
}
"""What a file of answers needs beside `event_id`."""


@dataclass(frozen=True)
class InstanceAnswers:
    """Fulfils `nuzoo.evaluation.core.answers.Answers`.

    Attributes:
        counts: Of n events.
        right: None: an event is right in part.
    """

    counts: EventCounts
    right = None

    def scores(self, weights: Floats) -> Mapping[str, Floats]:
        """Compute `OVERALL` of the instances of weighted events."""
        found = scores(self.counts, weights)
        return {key: found[key] for key in OVERALL}


class InstanceAnswerReader:
    """Fulfils `nuzoo.evaluation.core.answers.AnswerReader`."""

    columns = COLUMNS
    titles = OVERALL

    def read(self, table: pa.Table, rows: Dataset, targets: Sequence[str]) -> InstanceAnswers:
        """Read answers about two columns of truth: the instance of each hit, and its class."""
        instance, of_class = targets
        truth, classes = (read_lists(rows, name, np.int64) for name in (instance, of_class))
        check_truth(table, "truth", np.concatenate(truth))
        check_truth(table, "truth_class", np.concatenate(classes))
        names = class_names(rows, of_class)
        found, labels = lists_of(table, "found", list(map(len, truth))), lists_of(table, "found_label")
        for event, (hits, of) in enumerate(zip(found, labels, strict=True)):
            _check(str(table["event_id"][event]), hits, of, names)
        predictions = InstancePredictions(
            event_id=list(rows["event_id"]),
            truth=truth,
            truth_class=classes,
            found=[hits.astype(np.int64) for hits in found],
            found_label=[of.astype(np.int64) for of in labels],
            found_score=[],
        )
        background = [names.index(name) for name in names if name == QueryDecoderConfig.background]
        return InstanceAnswers(count_events(predictions.overlaps(background), len(names)))


def _check(event: str, hits: Floats, labels: Floats, names: Sequence[str]) -> None:
    """Refuse instances without a class, and classes that there are not."""
    if not np.isin(hits, [-1, *range(1, len(labels) + 1)]).all():
        raise AnswerError(
            f"column found: expected -1 or a number from 1 to {len(labels)}, as event {event} has so many in "
            "found_label, got another"
        )
    if not np.isin(labels, np.arange(len(names))).all():
        raise AnswerError(
            f"column found_label: expected a class from 0 to {len(names) - 1} ({', '.join(names)}), got "
            f"another in event {event}"
        )


ANSWERS = InstanceAnswerReader()
