"""The mean over a whole map, as a module so that fast inference can compute it from a part."""

from torch import Tensor, nn


class GlobalPool(nn.Module):
    """Mean of each channel."""

    def forward(self, features: Tensor) -> Tensor:
        """Average `features` (B, C, H, W) to (B, C)."""
        return features.mean(dim=(2, 3))
