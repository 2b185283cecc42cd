"""A batch of detector events in MeV and GeV/c, while it is transformed."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from nuzoo.processors.detector_events.detector_event_parts import AHCAL, CAL, ECAL_ENERGY, MUON, MUON_MOMENTUM
from nuzoo.processors.detector_events.event_quantities import MUON_CHI2, QuantityScale
from nuzoo.training.augmentation.ragged import events_of

TRACKS, COUNT, VERTEX = "muon_tracks", "muon_count", "vertex_labels"
NOT_PER_ROW = (COUNT, *(f"{part}_offset" for part in (CAL, AHCAL, MUON)))


class DetectorBatch:
    """The parts of a batch; what nothing changes stays bit for bit.

    Args:
        batch: As the processor makes it.
        scales: Of the processor.
    """

    def __init__(self, batch: Mapping[str, Any], scales: Mapping[str, QuantityScale]) -> None:
        self.tensors, self._scales = dict(batch), scales

    @property
    def events(self) -> int:
        """How many events there are."""
        return len(self.tensors[ECAL_ENERGY])

    def event(self, part: str) -> Tensor:
        """Give the number of the event of each hit or track of a part, (n,)."""
        return events_of(self.tensors[f"{part}_offset"])

    def draw_events(self) -> Tensor:
        """Draw a number from 0 to 1 for each event."""
        return torch.rand(self.events, device=self.tensors[ECAL_ENERGY].device)

    def energy(self, name: str) -> Tensor:
        """Give the energies of a part, MeV, at least 0, in the shape of the batch."""
        return self._scales[name].inverse(self.tensors[name]).clamp(min=0)

    def set_energy(self, name: str, energy: Tensor) -> None:
        """Replace the energies of a part; what is below 0 becomes 0."""
        self.tensors[name] = self._scales[name].forward(energy.clamp(min=0))

    def scale_tracks(self, momentum: Tensor, chi2: Tensor) -> None:
        """Multiply the momenta of tracks, and their chi2, by factors (tracks,)."""
        columns = list(self.tensors[TRACKS].unbind(dim=1))
        names = (*MUON_MOMENTUM, MUON_CHI2)
        for column, (name, factor) in enumerate(
            zip(names, (momentum, momentum, momentum, chi2), strict=True), start=1
        ):
            scale = self._scales[name]
            columns[column] = scale.forward(scale.inverse(columns[column]) * factor)
        self.tensors[TRACKS] = torch.stack(columns, dim=1)

    def keep(self, part: str, kept: Tensor) -> None:
        """Leave out hits or tracks, with their truth: `kept` is bool (n,), or the rows that stay."""
        event = self.event(part)[kept]
        for name in self.per_row(part):
            self.tensors[name] = self.tensors[name][kept]
        self.tensors[f"{part}_offset"] = torch.bincount(event, minlength=self.events).cumsum(0)

    def per_row(self, part: str) -> list[str]:
        """Name the tensors with a row for each hit or track of a part."""
        return [name for name in self.tensors if name.startswith(f"{part}_") and name not in NOT_PER_ROW]
