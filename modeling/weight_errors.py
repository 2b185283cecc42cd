"""What can be wrong with the weights of a checkpoint, by name."""

from collections.abc import Mapping

from torch import Tensor


class WeightsError(ValueError):
    """The tensors of a checkpoint are not those of the network."""


def differences(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str:
    """Tell which tensors are missing, unexpected, or of another shape than those of a network; "" if none."""
    shapes = {
        f"{name} (expected {tuple(expected[name].shape)}, got {tuple(weights[name].shape)})"
        for name in weights.keys() & expected.keys()
        if weights[name].shape != expected[name].shape
    }
    problems = {
        "missing": expected.keys() - weights.keys(),
        "unexpected": weights.keys() - expected.keys(),
        "of another shape": shapes,
    }
    return "; ".join(f"{problem}: {', '.join(sorted(names))}" for problem, names in problems.items() if names)
