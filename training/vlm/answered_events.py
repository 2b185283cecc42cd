"""Pixel-map rows on disk → batches of images, questions and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import datasets
from torch import Tensor


class Answer(Protocol):
    """Makes a text of a row; `nuzoo.training.vlm.answers` has two."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What it reads of the row."""

    def __call__(self, row: Mapping[str, Any]) -> str:
        """The text."""


class AnsweredEvents:
    """A collator that reads the rows it is given the numbers of.

    What it collates are rows of `numbers(split)`: `SFTTrainer` takes nothing but a `datasets.Dataset`, and
    pixels that pass through one are turned into Python lists. Here they stay Arrow until they are scattered.

    Args:
        splits: Pixel-map rows.
        processor: A `NuVlmProcessor`.
        answer: Makes the answer of a row.
        train_on_prompt: See `NuVlmProcessor.supervised`.
    """

    def __init__(
        self,
        splits: Mapping[str, datasets.Dataset],
        processor: Any,
        answer: Answer,
        train_on_prompt: bool = False,
    ) -> None:
        maps = [name for view in processor.views for name in (f"{view}_index", f"{view}_energy")]
        columns = dict.fromkeys([*maps, "detector", *answer.columns])
        self.splits = {
            split: rows.select_columns([name for name in columns if name in rows.column_names])
            for split, rows in splits.items()
        }
        self.processor = processor
        self.answer = answer
        self.train_on_prompt = train_on_prompt

    def numbers(self, split: str) -> datasets.Dataset:
        """The rows of a split by number."""
        rows = len(self.splits[split])
        return datasets.Dataset.from_dict({"split": [split] * rows, "row": range(rows)})

    def __call__(self, numbers: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        """The batch: what the base takes, with `labels` that are -100 but for the answers."""
        rows = self.splits[numbers[0]["split"]].with_format("arrow")
        table = rows[[number["row"] for number in numbers]]
        told = table.select([name for name in self.answer.columns if name in table.column_names])
        answers = [self.answer(row) for row in told.to_pylist()]
        return dict(self.processor.supervised(table, answers, train_on_prompt=self.train_on_prompt))
