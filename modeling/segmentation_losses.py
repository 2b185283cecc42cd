"""What a labelling of points costs: cross-entropy, plain or focal, and Lovász-softmax."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from nuzoo.modeling.evidence import class_risk


def segmentation_loss(
    logits: Tensor,
    labels: Tensor,
    lovasz_weight: float,
    focal_gamma: float = 0.0,
    class_weights: Sequence[float] | None = None,
    evidential: str | None = None,
) -> Tensor:
    """Give the mean cross-entropy, plus the Lovász-softmax loss times a weight.

    Args:
        logits: (points, classes).
        labels: int64 (points,); points with a negative one do not count.
        lovasz_weight: of the second.
        focal_gamma: see `focal_loss`.
        class_weights: see `focal_loss`.
        evidential: see `focal_loss`.

    Returns:
        A scalar, float32; 0 without points that count.

    Raises:
        ValueError: labels of other points, or of classes that the network does not have.
    """
    points, classes = logits.shape
    if labels.shape != (points,):
        raise ValueError(f"labels: expected one for each of {points} points, got {tuple(labels.shape)}")
    if points and int(labels.max()) >= classes:
        raise ValueError(
            f"labels: expected classes of points below {classes}, the number that the network has, got "
            f"{int(labels.max())}: use labels of its classes"
        )
    known = labels >= 0
    logits, labels = logits[known].float(), labels[known]
    if not len(labels):
        return logits.sum()
    loss = focal_loss(logits, labels, focal_gamma, class_weights, evidential)
    return loss + lovasz_weight * lovasz_softmax(logits.softmax(dim=1), labels) if lovasz_weight else loss


def focal_loss(
    logits: Tensor,
    labels: Tensor,
    gamma: float,
    class_weights: Sequence[float] | None,
    evidential: str | None = None,
) -> Tensor:
    """Give the mean of -w (1 - p)^gamma log p (arXiv 1708.02002), p of the true class and w its weight.

    Args:
        logits: (points, classes).
        labels: int64 (points,).
        gamma: 0 makes it the cross-entropy.
        class_weights: of each class; their sum does not divide the loss, points alone do.
        evidential: what stands in place of -log p, see `class_risk`.
    """
    loss = class_risk(logits, labels, evidential)
    if gamma:
        surprise = F.cross_entropy(logits, labels, reduction="none")
        loss = loss * (-torch.expm1(-surprise)).clamp(min=torch.finfo(loss.dtype).tiny) ** gamma
    if class_weights is not None:
        loss = loss * loss.new_tensor(class_weights)[labels]
    return loss.mean()


def lovasz_softmax(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Give the Lovász-softmax loss (arXiv 1705.08790), averaged over the classes that are there.

    Args:
        probabilities: (points, classes).
        labels: int64 (points,).
    """
    is_class = F.one_hot(labels, probabilities.shape[1]).to(probabilities.dtype)
    errors, order = (is_class - probabilities).abs().sort(dim=0, descending=True)
    is_class = is_class.gather(0, order)
    total = is_class.sum(dim=0)
    found = is_class.cumsum(dim=0)
    union = total + (1 - is_class).cumsum(dim=0)
    jaccard = 1 - (total - found) / union
    steps = torch.diff(jaccard, dim=0, prepend=torch.zeros_like(jaccard[:1]))
    return (errors * steps).sum(dim=0)[total > 0].mean()
