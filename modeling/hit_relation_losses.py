"""Losses of what made a hit: nothing (a ghost), or particles of several kinds in shares."""

import torch
import torch.nn.functional as F
from torch import Tensor

from nuzoo.modeling.masked_patches import uniform_draws

SURENESS = 1e-3
"""Weight of the negative entropy of what is told: it keeps shares from becoming too sure."""

SUPERVISED = 0.5
"""Part of the hits that count in training."""


def ghost_loss(logits: Tensor, is_ghost: Tensor, smoothing: float) -> Tensor:
    """Average the cross-entropy over hits (n,); 0 of none."""
    if not len(logits):
        return logits.sum()
    target = is_ghost.float() * (1 - 2 * smoothing) + smoothing
    return F.binary_cross_entropy_with_logits(logits.float(), target)


def share_loss(logits: Tensor, shares: Tensor, smoothing: float) -> Tensor:
    """Average the cross-entropy of shares of classes over hits; 0 of none.

    Args:
        logits: (n, classes).
        shares: (n, classes), that sum to 1.
        smoothing: of the shares.
    """
    if not len(logits):
        return logits.sum()
    told = logits.float().log_softmax(dim=1)
    target = shares * (1 - smoothing) + smoothing / shares.shape[1]
    entropy = -(target * told).sum(dim=1)
    sureness = (told.exp() * told).sum(dim=1)
    return (entropy + SURENESS * sureness).mean()


def supervised_hits(has_shares: Tensor, patch: Tensor, at_random: bool) -> Tensor:
    """Choose the hits whose shares count: in training half of them, by a draw, and one of a patch at least.

    Args:
        has_shares: bool (hits,), those that can.
        patch: int64 (hits,), of each.
        at_random: whether to draw; otherwise all that can count.

    Returns:
        int64 (n,), ascending.
    """
    able = torch.nonzero(has_shares)[:, 0]
    if not at_random or not len(able):
        return able
    draws = uniform_draws(able, at_random)
    patches = patch[able]
    least = draws.new_ones(int(patches.max()) + 1).scatter_reduce(0, patches, draws, "amin")
    return able[(draws < SUPERVISED) | (draws == least[patches])]
