"""Pixel-map rows on disk → batches of images, questions and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import datasets
from torch import Tensor

from nuzoo.processors.vlm.processing_nu_vlm import NuVlmProcessor
from nuzoo.training.event_batches import event_columns


class AnsweredEvents:
    """A collator that reads the rows it is given the numbers of.

    What it collates are rows of `numbers(split)`: `SFTTrainer` takes nothing but a `datasets.Dataset`, and
    pixels that pass through one are turned into Python lists. Here they stay Arrow until they are scattered.

    Args:
        splits: Pixel-map rows.
        processor: Makes the batches.
        answer: Makes the answer of a row.
        columns: What it reads of the row.
        train_on_prompt: See `NuVlmProcessor.supervised`.
    """

    def __init__(
        self,
        splits: Mapping[str, datasets.Dataset],
        processor: NuVlmProcessor,
        answer: Callable[[Mapping[str, Any]], str],
        columns: Sequence[str],
        train_on_prompt: bool = False,
    ) -> None:
        self.splits = {
            split: rows.select_columns(event_columns(rows, processor, columns)).with_format("arrow")
            for split, rows in splits.items()
        }
        self.processor, self.answer, self.columns = processor, answer, columns
        self.train_on_prompt = train_on_prompt

    def numbers(self, split: str) -> datasets.Dataset:
        """Give the rows of a split by number."""
        rows = len(self.splits[split])
        return datasets.Dataset.from_dict({"split": [split] * rows, "row": range(rows)})

    def __call__(self, numbers: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        """Make the batch: what the base takes, with `labels` that are -100 but for the answers."""
        table = self.splits[numbers[0]["split"]][[number["row"] for number in numbers]]
        told = table.select([name for name in self.columns if name in table.column_names])
        answers = [self.answer(row) for row in told.to_pylist()]
        return dict(self.processor.supervised(table, answers, train_on_prompt=self.train_on_prompt))
