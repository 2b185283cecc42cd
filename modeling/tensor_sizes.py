"""Sizes of the tensors of a released file, from which the sizes of its network follow."""

from collections.abc import Mapping

from torch import Tensor

from nuzoo.modeling.weight_errors import WeightsError


class TensorSizes:
    """Shapes of tensors by their names.

    Args:
        tensors: by name.
        family: whose networks these are, for errors.
        origin: where they are from, for errors.
    """

    def __init__(self, tensors: Mapping[str, Tensor], family: str, origin: str):
        self.shapes = {name: tensor.shape for name, tensor in tensors.items()}
        self.family, self.origin = family, origin

    def of(self, name: str, axis: int) -> int:
        """Give a size of a tensor that must be there.

        Raises:
            WeightsError: it is not, or has fewer axes.
        """
        shape = self.shapes.get(name, ())
        if len(shape) <= axis:
            got = f"{tuple(shape)}" if name in self.shapes else "none"
            raise WeightsError(
                f"{self.origin} does not hold the weights of one of {self.family}'s networks. Expected "
                f"{name} of {axis + 1} axes at least, got {got}: download the file again, or give another"
            )
        return int(shape[axis])
