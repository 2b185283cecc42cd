"""Fields of the voxels of a patch, made of few numbers: sums of products of waves along x, y and z."""

from collections.abc import Sequence
from math import pi

import torch
from torch import Tensor, nn

LEAST_WAVES, MOST_WAVES = 2, 16
ACROSS_RANKS = 0.1
"""Weight of the likeness of ranks in the penalty of a basis, of which orthonormality has 1."""


def cosine_waves(length: int, waves: int) -> Tensor:
    """Make the first waves of the orthonormal discrete cosine transform (DCT-II), float32 (length, waves)."""
    steps = torch.arange(length, dtype=torch.float64) + 0.5
    angles = pi / length * steps[:, None] * torch.arange(waves, dtype=torch.float64)
    scale = torch.full((waves,), (2 / length) ** 0.5, dtype=torch.float64)
    scale[0] = (1 / length) ** 0.5
    return (scale * angles.cos()).float()


def waves_of(patch: Sequence[int], shares: Sequence[float]) -> list[int]:
    """Say how many waves each axis of a patch has: a share of its voxels, but 2 to 16."""
    return [
        min(max(LEAST_WAVES, round(share * size)), MOST_WAVES, size)
        for size, share in zip(patch, shares, strict=True)
    ]


class SeparableBasis(nn.Module):
    """Waves along the three axes of a patch, learnt from those of a cosine transform (arXiv 2604.07037).

    Args:
        patch: voxels along x, y and z.
        waves: along each.
        ranks: sets of waves, all alike at first.
    """

    def __init__(self, patch: Sequence[int], waves: Sequence[int], ranks: int):
        super().__init__()
        self.patch, self.waves, self.ranks = list(patch), list(waves), ranks
        self.along_x, self.along_y, self.along_z = (
            nn.Parameter(torch.empty(ranks, size, number)) for size, number in zip(patch, waves, strict=True)
        )

    @property
    def axes(self) -> tuple[Tensor, Tensor, Tensor]:
        """The waves of each axis, (ranks, voxels, waves)."""
        return self.along_x, self.along_y, self.along_z

    def initial(self, axis: int) -> Tensor:
        """Give the waves of an axis that learning starts from, (ranks, voxels, waves)."""
        return cosine_waves(self.patch[axis], self.waves[axis]).expand(self.ranks, -1, -1)

    def forward(self, coefficients: Tensor) -> Tensor:
        """Sum the products of waves: (patches, fields, ranks, x, y, z waves) to (patches, fields, voxels)."""
        number, fields, _, width = coefficients.shape[:4]
        fields_of_ranks = []
        for rank, (along_x, along_y, along_z) in enumerate(zip(*self.axes, strict=True)):
            faces = torch.einsum("jb,kc->bcjk", along_y, along_z).flatten(2).flatten(0, 1)
            planes = coefficients[:, :, rank].reshape(number * fields * width, len(faces)) @ faces
            fields_of_ranks.append(along_x @ planes.view(number, fields, width, faces.shape[1]))
        return torch.stack(fields_of_ranks).sum(dim=0).flatten(2)

    def penalty(self) -> Tensor:
        """Say how far the waves of a rank are from orthonormal, and how alike ranks are, a scalar."""
        return torch.stack([self._penalty(waves) for waves in self.axes]).sum()

    def _penalty(self, waves: Tensor) -> Tensor:
        products = waves.transpose(1, 2) @ waves
        within = (products - torch.eye(products.shape[-1]).to(products)).square().mean()
        if self.ranks == 1:
            return within
        directions = nn.functional.normalize(waves.flatten(1), dim=1, eps=1e-6)
        likeness = directions @ directions.T
        across = likeness - torch.diag(likeness.diagonal())
        return within + ACROSS_RANKS * across.square().mean()


class VoxelHead(nn.Module):
    """Makes fields of the voxels of a patch from its token.

    Args:
        channels: of a token.
        fields: how many each voxel has.
        basis: of which they are sums.
        eps: added to the variance of normalisations.
    """

    def __init__(self, channels: int, fields: int, basis: SeparableBasis, eps: float):
        super().__init__()
        self.shape = [fields, basis.ranks, *basis.waves]
        number = torch.Size(self.shape).numel()
        self.scale = (number // fields) ** -0.5
        self.basis = basis
        self.norm = nn.LayerNorm(channels, eps)
        self.coefficients = nn.Linear(channels, number)
        self.norm_fields = FieldNorm(fields, eps)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (patches, channels) to (patches, fields, voxels), voxels along the last axis first."""
        coefficients = self.scale * self.coefficients(self.norm(tokens)).unflatten(1, self.shape)
        return self.norm_fields(self.basis(coefficients))


class FieldNorm(nn.Module):
    """Normalises the fields of each voxel, as a layer norm does: few numbers, of many voxels.

    Args:
        fields: of a voxel.
        eps: added to the variance.
    """

    def __init__(self, fields: int, eps: float):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(fields))
        self.bias = nn.Parameter(torch.zeros(fields))

    def forward(self, fields: Tensor) -> Tensor:
        """Map (patches, fields, voxels) to the same shape."""
        centred = fields - fields.mean(dim=1, keepdim=True)
        scale = (centred.square().mean(dim=1, keepdim=True) + self.eps).rsqrt()
        return centred * scale * self.weight[:, None] + self.bias[:, None]


class FieldLinear(nn.Linear):
    """A linear map of the fields of each voxel."""

    def forward(self, fields: Tensor) -> Tensor:
        """Map (patches, fields, voxels) to (patches, outputs, voxels)."""
        return self.weight @ fields + self.bias[:, None]
