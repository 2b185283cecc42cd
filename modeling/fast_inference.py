"""Faster inference on a CPU: bfloat16, channels last, and on demand only where there is energy.

Most of a pixel map is empty, and far from energy and borders every layer's response to emptiness is
the same in each pixel. So each event is cut to a window around its energy, with a margin, and in the
global means (of squeeze and excitation, and before the head) the pixels of the margin also stand for
those that were cut off. The result is not exact, since responses to energy and borders fade only
gradually; the margin sets how much of them is kept.
"""

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import ImageClassifierOutputWithNoAttention

from nuzoo.modeling.global_pool import GlobalPool


@dataclass(frozen=True)
class Side:
    """One axis of the window of an event.

    Attributes:
        start: first pixel kept, a multiple of the network's stride.
        stop: first pixel no longer kept, likewise, or the end of the map.
        size: pixels of the whole map.
    """

    start: int
    stop: int
    size: int

    def multiplicity(self, kept: int, margin: int) -> Tensor:
        """How many rows of the whole map each kept row of some layer stands for.

        Args:
            kept: rows of the layer's output in the window.
            margin: pixels between the energy and the window's edge.

        Returns:
            (kept,) float32, one except in the middle of a margin beyond which rows were cut off.
        """
        stride = (self.stop - self.start) / kept
        middle = min(int(margin / stride / 2), kept - 1)
        weight = torch.ones(kept)
        weight[middle] += self.start / stride
        weight[kept - 1 - middle] += (self.size - self.stop) / stride
        return weight


@dataclass(frozen=True)
class Window:
    """The part of an event that the network sees.

    Attributes:
        rows: the rows.
        columns: the columns.
        margin: pixels between the energy and the window's edge.
    """

    rows: Side
    columns: Side
    margin: int

    def crop(self, event: Tensor) -> Tensor:
        """Cut `event` (V, H, W) to the window."""
        rows, columns = self.rows, self.columns
        return event[:, rows.start : rows.stop, columns.start : columns.stop]


def active_window(event: Tensor, margin: int, stride: int) -> Window:
    """Find the smallest window that holds all energy and a margin.

    Args:
        event: (V, H, W) pixel values, zero where there is no energy.
        margin: pixels to keep around the energy.
        stride: total stride of the network: the window's edges are multiples of it.

    Returns:
        The window; without energy it is a single tile in the middle.
    """
    active = event.ne(0).any(dim=0)
    sides = (_side(active.any(dim=1), margin, stride), _side(active.any(dim=0), margin, stride))
    return Window(*sides, margin)


def _side(active: Tensor, margin: int, stride: int) -> Side:
    size = len(active)
    found = active.nonzero().flatten()
    first, last = (int(found[0]), int(found[-1])) if len(found) else (size // 2, size // 2)
    start = max(0, (first - margin) // stride * stride)
    stop = min(size, -(-(last + 1 + margin) // stride) * stride)
    return Side(start, stop, size)


class WindowPool(nn.Module):
    """The mean over the whole map, from the window alone.

    The window is set before each event.
    """

    window: Window

    def forward(self, features: Tensor) -> Tensor:
        """Average `features` (1, C, H, W) of the window to (1, C)."""
        window = self.window
        rows = window.rows.multiplicity(features.shape[2], window.margin)
        columns = window.columns.multiplicity(features.shape[3], window.margin)
        by_row = columns.to(features.dtype) @ features.permute(0, 2, 3, 1)
        total = (rows / (rows.sum() * columns.sum())) @ by_row.float()
        return total.to(features.dtype)


class FastEventClassifier(nn.Module):
    """An event classifier in bfloat16 that looks at the active window of each event.

    Call it as the network itself.

    Args:
        model: a trained event classifier.
        dtype: type of weights and activations.
        margin: pixels kept around the energy; None keeps the whole map.
    """

    def __init__(self, model: nn.Module, dtype: torch.dtype, margin: int | None):
        super().__init__()
        self.model = copy.deepcopy(model).eval().to(dtype).to(memory_format=torch.channels_last)
        self.config: Any = self.model.config
        self.margin = margin
        self.pool = WindowPool()
        if margin is not None:
            _replace_pools(self.model, self.pool)

    @torch.inference_mode()
    def forward(self, pixel_values: Tensor) -> ImageClassifierOutputWithNoAttention:
        """Classify a batch of events.

        Args:
            pixel_values: (B, V, H, W), from the processor.

        Returns:
            `logits` (B, num_labels), float32.
        """
        if self.margin is None:
            logits = self._logits(pixel_values)
        else:
            logits = torch.cat([self._logits_of_window(event) for event in pixel_values])
        return ImageClassifierOutputWithNoAttention(logits=logits)

    def _logits_of_window(self, event: Tensor) -> Tensor:
        self.pool.window = active_window(event, self.margin or 0, self.config.total_stride)
        return self._logits(self.pool.window.crop(event)[None])

    def _logits(self, pixel_values: Tensor) -> Tensor:
        return self.model(pixel_values).logits.float()


def optimize_for_inference(
    model: nn.Module,
    dtype: torch.dtype = torch.bfloat16,
    margin: int | None = None,
    compile_graph: bool = False,
) -> FastEventClassifier:
    """Make a copy of a classifier that is faster on a CPU: twice, without a window (docs/results.md).

    Check on your own events that the classes agree; `benchmarks/bench_cnn_inference.py` does.

    Args:
        model: a trained event classifier.
        dtype: type of weights and activations.
        margin: cut each event to its energy and this many pixels around it. Faster, but some events
            change class. None keeps the whole map.
        compile_graph: compile the network at the first event, which takes about a minute for each
            shape of the input: for the whole map only.

    Returns:
        The copy; `model` is left as it is.

    Raises:
        ValueError: both `margin` and `compile_graph` are asked for, or `margin` for a network without a
            global mean, in which what is kept could stand for what is cut off.
    """
    if compile_graph and margin is not None:
        raise ValueError("every window has another shape: compile the whole map, or set no margin")
    if margin is not None and not any(isinstance(module, GlobalPool) for module in model.modules()):
        raise ValueError(f"{type(model).__name__} has no global mean over pixels: set no margin")
    fast = FastEventClassifier(model, dtype, margin)
    if compile_graph:
        fast.model.compile(fullgraph=True)
    return fast


def _replace_pools(model: nn.Module, pool: WindowPool) -> None:
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, GlobalPool):
                setattr(module, name, pool)
