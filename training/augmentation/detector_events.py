"""Effects of calorimeters and trackers on detector events, used to make training events go further."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from nuzoo.processors.contract import EventProcessor
from nuzoo.processors.detector_events.detector_event_parts import AHCAL, CAL, ECAL_ENERGY, MUON
from nuzoo.processors.detector_events.event_quantities import AHCAL_ENERGY, CAL_ENERGY
from nuzoo.processors.detector_events.feature_extraction_nu_detector_event import (
    NuDetectorEventFeatureExtractor,
)
from nuzoo.training.augmentation.bound import BatchTransform, PhysicalAugmentation
from nuzoo.training.augmentation.detector_event_batch import COUNT, VERTEX, DetectorBatch
from nuzoo.training.augmentation.random_factors import factors
from nuzoo.training.fields import NotNegative, Positive, Probability, RecipeError

FEWEST_HITS = 5
"""An event that would have fewer hits in a part keeps all of them there."""


@dataclass(frozen=True)
class DetectorEventAugmentation(PhysicalAugmentation):
    """Random transformations, each event by its own draw of torch's generator, in the order of the fields.

    Factors are log-normal and of mean 1; their widths are standard deviations of the logarithm. Noise of an
    energy E in MeV has the standard deviation sqrt(constant^2 + stochastic^2 E) MeV, and what falls below 0
    is 0. Energies scale, momenta among the targets do not. Truth of single hits goes along with them.

    Attributes:
        shift: Probability that the hits of the 3DCal move by one cube along x, either way, and the same along
            y. Those that leave the detector are lost; the vertex among the targets goes along.
        cube_mm: Edge of a cube, by which the vertex moves.
        cell_gain: Width of a factor on each ECAL tower and each AHCAL hit.
        gain: Width of one factor on all energies of an event.
        ecal_noise_mev: Constant noise of a tower.
        ecal_stochastic: Stochastic noise of a tower, square root of MeV.
        ecal_dead: Largest share of towers that see nothing; each event draws its own.
        ahcal_jitter: Width of a factor on each AHCAL hit.
        ahcal_noise_mev: Constant noise of a hit.
        ahcal_stochastic: Stochastic noise of a hit.
        permute_tracks: Put the muon tracks of an event into a random order.
        drop_tracks: Probability that a muon track is not found; its event counts one less.
        momentum_jitter: Width of a factor on the momentum of each track, whose direction stays.
        chi2_jitter: Width of a factor on the chi2 of each track.
        cal_jitter: Width of a factor on each hit of the 3DCal.
        cal_noise_mev: Constant noise of a hit.
        cal_stochastic: Stochastic noise of a hit.
        drop_hits: Largest share of hits that the 3DCal loses, and the same of the AHCAL; each event draws its
            own for both.
    """

    shift: Probability = 0.0
    cube_mm: Positive = 10.0
    cell_gain: NotNegative = 0.0
    gain: NotNegative = 0.0
    ecal_noise_mev: NotNegative = 0.0
    ecal_stochastic: NotNegative = 0.0
    ecal_dead: Probability = 0.0
    ahcal_jitter: NotNegative = 0.0
    ahcal_noise_mev: NotNegative = 0.0
    ahcal_stochastic: NotNegative = 0.0
    permute_tracks: bool = False
    drop_tracks: Probability = 0.0
    momentum_jitter: NotNegative = 0.0
    chi2_jitter: NotNegative = 0.0
    cal_jitter: NotNegative = 0.0
    cal_noise_mev: NotNegative = 0.0
    cal_stochastic: NotNegative = 0.0
    drop_hits: Probability = 0.0

    @classmethod
    def published(cls) -> Self:
        """Give the values of the public code of arXiv 2604.07037.

        Its noises are in the unit of its files, which is MeV as far as one can tell.
        """
        return cls(
            shift=0.5,
            cell_gain=0.1,
            gain=0.1,
            ecal_noise_mev=0.02,
            ecal_stochastic=0.10,
            ecal_dead=0.10,
            ahcal_jitter=0.12,
            ahcal_noise_mev=0.03,
            ahcal_stochastic=0.12,
            permute_tracks=True,
            drop_tracks=0.10,
            momentum_jitter=0.02,
            chi2_jitter=0.10,
            cal_jitter=0.12,
            cal_noise_mev=0.06,
            cal_stochastic=0.18,
            drop_hits=0.05,
        )

    def bound_to(self, processor: EventProcessor, targets: Sequence[str] = ()) -> BatchTransform:
        """Make what transforms the batches of a processor.

        Args:
            processor: What makes them.
            targets: What it is asked for.

        Raises:
            RecipeError: It makes something else than detector events.
        """
        if self == DetectorEventAugmentation(cube_mm=self.cube_mm):
            return dict
        if not isinstance(processor, NuDetectorEventFeatureExtractor):
            raise RecipeError(
                f"augmentation: expected a NuDetectorEventFeatureExtractor, got {type(processor).__name__}, "
                "whose batches have no such parts: leave it out"
            )
        return BoundDetectorEventAugmentation(self, processor)


@dataclass(frozen=True)
class BoundDetectorEventAugmentation:
    """A `DetectorEventAugmentation` of the batches of one processor.

    Attributes:
        settings: What is done.
        processor: What made the batches.
    """

    settings: DetectorEventAugmentation
    processor: NuDetectorEventFeatureExtractor

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Transform a batch."""
        parts = DetectorBatch(batch, self.processor.scales)
        self._shift(parts)
        self._scale(parts)
        self._measure_towers(parts)
        one = self.settings
        _measure(parts, AHCAL_ENERGY, one.ahcal_jitter, one.ahcal_noise_mev, one.ahcal_stochastic)
        self._refit(parts)
        _measure(parts, CAL_ENERGY, one.cal_jitter, one.cal_noise_mev, one.cal_stochastic)
        self._lose(parts)
        return parts.tensors

    def _shift(self, parts: DetectorBatch) -> None:
        """Displace the hits of the 3DCal by a cube along x and y, and the vertex with them."""
        if not self.settings.shift:
            return
        draws = torch.stack([parts.draw_events() for _ in range(4)], dim=1)
        by = (draws[:, :2] < self.settings.shift).long() * torch.where(draws[:, 2:] < 0.5, -1, 1)
        event, cells = parts.event(CAL), parts.tensors["cal_coordinates"]
        size = cells.new_tensor(self.processor.cal_shape[:2])
        moved = cells[:, :2] + by[event]
        inside = ((moved >= 0) & (moved < size)).all(dim=1)
        possible = _rows_in_events(event, inside, parts.events) >= FEWEST_HITS
        by = by * possible[:, None]
        parts.tensors["cal_coordinates"] = torch.cat([cells[:, :2] + by[event], cells[:, 2:]], dim=1)
        parts.keep(CAL, inside | ~possible[event])
        if VERTEX in parts.tensors:
            vertex = parts.tensors[VERTEX]
            moved = vertex[:, :2] + self.settings.cube_mm * by
            parts.tensors[VERTEX] = torch.cat([moved, vertex[:, 2:]], dim=1)

    def _scale(self, parts: DetectorBatch) -> None:
        """Change the calibration of cells, and of all events as a whole."""
        factor = factors(parts.draw_events(), self.settings.gain)
        for name, part in ((CAL_ENERGY, CAL), (ECAL_ENERGY, None), (AHCAL_ENERGY, AHCAL)):
            cell_gain = self.settings.cell_gain if name != CAL_ENERGY else 0.0
            if self.settings.gain or cell_gain:
                energy = parts.energy(name)
                of_event = factor if part is None else factor[parts.event(part)]
                parts.set_energy(name, energy * factors(energy, cell_gain) * of_event[:, None])

    def _measure_towers(self, parts: DetectorBatch) -> None:
        """Add noise to the towers of the ECAL, and switch some off."""
        one = self.settings
        _measure(parts, ECAL_ENERGY, 0.0, one.ecal_noise_mev, one.ecal_stochastic)
        if one.ecal_dead:
            energy = parts.energy(ECAL_ENERGY)
            share = one.ecal_dead * parts.draw_events()
            parts.set_energy(ECAL_ENERGY, energy * (torch.rand_like(energy) >= share[:, None]))

    def _refit(self, parts: DetectorBatch) -> None:
        """Find muon tracks in another order, less of them, and with other momenta and chi2."""
        one, event = self.settings, parts.event(MUON)
        if one.permute_tracks:
            order = torch.argsort(torch.rand(len(event), device=event.device))
            parts.keep(MUON, order[torch.argsort(event[order], stable=True)])
        if one.drop_tracks:
            found = torch.rand(len(event), device=event.device) >= one.drop_tracks
            lost = _rows_in_events(event, ~found, parts.events)
            parts.keep(MUON, found)
            parts.tensors[COUNT] = parts.tensors[COUNT] - lost[:, None].to(parts.tensors[COUNT])
        if one.momentum_jitter or one.chi2_jitter:
            tracks = parts.tensors["muon_tracks"][:, 0]
            parts.scale_tracks(factors(tracks, one.momentum_jitter), factors(tracks, one.chi2_jitter))

    def _lose(self, parts: DetectorBatch) -> None:
        """Leave out hits by chance."""
        if not self.settings.drop_hits:
            return
        for part in (CAL, AHCAL):
            event = parts.event(part)
            share = self.settings.drop_hits * parts.draw_events()
            kept = torch.rand(len(event), device=event.device) >= share[event]
            enough = _rows_in_events(event, kept, parts.events) >= FEWEST_HITS
            parts.keep(part, kept | ~enough[event])


def _measure(parts: DetectorBatch, name: str, jitter: float, constant: float, stochastic: float) -> None:
    """Change each energy of a part by a factor, and then by noise; see `DetectorEventAugmentation`."""
    if jitter or constant or stochastic:
        energy = parts.energy(name)
        energy = energy * factors(energy, jitter)
        noise = torch.sqrt(constant**2 + stochastic**2 * energy) * torch.randn_like(energy)
        parts.set_energy(name, energy + noise)


def _rows_in_events(event: Tensor, chosen: Tensor, events: int) -> Tensor:
    """Count the chosen rows, bool (n,), of each event, (events,)."""
    return torch.bincount(event[chosen], minlength=events)
