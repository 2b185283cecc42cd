"""An exponential average of the weights of a network, which follows them while they learn."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

AVERAGE_FILE = "averaged.safetensors"
"""In a checkpoint."""

Decay = Annotated[float, "a number from 0 to below 1", lambda value: 0 <= value < 1]


@dataclass(frozen=True)
class Averaging:
    """How weights are averaged, after each step of the optimiser.

    Attributes:
        decay: Share of the average that stays in a step; in the n-th it is (1 + n) / (10 + n) at most, so
            that short trainings forget their beginning too.
        is_used: The average is what is evaluated, what selects the best checkpoint, and what is saved as the
            model. Otherwise it lies in the checkpoints alone.
    """

    decay: Decay
    is_used: bool = True

    def average_of(self, model: nn.Module) -> AveragedModel:
        """Make the average of a network as it is now."""
        averaged = AveragedModel(model, multi_avg_fn=self._follow).requires_grad_(False)
        averaged.update_parameters(model)
        return averaged

    @torch.no_grad()
    def _follow(self, averaged: Sequence[Tensor], learnt: Sequence[Tensor], steps: Tensor | int) -> None:
        done = int(steps)
        decay = min(self.decay, (1 + done) / (10 + done))
        torch._foreach_lerp_(list(averaged), list(learnt), 1 - decay)


@contextmanager
def swapped(model: nn.Module, averaged: AveragedModel) -> Iterator[None]:
    """Give a network the weights of an average for a while, and the average those of the network."""
    _swap(model, averaged.module)
    try:
        yield
    finally:
        _swap(model, averaged.module)


@torch.no_grad()
def take_weights(model: nn.Module, averaged: AveragedModel) -> None:
    """Give a network the weights of an average for good."""
    for own, other in zip(model.parameters(), averaged.module.parameters(), strict=True):
        own.copy_(other)


def save_average(averaged: AveragedModel, folder: Path) -> None:
    """Write an average into a checkpoint."""
    save_file(
        {name: value.contiguous() for name, value in averaged.state_dict().items()}, folder / AVERAGE_FILE
    )


def load_average(averaged: AveragedModel, folder: Path) -> None:
    """Read an average from a checkpoint, all of it."""
    averaged.load_state_dict(load_file(folder / AVERAGE_FILE))


def _swap(model: nn.Module, other: nn.Module) -> None:
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        one.data, two.data = two.data, one.data
