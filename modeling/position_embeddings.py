"""Position embeddings of a grid of patches, for a grid of another size."""

import torch
import torch.nn.functional as F
from torch import Tensor


def resize_position_embeddings(
    embeddings: Tensor, grid: tuple[int, int], new_grid: tuple[int, int]
) -> Tensor:
    """Interpolate bicubically, with antialiasing, as timm does; the class token's is kept.

    Args:
        embeddings: (1, 1 + rows * columns, C), the class token first.
        grid: rows and columns of the patches.
        new_grid: those to interpolate to.

    Returns:
        (1, 1 + new rows * new columns, C) of the same type; the very tensor if the grids are equal.
    """
    if tuple(grid) == tuple(new_grid):
        return embeddings
    of_class, of_patches = embeddings[:, :1], embeddings[:, 1:]
    image = of_patches.unflatten(1, grid).permute(0, 3, 1, 2)
    image = image.to(torch.promote_types(image.dtype, torch.float32))
    resized = F.interpolate(image, size=new_grid, mode="bicubic", antialias=True)
    return torch.cat([of_class, resized.flatten(2).mT.to(embeddings.dtype)], dim=1)
