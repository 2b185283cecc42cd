"""Which tokens of an event a masked autoencoder does not see."""

import torch
from torch import Tensor

from nuzoo.modeling.sparse.ragged import places_of

GOLDEN = (5**0.5 - 1) / 2


def masked_tokens(counts: Tensor, ratio: float, at_random: bool) -> Tensor:
    """Mask a part of the tokens of each event, rounded down.

    Args:
        counts: int64 (events,), tokens of each.
        ratio: of those that are masked.
        at_random: draw them by torch's generator. Otherwise they are always the same ones, spread evenly over
            the order of the tokens by multiples of the golden ratio.

    Returns:
        bool (tokens,).
    """
    event = torch.repeat_interleave(counts)
    place = places_of(event)
    keys = torch.rand(len(event), device=counts.device) if at_random else (place * GOLDEN) % 1
    order = torch.argsort(keys)
    order = order[torch.argsort(event[order], stable=True)]
    is_masked = place < (ratio * counts).long()[event]
    return torch.empty_like(is_masked).index_copy(0, order, is_masked)
