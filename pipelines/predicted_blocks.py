"""Prediction in blocks of events, each of which whoever has the model can answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import islice
from secrets import token_hex
from typing import TYPE_CHECKING

from nuzoo.files.events.event_schema import EventSchema
from nuzoo.files.left_out import Omission
from nuzoo.pipelines.loading import load_pipeline
from nuzoo.pipelines.predictions import EVENTS_AT_A_TIME, Row, predict_rows

if TYPE_CHECKING:
    from nuzoo.pipelines.event_pipeline import EventPipeline


@dataclass(frozen=True)
class AskedModel:
    """A model, and how it is asked.

    Attributes:
        model: name, folder or repository, see `load_pipeline`.
        batch_size: events that the network sees together.
        passes: how often it is asked with dropout; None for once without.
        occasion: of asking; a process that was asked before loads the model again, which may have changed.
    """

    model: str
    batch_size: int
    passes: int | None = None
    occasion: str = field(default_factory=partial(token_hex, 8))

    def pipeline(self) -> EventPipeline:
        """Load it, once in a process for an occasion; see `load_pipeline`."""
        return _loaded(self)


@lru_cache(maxsize=1)
def _loaded(asked: AskedModel) -> EventPipeline:
    passes = {} if asked.passes is None else {"passes": asked.passes}
    return load_pipeline(asked.model, batch_size=asked.batch_size, **passes)


def in_blocks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Cut rows into those that a model is asked about together, whoever asks it."""
    iterator = iter(rows)
    while block := list(islice(iterator, EVENTS_AT_A_TIME)):
        yield block


def predict_block(
    asked: AskedModel, schema: EventSchema, tell: Callable[[int], object], block: list[Row]
) -> tuple[list[Row], list[Omission]]:
    """Ask a model about a block.

    Args:
        asked: the model.
        schema: of the rows.
        tell: called with the number of events that were asked about.
        block: from `in_blocks`.

    Returns:
        What `predict_rows` yields, and the rows that cannot be read.
    """
    left_out: list[Omission] = []
    told = list(predict_rows(asked.pipeline(), block, left_out, schema))
    tell(len(block))
    return told, left_out
