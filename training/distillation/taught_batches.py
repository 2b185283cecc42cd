"""Batches of events with what a teacher says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from nuzoo.training.event_batches import EventBatches

PREFIX = "teacher_"


class TaughtBatches(EventBatches):
    """Adds to each batch the answers of its events, as `teacher_logits` and so on.

    Args:
        *args: See `EventBatches`.
        answers: (events, ...), by name.
        **kwargs: See `EventBatches`.
    """

    def __init__(self, *args: Any, answers: Mapping[str, Tensor], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.answers = answers

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        said = {f"{PREFIX}{name}": values[list(indices)] for name, values in self.answers.items()}
        return super().__getitems__(indices) | said
