"""Which patches of an event a masked autoencoder sees: of every window some, by how many have hits."""

import torch
from torch import Tensor

from nuzoo.modeling.sparse.ragged import places_of
from nuzoo.modeling.token_masks import GOLDEN


def uniform_draws(keys: Tensor, at_random: bool) -> Tensor:
    """Draw a number from 0 to 1 for each key.

    Args:
        keys: int64 (n,), what the draw of each is of, such as its place in the detector.
        at_random: draw by torch's generator. Otherwise the same key always has the same number: multiples of
            the golden ratio, which spread evenly.

    Returns:
        float64 (n,).
    """
    if at_random:
        return torch.rand(len(keys), dtype=torch.float64, device=keys.device)
    return ((keys + 1).double() * GOLDEN) % 1


def visible_patches(window: Tensor, place: Tensor, ratio: float, at_random: bool) -> Tensor:
    """Choose the patches that are seen, window by window (arXiv 2604.07037).

    Of v patches v (1 - ratio) are, rounded up or down by a draw, but one at least, and of two or more one is
    not.

    Args:
        window: int64 (patches,), ascending.
        place: int64 (patches,), of each in the detector.
        ratio: of those that are masked.
        at_random: see `uniform_draws`.

    Returns:
        bool (patches,).
    """
    _, group, counts = torch.unique_consecutive(window, return_inverse=True, return_counts=True)
    first = counts.cumsum(0) - counts
    wanted = (1 - ratio) * counts.double()
    rounded_up = uniform_draws(place[first], at_random) < wanted % 1
    kept = torch.minimum((wanted.long() + rounded_up).clamp(min=1), (counts - 1).clamp(min=1))
    order = torch.argsort(uniform_draws(place, at_random))
    order = order[torch.argsort(group[order], stable=True)]
    is_kept = places_of(group) < kept[group]
    return torch.empty_like(is_kept).index_copy(0, order, is_kept)
