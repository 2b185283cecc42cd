"""Tokens of the patches of windows, such as the modules of a calorimeter, and class tokens of each window."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from nuzoo.configuration.perceiver_config import PerceiverConfig
from nuzoo.modeling.patch_stem import PatchStem
from nuzoo.modeling.perceiver_blocks import SelfBlock
from nuzoo.modeling.sparse.padded_rows import EventRows, rows_by_event, rows_by_length
from nuzoo.modeling.sparse.patches import PatchGrid
from nuzoo.modeling.sparse.ragged import places_of

LENGTH_STEP = 8
"""Rows by which windows that attend together may differ."""


@dataclass(frozen=True)
class WindowTokens:
    """What an encoder of windows gives.

    Attributes:
        tokens: (patches, channels).
        window: int64 (patches,), the window of each.
        classes: (class tokens, channels), those of window after window.
        class_window: int64 (class tokens,), the window of each.
        class_number: int64 (class tokens,), which of its window's it is.
        hidden_states: after each block its rows, (class tokens + patches, channels), window after window.
        attentions: of each block, if the attention is "eager".
    """

    tokens: Tensor
    window: Tensor
    classes: Tensor
    class_window: Tensor
    class_number: Tensor
    hidden_states: tuple[Tensor, ...]
    attentions: tuple[Tensor, ...]


class WindowEncoder(nn.Module):
    """Makes tokens of patches, and lets those of a window attend to each other and to its class tokens.

    Args:
        config: the network's configuration.
        grid: how the part of the detector is cut.
        drop_paths: of each block.
    """

    def __init__(self, config: PerceiverConfig, grid: PatchGrid, drop_paths: Sequence[float]):
        super().__init__()
        channels, patches = config.hidden_size, prod(grid.patches)
        self.config, self.grid = config, grid
        self.patches_per_class = max(1, patches // config.class_tokens)
        self.stem = PatchStem(grid.patch, channels, config.layer_norm_eps)
        self.positions: Tensor
        self.register_buffer("positions", torch.empty(patches, channels))
        self.class_token = nn.Parameter(torch.empty(config.class_tokens, channels))
        self.blocks = nn.ModuleList(
            SelfBlock(config, channels, config.num_attention_heads, one) for one in drop_paths
        )
        self.norm = nn.LayerNorm(channels, config.layer_norm_eps)

    def forward(self, tokens: Tensor, window: Tensor, windows: Tensor, occupied: Tensor) -> WindowTokens:
        """Let tokens attend.

        Args:
            tokens: (patches, channels), window after window.
            window: int64 (patches,), the window of each.
            windows: int64 (windows,), ascending, all that there are.
            occupied: int64 (windows,), patches with hits of each; so many class tokens it has: one where
                none has hits.
        """
        classes = self.class_counts(occupied)
        of_window = torch.repeat_interleave(classes)
        number = places_of(of_window)
        rows = torch.cat([self.class_token[number].to(tokens.dtype), tokens])
        group = torch.cat([of_window, torch.searchsorted(windows, window)])
        order = torch.argsort(group, stable=True)
        counts = torch.bincount(group, minlength=len(windows))
        rows, groups = rows[order], self._groups(counts)
        states, attentions = [], []
        for block in self.blocks:
            rows, weights = block(rows, counts, groups)
            states.append(rows)
            attentions += weights
        rows = torch.empty_like(rows).index_copy(0, order, self.norm(rows))
        seen, class_window = rows[len(of_window) :], windows[of_window]
        return WindowTokens(
            tokens=seen,
            window=window,
            classes=rows[: len(of_window)],
            class_window=class_window,
            class_number=number,
            hidden_states=tuple(states),
            attentions=tuple(attentions),
        )

    def _groups(self, counts: Tensor) -> list[EventRows]:
        """Put windows of like length together; weights that are looked at have those of all in one."""
        if self.config._attn_implementation == "eager":
            return [rows_by_event(counts)]
        return rows_by_length(counts, LENGTH_STEP)

    def class_counts(self, occupied: Tensor) -> Tensor:
        """Say how many class tokens windows have, by their patches with hits, int64 (windows,)."""
        needed = (occupied + self.patches_per_class - 1) // self.patches_per_class
        return torch.minimum(needed, occupied).clamp(1, len(self.class_token))


def with_empty_windows(windows: Tensor, occupied: Tensor, empty: Tensor) -> tuple[Tensor, Tensor]:
    """Add windows without hits to those with hits: both int64 (windows,), ascending, see `WindowEncoder`."""
    joined, order = torch.sort(torch.cat([windows, empty]))
    return joined, torch.cat([occupied, torch.zeros_like(empty)])[order]
