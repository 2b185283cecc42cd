"""What teaches a network to propose points of interest."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nuzoo.modeling.sparse.ragged import counts_of


@dataclass(frozen=True)
class NearestKeypoints:
    """The nearest point of interest of each point of a batch.

    Attributes:
        row: int64 (points,), -1 of a point whose event has none.
        offset: (points, 3), from the point to it, 0 where there is none.
        is_near: bool (points,), whether it lies within the radius.
    """

    row: Tensor
    offset: Tensor
    is_near: Tensor


def nearest_keypoints(
    coordinates: Tensor, offset: Tensor, places: Tensor, place_offset: Tensor, radius: float
) -> NearestKeypoints:
    """Find the nearest point of interest of the same event.

    Args:
        coordinates: (points, 3), the points of event after event.
        offset: int64 (events,), where the points of each event end.
        places: (keypoints, 3).
        place_offset: int64 (events,), where the keypoints of each event end.
        radius: within which a point is near.
    """
    row = torch.full((len(coordinates),), -1, device=coordinates.device)
    away = torch.zeros_like(coordinates)
    counts, of_places = counts_of(offset).tolist(), counts_of(place_offset).tolist()
    ends = zip(offset.tolist(), counts, place_offset.tolist(), of_places, strict=True)
    for end, count, place_end, number in ends:
        if count and number:
            here = slice(end - count, end)
            found = torch.cdist(coordinates[here], places[place_end - number : place_end]).argmin(dim=1)
            row[here] = found + place_end - number
            away[here] = places[row[here]] - coordinates[here]
    return NearestKeypoints(row, away, (row >= 0) & (away.norm(dim=1) <= radius))


def keypoint_loss(
    scores: Tensor, offsets: Tensor, kinds: Tensor, nearest: NearestKeypoints, labels: Tensor, radius: float
) -> Tensor:
    """Add up what the scores, the offsets and the kinds of points cost.

    Scores cost their binary cross-entropy, of all points; offsets in units of the radius a smooth L1 norm
    and kinds their cross-entropy, of the points that are near.

    Args:
        scores: (points,) logits that a point of interest is near.
        offsets: (points, 3) to it, in units of the radius.
        kinds: (points, kinds) logits.
        nearest: see `nearest_keypoints`.
        labels: int64 (keypoints,) kind of each point of interest.
        radius: within which a point is near.
    """
    near = nearest.is_near
    score = F.binary_cross_entropy_with_logits(scores, near.to(scores.dtype), reduction="sum")
    offset = F.smooth_l1_loss(offsets[near], nearest.offset[near] / radius, reduction="sum")
    kind = F.cross_entropy(kinds[near], labels[nearest.row[near]], reduction="sum")
    return score / max(len(scores), 1) + (offset + kind) / near.sum().clamp(min=1)
