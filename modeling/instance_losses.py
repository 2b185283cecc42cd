"""What a segmentation into instances costs, as Panda's detector is trained (arXiv 2512.01324)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

from nuzoo.modeling.instance_matching import Pairs, focal_terms, match
from nuzoo.modeling.true_instances import EventInstances

FOCAL_WEIGHT, DICE_WEIGHT = 2.0, 5.0
MATCHED_WEIGHT, NO_OBJECT_WEIGHT = 2.0, 0.5


@dataclass(frozen=True)
class Told:
    """What queries tell after a block of the decoder.

    Attributes:
        masks: (points, queries), logits.
        classes: (events, queries, classes + 1), logits; the last is that of no object.
        regressed: (events, queries, …) by name.
    """

    masks: Tensor
    classes: Tensor
    regressed: dict[str, Tensor] = field(default_factory=dict)

    def in_single_precision(self) -> Self:
        """Give the same as float32."""
        regressed = {name: values.float() for name, values in self.regressed.items()}
        return type(self)(self.masks.float(), self.classes.float(), regressed)


def panoptic_loss(blocks: Sequence[Told], instances: Sequence[EventInstances], counts: list[int]) -> Tensor:
    """Sum the losses of all blocks of a decoder; each is matched anew.

    Args:
        blocks: what queries tell after each.
        instances: of each event.
        counts: points of each event.

    Returns:
        A scalar.

    Raises:
        MatchingError: a cost is not finite.
    """
    return torch.stack([_block_loss(block, instances, counts) for block in blocks]).sum()


def background_loss(logits: Tensor, is_background: Tensor) -> Tensor:
    """Give the mean binary cross-entropy over the points (points,); 0 without any."""
    target = is_background.to(logits.dtype)
    return F.binary_cross_entropy_with_logits(logits, target) if len(logits) else logits.sum()


def _block_loss(told: Told, instances: Sequence[EventInstances], counts: list[int]) -> Tensor:
    """Give the mean over events of the loss of classes, and over those with instances of that of masks."""
    masks = told.masks.split(counts)
    pairs = match(masks, told.classes, instances)
    of_masks = [
        _mask_loss(mask[of.rows], of, pair)
        for mask, of, pair in zip(masks, instances, pairs, strict=True)
        if len(pair[0])
    ]
    of_classes = [
        _class_loss(logits, of.labels, pair)
        for logits, of, pair in zip(told.classes, instances, pairs, strict=True)
    ]
    loss = torch.stack(of_classes).mean()
    if of_masks:
        loss = loss + torch.stack(of_masks).mean()
    for name, values in told.regressed.items():
        loss = loss + _regression_loss(values, [of.regressed[name] for of in instances], pairs)
    return loss


def _mask_loss(masks: Tensor, instances: EventInstances, pairs: Pairs) -> Tensor:
    """Give focal and dice loss of the masks (members, queries) of an event, averaged over pairs."""
    queries, matched = pairs
    masks, members = masks[:, queries], instances.masks(masks.dtype)[:, matched]
    inside, outside, probability = focal_terms(masks)
    focal = torch.where(members > 0, inside, outside).mean()
    shared, total = (probability * members).sum(dim=0), probability.sum(dim=0) + members.sum(dim=0)
    dice = (1 - (2 * shared + 1) / (total + 1)).mean()
    return FOCAL_WEIGHT * focal + DICE_WEIGHT * dice


def _class_loss(logits: Tensor, labels: Tensor, pairs: Pairs) -> Tensor:
    """Give the cross-entropy of matched queries and of the others, weighted, over how many of both exist."""
    queries, matched = pairs
    is_matched = torch.zeros(len(logits), dtype=torch.bool, device=logits.device)
    is_matched[queries] = True
    terms = []
    if (labels[matched] >= 0).any():
        terms.append(MATCHED_WEIGHT * F.cross_entropy(logits[queries], labels[matched]))
    others = logits[~is_matched]
    if len(others):
        no_object = labels.new_full((len(others),), logits.shape[-1] - 1)
        terms.append(NO_OBJECT_WEIGHT * F.cross_entropy(others, no_object))
    return torch.stack(terms).mean() if terms else logits.sum() * 0


def _regression_loss(values: Tensor, truth: Sequence[Tensor], pairs: Sequence[Pairs]) -> Tensor:
    """Give the smooth L1 loss of what matched queries tell, over all that is known of a batch."""
    events = zip(values, truth, pairs, strict=True)
    pairs_of = [(of[queries], true[matched]) for of, true, (queries, matched) in events]
    told = torch.cat([of for of, _ in pairs_of])
    known = torch.cat([true for _, true in pairs_of]).view(-1, values.shape[-1])
    is_known = known.isfinite()
    return F.smooth_l1_loss(told[is_known], known[is_known]) if is_known.any() else told.sum() * 0
