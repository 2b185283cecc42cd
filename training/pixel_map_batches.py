"""Pixel-map rows on disk → batches of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import torch
from torch import Tensor

from nuzoo.training.augmentation import Augmentation


class PixelMapBatches(torch.utils.data.Dataset[dict[str, Tensor]]):
    """A map-style dataset whose `__getitems__` makes a whole batch at once.

    Rows stay Arrow until the processor scatters them, so that a batch costs one read, one decoding and one
    scatter. Use it with `as_is` as the collator.

    Args:
        rows: Pixel-map rows with a `label` column.
        processor: What turns rows into `pixel_values`.
        augmentation: Applied to each batch; None for evaluation.
    """

    def __init__(
        self, rows: datasets.Dataset, processor: Any, augmentation: Augmentation | None = None
    ) -> None:
        maps = [name for view in processor.views for name in (f"{view}_index", f"{view}_energy")]
        self.rows = rows.select_columns([*maps, "detector", "label"]).with_format("arrow")
        self.processor = processor
        self.augmentation = augmentation

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        table = self.rows[list(indices)]
        pixel_values = self.processor(table)["pixel_values"]
        if self.augmentation is not None:
            pixel_values = self.augmentation(pixel_values)
        return {"pixel_values": pixel_values, "labels": torch.from_numpy(table["label"].to_numpy())}


def as_is(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """The collator for a dataset that makes whole batches."""
    return batch
