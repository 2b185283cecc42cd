"""What a detector of several parts records: cubes with their truth, two calorimeters, and muon tracks."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.errors import DetectorError
from nuzoo.simulation.interactions.short_lived import FROM_CHARM, FROM_TAU
from nuzoo.simulation.layer_stack import AHCAL, CAL, ECAL, PASSIVE
from nuzoo.simulation.particles import CHARGE, SPECIES_OF
from nuzoo.simulation.response.cubes import (
    CubeElectronics,
    TrueHits,
    light_of,
    links,
    reconstruct,
    true_hits,
)
from nuzoo.simulation.response.muon_spectrometer import MuonSpectrometer
from nuzoo.simulation.response.readout import Readout
from nuzoo.simulation.sandwich import Sandwich
from nuzoo.simulation.transport.sandwich_books import LayeredTransported

if TYPE_CHECKING:
    from nuzoo.simulation.detectors import Detector
    from nuzoo.simulation.simulate_layers import LayeredEvent

Row = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class CalorimeterElectronics:
    """Signals of the two calorimeters.

    Attributes:
        ecal_stochastic: relative error of a tower at 1 GeV.
        ecal_noise: MeV of a tower.
        ahcal_photons_per_mev: photo-electrons for each MeV in a tile.
        ahcal_threshold: least energy of a tile, MeV: half of what a muon leaves in 3 mm.
    """

    ecal_stochastic: float = 0.10
    ecal_noise: float = 20.0
    ahcal_photons_per_mev: float = 25.0
    ahcal_threshold: float = 0.3


@dataclass(frozen=True, kw_only=True)
class SubDetectorReadout(Readout["LayeredEvent"]):
    """The readout of a `Sandwich`.

    Attributes:
        sandwich: its layers.
        cubes: electronics of the 3DCal.
        calorimeters: of the ECAL and the AHCAL.
        spectrometer: behind them.
    """

    sandwich: Sandwich
    cubes: CubeElectronics = field(default_factory=CubeElectronics)
    calorimeters: CalorimeterElectronics = field(default_factory=CalorimeterElectronics)
    spectrometer: MuonSpectrometer = field(default_factory=MuonSpectrometer)

    def geometry(self) -> dict[str, Any]:
        """Say what recorded events look like, as plain data."""
        return {**self.sandwich.geometry(), "muon_tracks": self.spectrometer.tracks}

    def summary(self) -> str:
        """Say in a line what it records, with units."""
        cubes, tungsten = " × ".join(map(str, self.sandwich.cal_shape)), self.sandwich.tungsten_mm
        return f"{cubes} cubes behind {tungsten:g} mm of tungsten a module, two calorimeters, muon tracks"

    def facts(self) -> dict[str, str]:
        """Say what a card says of it: property and value, with units."""
        of = self.sandwich
        cubes, cells = (" × ".join(map(str, shape)) for shape in (of.cal_shape, of.ahcal_cells))
        return {
            "3DCal": f"{cubes} cubes of {of.cube_mm:g} mm in {of.modules} modules, each behind "
            f"{of.tungsten_mm:g} mm of tungsten",
            "ECAL": f"{of.ecal_towers[0]} × {of.ecal_towers[1]} towers, energies as of showers",
            "AHCAL": f"{cells} cells, energies in the scintillator",
            "muon spectrometer": f"up to {self.spectrometer.tracks} tracks",
            "threshold": f"{self.cubes.least_mev:g} MeV in a cube",
        }

    def check(self, detector: Detector) -> None:
        """Refuse a detector whose volume is another than that of its cubes."""
        of = self.sandwich
        sides = (of.cubes[0] * of.cube_mm, of.cubes[1] * of.cube_mm, of.cal_mm)
        corners = [(low / 10, (low + side) / 10) for low, side in zip(of.origin_mm, sides, strict=True)]
        if not np.allclose(corners, list(zip(detector.low, detector.high, strict=True))):
            raise DetectorError(f"{detector.name}: expected a volume of the size of its 3DCal, {corners} cm")

    def respond(self, event: LayeredEvent) -> Row:
        """Record an event."""
        transported = event.transported
        rng = deepcopy(event.rng)
        deposits, of = transported.deposits, self.sandwich
        place = deposits.start.astype(np.float64)
        part = of.stack.part[of.stack.layer_of(place[:, 2])]
        energy = deposits.energy.astype(np.float64)
        in_part = {}
        for each in (CAL, ECAL, AHCAL):
            chosen = part == each
            cells = of.cells(each, *place[chosen].T)
            lit = of.inside(each, cells)
            in_part[each] = cells[lit], np.flatnonzero(chosen)[lit]
        cells, which = in_part[CAL]
        hits = true_hits(
            cells,
            deposits.particle[which].astype(np.int64),
            energy[which],
            deposits.semantic[which],
            of.cal_shape,
        )
        light = light_of(hits, of.cal_shape, of.layers_per_module, self.cubes.crosstalk)
        return {
            **self._cal(rng, light, hits),
            "ecal_energy": self._ecal(rng, in_part[ECAL][0], energy[in_part[ECAL][1]]),
            **self._ahcal(rng, in_part[AHCAL][0], energy[in_part[AHCAL][1]]),
            **self._muons(rng, transported),
            **_truth_of_hits(hits, event),
        }

    def _cal(self, rng: np.random.Generator, light: NDArray[np.float64], hits: TrueHits) -> Row:
        found = reconstruct(rng, light, hits, self.sandwich.layers_per_module, self.cubes)
        count, true, weight = links(found, hits, self.sandwich.cal_shape)
        return {
            **_columns("cal", found.cell),
            "cal_module": (found.cell[:, 2] // self.sandwich.layers_per_module).astype(np.int8),
            "cal_energy": found.energy.astype(np.float32),
            "cal_status": found.status,
            "cal_link_count": count,
            "link_true": true,
            "link_weight": weight,
        }

    def _ecal(
        self, rng: np.random.Generator, cells: NDArray[np.int64], energy: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        towers = self.sandwich.ecal_towers
        tower = cells[:, 0] * towers[1] + cells[:, 1]
        seen = np.bincount(tower, energy, towers[0] * towers[1]) / self.sampling_fraction
        error = 1000 * self.calorimeters.ecal_stochastic * np.sqrt(seen / 1000)
        error = np.hypot(error, self.calorimeters.ecal_noise)
        measured: NDArray[np.float32] = np.maximum(seen + error * rng.standard_normal(len(seen)), 0.0)
        return measured.astype(np.float32)

    @property
    def sampling_fraction(self) -> float:
        """Share of the energy of a shower in the ECAL that its scintillator takes."""
        stack, of = self.sandwich.stack, self.sandwich
        start, stop = of.ecal_z_mm / 10, (of.ecal_z_mm + of.ecal_layers * sum(of.ecal_layer_mm)) / 10
        middle = 0.5 * (stack.edges[1:] + stack.edges[:-1])
        inside = (middle > start) & (middle < stop)
        loss = stack.shower_loss * np.diff(stack.edges) * inside
        return float(loss[stack.part != PASSIVE].sum() / loss.sum())

    def _ahcal(self, rng: np.random.Generator, cells: NDArray[np.int64], energy: NDArray[np.float64]) -> Row:
        shape = self.sandwich.ahcal_cells
        number = np.ravel_multi_index(tuple(cells.T), shape) if len(cells) else np.zeros(0, np.int64)
        unique, inverse = np.unique(number, return_inverse=True)
        photons = self.calorimeters.ahcal_photons_per_mev
        seen = rng.poisson(np.bincount(inverse, energy, len(unique)) * photons) / photons
        kept = seen > self.calorimeters.ahcal_threshold
        where = np.stack(np.unravel_index(unique[kept], shape), axis=1)
        return {**_columns("ahcal", where), "ahcal_energy": seen[kept].astype(np.float32)}

    def _muons(self, rng: np.random.Generator, transported: LayeredTransported) -> dict[str, Any]:
        exits = transported.exits
        codes = transported.particles.pdg[exits.row]
        charge = np.array([CHARGE[SPECIES_OF[int(code)]] for code in codes])
        return self.spectrometer.fit(rng, exits.position, exits.momentum, charge, self.sandwich.centre_cm)


def _columns(name: str, cells: NDArray[np.integer]) -> Row:
    return {f"{name}_{axis}": cells[:, i].astype(np.int16) for i, axis in enumerate("xyz")}


def _truth_of_hits(hits: TrueHits, event: LayeredEvent) -> Row:
    """Say of each true hit which track it is of, and what that comes from."""
    interaction = event.interaction
    parent, generated = event.transported.particles.parent.astype(np.int64), len(interaction.pdg)
    primary = hits.row.copy()
    while (later := primary >= generated).any():
        primary = np.where(later, parent[primary], primary)
    of_generator = hits.row < generated
    before = np.where(of_generator, -1, parent[hits.row])
    origin = interaction.origin[primary]
    flags = {
        "primary": of_generator,
        "secondary": ~of_generator & (before < generated),
        "tau_decay": origin == FROM_TAU,
        "charm_decay": origin == FROM_CHARM,
    }
    return {
        "true_track": (hits.row + 1).astype(np.int32),
        "true_parent": (before + 1).astype(np.int32),
        "true_primary": (primary + 1).astype(np.int32),
        "true_pdg": event.transported.particles.pdg[hits.row],
        **_columns("true", hits.cell),
        "true_energy": hits.energy.astype(np.float32),
        **{f"true_is_{name}": flag.astype(np.int8) for name, flag in flags.items()},
    }
