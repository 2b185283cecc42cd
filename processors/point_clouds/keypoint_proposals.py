"""Points of interest of events from what points tell, in the form that transformers gives keypoints."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from nuzoo.files.events.event_errors import ShapeError


def proposals_of_events(
    outputs: Any, batch: Mapping[str, Tensor], threshold: float, radius: float
) -> list[dict[str, Tensor]]:
    """Keep the best proposals of each event: none lies within the radius of a better one.

    Args:
        outputs: of the network, with `score_logits` (points,), `keypoint_places` (points, 3) and `logits`
            (points, kinds).
        batch: what the network was asked about: `offset`.
        threshold: least probability.
        radius: in the unit of the places.

    Returns:
        For each event, best first, `keypoints` (n, 3) in the unit of the places, `scores` (n,), the
        probability of each, and `labels`, int64 (n,), its kind.

    Raises:
        ShapeError: the outputs are of other points.
    """
    ends = batch["offset"]
    points = int(ends[-1]) if len(ends) else 0
    scores = outputs.score_logits.float().sigmoid()
    if scores.shape != (points,):
        raise ShapeError(
            f"expected scores of the {points} points of the batch, got shape {tuple(scores.shape)}: give the "
            "batch that the network was asked about"
        )
    counts = torch.diff(ends, prepend=ends.new_zeros(1)).tolist()
    parts = zip(
        scores.split(counts),
        outputs.keypoint_places.float().split(counts),
        outputs.logits.split(counts),
        strict=True,
    )
    return [_proposals(*part, threshold, radius) for part in parts]


def _proposals(
    scores: Tensor, places: Tensor, kinds: Tensor, threshold: float, radius: float
) -> dict[str, Tensor]:
    order = torch.argsort(scores, descending=True, stable=True)
    order = order[scores[order] >= threshold]
    kept = order[_not_suppressed(places[order], radius)]
    return {"keypoints": places[kept], "scores": scores[kept], "labels": kinds[kept].argmax(dim=1)}


def _not_suppressed(places: Tensor, radius: float) -> Tensor:
    """Give the rows (k,) of places (n, 3), best first, that no better one which stays is near to."""
    left, kept = torch.arange(len(places), device=places.device), []
    while len(left):
        best = left[0]
        kept.append(best)
        left = left[(places[left] - places[best]).norm(dim=1) > radius]
        left = left[left != best]
    return torch.stack(kept) if kept else left
