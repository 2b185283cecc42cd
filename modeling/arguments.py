"""Arguments of a network that it does not have: refused, where transformers would swallow them."""

import inspect
from collections.abc import Callable, Mapping

from torch import nn

from nuzoo.files.nearest_names import did_you_mean


class ArgumentError(TypeError):
    """An argument of a network that it does not have."""


def refuse_arguments(network: nn.Module, given: Mapping[str, object]) -> None:
    """Refuse what is left over of the arguments of a network's `forward`.

    Tools of transformers pass some that mean nothing unless they are set: None and False are taken.

    Args:
        network: the network.
        given: what `forward` has no argument for.

    Raises:
        ArgumentError: with the names, and the nearest that it has.
    """
    if unknown := sorted(name for name, value in given.items() if value is not None and value is not False):
        known = named_arguments(network.forward)
        raise ArgumentError(
            f"{type(network).__name__} has no argument {', '.join(map(repr, unknown))}"
            f"{did_you_mean(unknown, known) or '.'} It takes {', '.join(known)}. Correct or remove it."
        )


def named_arguments(function: Callable[..., object]) -> list[str]:
    """Give the names of the arguments of a function that are passed by name."""
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [one.name for one in inspect.signature(function).parameters.values() if one.kind in named]
