"""Which query tells of which instance: the assignment of least cost (arXiv 2112.01527, with focal masks)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers.utils import is_scipy_available

from nuzoo.modeling.true_instances import EventInstances

if is_scipy_available():
    from scipy.optimize import linear_sum_assignment

MOST_POINTS = 100_000
"""Points of an event by which masks are compared at most; of more so many are drawn, with replacement."""

FOCAL_ALPHA, FOCAL_GAMMA = 0.25, 2.0

Pairs = tuple[Tensor, Tensor]
"""Numbers of queries, and of the instances that they are assigned to."""


class MatchingError(ValueError):
    """Queries and instances that cannot be matched."""


def match(masks: Sequence[Tensor], class_logits: Tensor, instances: Sequence[EventInstances]) -> list[Pairs]:
    """Assign queries to instances, each to one at most, so that the costs sum to the least.

    Args:
        masks: of each event (points, queries), logits.
        class_logits: (events, queries, classes + 1); the last is that of no object.
        instances: of each event.

    Returns:
        For each event the pairs; all instances are in one unless there are fewer queries.

    Raises:
        MatchingError: a cost is not finite.
        ImportError: SciPy is not installed.
    """
    if not is_scipy_available():
        raise ImportError("expected SciPy, which assigns queries to instances in training: pip install scipy")
    log_probabilities = class_logits[..., :-1].log_softmax(dim=-1)
    costs = [matching_cost(*event) for event in zip(masks, log_probabilities, instances, strict=True)]
    flat = torch.cat([cost.flatten() for cost in costs]).cpu()  # one wait for the device
    if not bool(flat.isfinite().all()):
        raise MatchingError(
            f"expected finite costs of matching queries with instances, got {int((~flat.isfinite()).sum())} "
            "of NaN or infinity: the network has diverged; lower the learning rate, or clip gradients"
        )
    tables = flat.split([cost.numel() for cost in costs])
    device = class_logits.device
    return [_assigned(table.view(cost.shape), device) for table, cost in zip(tables, costs, strict=True)]


def _assigned(cost: Tensor, device: torch.device) -> Pairs:
    queries, instances = linear_sum_assignment(cost.numpy())
    return torch.from_numpy(queries).to(device), torch.from_numpy(instances).to(device)


@torch.no_grad()
def matching_cost(masks: Tensor, log_probabilities: Tensor, instances: EventInstances) -> Tensor:
    """Compute what it costs that a query tells of an instance: mean focal loss + dice loss + class.

    Classes are told apart among themselves: how sure a query is of no object is no part of the cost, as in
    Panda's public code.

    Memory grows with points times queries, not times instances as well.

    Args:
        masks: (points, queries), logits.
        log_probabilities: (queries, classes), logarithms; no object is none of them.
        instances: of the event.

    Returns:
        (queries, instances).
    """
    members, masks = instances.masks(masks.dtype), masks[instances.rows]
    if len(members) > MOST_POINTS:
        drawn = torch.randint(len(members), (MOST_POINTS,), device=masks.device)
        members, masks = members[drawn], masks[drawn]
    inside, outside, probability = focal_terms(masks)
    points = max(len(members), 1)
    focal = ((inside - outside).T @ members + outside.sum(dim=0)[:, None]) / points
    shared = probability.T @ members
    dice = 1 - (2 * shared + 1) / (probability.sum(dim=0)[:, None] + members.sum(dim=0) + 1)
    is_known = instances.labels >= 0
    of_class = log_probabilities[:, instances.labels.clamp(min=0)] * is_known
    return focal + dice - of_class


def focal_terms(masks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Compute the focal loss (arXiv 1708.02002) of logits of points inside and outside, and probabilities."""
    probability = masks.sigmoid()
    inside = FOCAL_ALPHA * (1 - probability) ** FOCAL_GAMMA * F.softplus(-masks)
    outside = (1 - FOCAL_ALPHA) * probability**FOCAL_GAMMA * F.softplus(masks)
    return inside, outside, probability
