"""Labels of hits from a network's scores of points, in the form that transformers gives segmentations."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from transformers.image_processing_outputs import SemanticSegmentationPostProcessorOutput

from nuzoo.files.events.event_errors import ShapeError

NO_LABEL = -1
"""Of a hit that no point stands for."""


def labels_of_hits(logits: Tensor, batch: Mapping[str, Tensor], with_scores: bool = False) -> list[Any]:
    """Give each event's labels.

    Args:
        logits: (points, classes).
        batch: `offset`; with `inverse` and `inverse_offset` the labels are those of the hits that became the
            points, without of the points.
        with_scores: also give the logits.

    Returns:
        For each event int64 (hits,), `NO_LABEL` for a hit without point; or that as `segmentation`, with
        `segmentation_scores`, (classes, hits), 0 where there is no label.

    Raises:
        ShapeError: the logits are of other points.
    """
    points = int(batch["offset"][-1]) if len(batch["offset"]) else 0
    if logits.ndim != 2 or len(logits) != points:
        raise ShapeError(
            f"expected logits (points, classes) of the {points} points of the batch, got shape "
            f"{tuple(logits.shape)}: give the batch that the network was asked about"
        )
    labels, ends = logits.argmax(dim=1), batch["offset"]
    if "inverse" in batch:
        inverse, ends = batch["inverse"].to(logits.device), batch["inverse_offset"]
        known = inverse >= 0
        labels = labels.new_full(inverse.shape, NO_LABEL).index_put((known,), labels[inverse[known]])
        scores = logits.new_zeros(len(inverse), logits.shape[1])
        logits = scores.index_put((known,), logits[inverse[known]])
    counts = torch.diff(ends, prepend=ends.new_zeros(1)).tolist()
    segmentations = list(labels.split(counts))
    if not with_scores:
        return segmentations
    return [
        SemanticSegmentationPostProcessorOutput({"segmentation": one, "segmentation_scores": scores.T})
        for one, scores in zip(segmentations, logits.split(counts), strict=True)
    ]
