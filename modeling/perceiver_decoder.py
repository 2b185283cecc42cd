"""Asks the latents of events about patches, the ECAL and muon tracks that were hidden from them."""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from nuzoo.configuration.configuration_nu_perceiver import NuPerceiverConfig
from nuzoo.modeling.grid_embeddings import grid_embeddings
from nuzoo.modeling.perceiver_blocks import CrossBlock, Reading
from nuzoo.modeling.sparse.patches import PatchGrid


@dataclass(frozen=True)
class AskedPatches:
    """Patches of a part that are asked about.

    Attributes:
        event: int64 (patches,), of each.
        window: int64 (patches,), of the detector.
        local: int64 (patches,), its place in the window.
    """

    event: Tensor
    window: Tensor
    local: Tensor


class PerceiverDecoder(nn.Module):
    """Queries that read latents (arXiv 2604.07037); they do not see each other.

    Args:
        config: the network's configuration.
        cal: how the 3DCal is cut.
        ahcal: how the AHCAL is.
    """

    def __init__(self, config: NuPerceiverConfig, cal: PatchGrid, ahcal: PatchGrid):
        super().__init__()
        channels = config.decoder_hidden_size
        self.grids = {"cal": cal.patches, "ahcal": ahcal.patches}
        self.latents = nn.Linear(config.hidden_size, channels)
        self.cal_positions: Tensor
        self.ahcal_positions: Tensor
        self.register_buffer("cal_positions", torch.empty(prod(cal.patches), channels))
        self.register_buffer("ahcal_positions", torch.empty(prod(ahcal.patches), channels))
        self.module_embedding = nn.Embedding(config.modules, channels)
        self.cal_token = nn.Parameter(torch.empty(channels))
        self.ahcal_token = nn.Parameter(torch.empty(channels))
        self.part_token = nn.Parameter(torch.empty(2, channels))
        self.blocks = nn.ModuleList(
            CrossBlock(config, channels, config.decoder_heads) for _ in range(config.decoder_layers)
        )

    def initial_positions(self) -> dict[str, Tensor]:
        """Give the fixed places of patches by the names of buffers."""
        channels = self.cal_positions.shape[1]
        return {f"{part}_positions": grid_embeddings(grid, channels) for part, grid in self.grids.items()}

    def forward(
        self, latents: Tensor, counts: Tensor, cal: AskedPatches, ahcal: AskedPatches | None
    ) -> tuple[Tensor, ...]:
        """Answer about patches, and where the AHCAL is asked about also about the ECAL and muons.

        Args:
            latents: (latents, hidden_size), those of event after event.
            counts: int64 (events,), latents of each.
            cal: patches of the 3DCal.
            ahcal: patches of the AHCAL.

        Returns:
            (patches, channels) of the 3DCal; with `ahcal` the same of the AHCAL, and (2, events, channels),
            of the ECAL and of the muons.
        """
        parts = [self.cal_positions[cal.local] + self.module_embedding(cal.window) + self.cal_token]
        events = [cal.event]
        if ahcal is not None:
            every = torch.arange(len(counts), device=counts.device)
            parts.append(self.ahcal_positions[ahcal.local] + self.ahcal_token)
            parts += [token.expand(len(counts), -1) for token in self.part_token]
            events += [ahcal.event, every, every]
        answers = self._read(torch.cat(parts).to(latents.dtype), torch.cat(events), latents, counts)
        found = answers.split([len(part) for part in parts])
        return found if ahcal is None else (*found[:2], torch.stack(found[2:]))

    def _read(self, queries: Tensor, event: Tensor, latents: Tensor, counts: Tensor) -> Tensor:
        order = torch.argsort(event, stable=True)
        reading = Reading(torch.bincount(event, minlength=len(counts)), counts)
        read, rows = self.latents(latents), queries[order]
        for block in self.blocks:
            rows, _ = block(rows, read, reading)
        return torch.empty_like(rows).index_copy(0, order, rows)


def asked_patches(window: Tensor, local: Tensor, windows: int) -> AskedPatches:
    """Tell events from windows, of which each event has so many."""
    return AskedPatches(window // windows, window % windows, local)
