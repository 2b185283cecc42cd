"""Targets that use all prototypes alike: the Sinkhorn-Knopp algorithm, over the tokens of all processes."""

import torch
import torch.distributed as dist
from torch import Tensor


def over_processes(total: Tensor) -> Tensor:
    """Add up a tensor of each process, in place; one process has its own."""
    if dist.is_available() and dist.is_initialized():
        dist.all_reduce(total)
    return total


@torch.no_grad()
def balanced_targets(cosines: Tensor, temperature: float, iterations: int) -> Tensor:
    """Turn what a teacher sees into probabilities, of which all prototypes have an equal share.

    It is the algorithm of SwAV (arXiv 2006.09882, A.1): columns and rows of exp(cosine / temperature) are
    scaled in turns to equal sums, the rows last.

    Args:
        cosines: (tokens, prototypes), at most 1; a process may have no tokens.
        temperature: Above 0.
        iterations: How often.

    Returns:
        float (tokens, prototypes), whose rows sum to 1.
    """
    shares = torch.exp((cosines.float() - 1) / temperature)
    for _ in range(iterations):
        shares = shares / over_processes(shares.sum(dim=0))
        shares = shares / shares.sum(dim=1, keepdim=True)
    return shares
