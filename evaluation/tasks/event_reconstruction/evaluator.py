"""What measures the reconstruction of events: the front of this folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from nuzoo.evaluation.core.evaluator import Option

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedConfig

CLASSES = ("flavour", "charm")
VECTORS = ("vis_momentum", "jet_momentum", "primary_vertex")


class EventReconstructionEvaluator:
    """Fulfils `nuzoo.evaluation.core.evaluator.TaskEvaluator`, which says what each method is for."""

    task: ClassVar[str] = "event-reconstruction"
    options: ClassVar[Sequence[Option]] = ()
    comparison = None
    store_calibration = None
    training_metrics = None
    report_cross_validation = None

    def check_events(self, rows: Dataset | None, split: str, config: PreTrainedConfig) -> None:
        """Refuse events without truth, or of other classes."""
        from nuzoo.configuration.event_classifier_config import class_names_of
        from nuzoo.datasets_scripts.common.labelled_rows import (
            check_classes_of,
            check_columns,
            check_labelled,
        )

        check_labelled(rows, split, CLASSES)
        assert rows is not None
        check_columns(rows, split, VECTORS)
        for target in CLASSES:
            check_classes_of(rows, split, class_names_of(config, target), target)


EVALUATOR = EventReconstructionEvaluator()
