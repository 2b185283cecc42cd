"""The batch norm of points, of which an event, or a batch, may have one or none."""

import torch.nn.functional as F
from torch import Tensor, nn


class PointBatchNorm(nn.BatchNorm1d):
    """A batch norm over all points of a batch; evaluation uses the running statistics.

    In training, fewer than two points have no variance: they are normalised by the running statistics too.
    """

    def forward(self, rows: Tensor) -> Tensor:
        """Map (points, channels) to the same shape."""
        if self.training and len(rows) < 2:
            mean, variance = self.running_mean, self.running_var
            return F.batch_norm(rows, mean, variance, self.weight, self.bias, eps=self.eps)
        return super().forward(rows)
