"""Dropout and drop-path at inference: each pass through a network is a sample (arXiv 1506.02142)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from nuzoo.modeling.drop_path import DropPath


class DropsNothingError(ValueError):
    """A network that leaves nothing out by chance, whose passes would all be the same."""


def dropping_modules(model: nn.Module) -> list[nn.Module]:
    """Find the modules of a network that leave something out by chance in training.

    Raises:
        DropsNothingError: there are none.
    """
    found = [module for module in model.modules() if _probability(module) > 0]
    if not found:
        raise DropsNothingError(
            f"expected a network that drops something in training, got {type(model).__name__} without "
            "dropout and drop-path: train it with some, or take an ensemble"
        )
    return found


@contextmanager
def dropping(model: nn.Module, seed: int) -> Iterator[None]:
    """Let a network in evaluation mode drop what it drops in training; all else stays as it is.

    What is dropped follows from the seed, and from how the events are divided into batches.

    Args:
        model: the network.
        seed: of what is dropped.

    Raises:
        DropsNothingError: the network drops nothing.
    """
    modules = dropping_modules(model)
    hooks = [module.register_forward_pre_hook(_as_in_training) for module in modules]
    hooks += [module.register_forward_hook(_as_before, always_call=True) for module in modules]
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            yield
    finally:
        for hook in hooks:
            hook.remove()


def _probability(module: nn.Module) -> float:
    if isinstance(module, _DropoutNd):
        return module.p
    if isinstance(module, DropPath):
        return module.probability
    return float(getattr(module, "attention_dropout", 0.0))


def _as_in_training(module: nn.Module, _: Any) -> None:
    module.training = True


def _as_before(module: nn.Module, _: Any, __: Any) -> None:
    module.training = False
