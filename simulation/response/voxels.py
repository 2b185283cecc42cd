"""Voxels: the energy in each cell of a grid, and the particle that left most of it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.files.events.keypoints import keypoints_of
from nuzoo.files.events.point_cloud_events import (
    INTERACTION_KINDS,
    NOWHERE,
    PARTICLE_TYPES,
    VOXEL,
    hit_roles,
)
from nuzoo.simulation.errors import DetectorError
from nuzoo.simulation.event_types import Deposits, SemanticClass, Transported
from nuzoo.simulation.response.motifs import Contributions, MotifRules, firsts, labelled, particle_types
from nuzoo.simulation.response.readout import Readout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nuzoo.simulation.detectors import Detector
    from nuzoo.simulation.images import Origin, SimulatedImage

AXES = ("x", "y", "z")


@dataclass(frozen=True)
class Voxels:
    """The voxels of an event that hold energy, in row-major order.

    Attributes:
        number: int64 (v,), row-major number in the grid.
        energy: float64 (v,), MeV.
        motif: int64 (v,), `SemanticClass` of most of the energy.
        particle: int64 (v,), row in the particle table, `NOWHERE` of low-energy deposits.
    """

    number: NDArray[np.int64]
    energy: NDArray[np.float64]
    motif: NDArray[np.int64]
    particle: NDArray[np.int64]

    def __getitem__(self, chosen: NDArray[Any]) -> Voxels:
        return Voxels(self.number[chosen], self.energy[chosen], self.motif[chosen], self.particle[chosen])


@dataclass(frozen=True, kw_only=True)
class VoxelReadout(Readout["SimulatedImage"]):
    """The readout of a detector that is seen in three dimensions.

    Attributes:
        shape: Voxels along x, y and z.
        pitch_mm: Edges of a voxel.
        origin_mm: The lower corner of the first voxel.
        threshold_mev: Least energy of a voxel that is stored.
        classes: Of whole events; none where events have no class.
        rules: When an electron is labelled as something of its own.
    """

    shape: tuple[int, int, int]
    pitch_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    threshold_mev: float
    classes: tuple[str, ...] = ()
    rules: MotifRules = field(default_factory=MotifRules)

    def geometry(self) -> dict[str, Any]:
        """Say what recorded events look like, as plain data."""
        classes = {"classes": list(self.classes)} if self.classes else {}
        return {
            "positions": VOXEL,
            "shape": list(self.shape),
            "pitch_mm": list(self.pitch_mm),
            "origin_mm": list(self.origin_mm),
            **classes,
        }

    def summary(self) -> str:
        """Say in a line what it records, with units."""
        numbers, edges = (" × ".join(f"{each:g}" for each in sides) for sides in (self.shape, self.pitch_mm))
        return f"{numbers} voxels of {edges} mm"

    def facts(self) -> dict[str, str]:
        """Say what a card says of it: property and value, with units."""
        return {"grid": self.summary()}

    def simulation_facts(self) -> dict[str, str]:
        """Say what holds of events that nuzoo simulates alone: property and value, with units."""
        return {
            "threshold": f"{self.threshold_mev:g} MeV in a voxel",
            "label of a voxel": (
                "that of the particle that left most of its energy; a low-energy deposit that touches a "
                "particle belongs to it"
            ),
            "deltas": f"electrons knocked out with {self.rules.delta_voxels} voxels and more",
            "low-energy deposits": (
                f"less than {self.rules.fragment_voxels} voxels of electrons that one photon sets free, and "
                "what neutrons, nuclei and soft photons leave"
            ),
        }

    def check(self, detector: Detector) -> None:
        """Refuse a detector whose volume is another than that of its voxels."""
        sides = zip(self.origin_mm, self.shape, self.pitch_mm, strict=True)
        corners = [(origin / 10, (origin + size * pitch) / 10) for origin, size, pitch in sides]
        if not np.allclose(corners, list(zip(detector.low, detector.high, strict=True))):
            raise DetectorError(f"{detector.name}: expected a volume of the size of its voxels, {corners} cm")

    def respond(self, event: SimulatedImage) -> dict[str, NDArray[Any]]:
        """Record an event as hits, particles and interactions, the columns of a point cloud."""
        voxels = self.measured(event.voxels, deepcopy(event.rng))
        voxels = _absorbed(voxels[voxels.energy > self.threshold_mev], self.shape)
        listed = _listed(voxels, event.transported)
        row_of = np.full(len(event.transported.particles.pdg) + 1, NOWHERE)
        row_of[listed] = np.arange(len(listed))
        row: dict[str, Any] = {
            "positions": VOXEL,
            **self._hits(voxels, event.transported, row_of),
            **self._particles(voxels, event.transported, listed, row_of),
            **self._interactions(event.origins),
        }
        return row | keypoints_of(row)

    def true_voxels(self, event: Transported) -> Voxels:
        """Share the deposits of an event out to voxels, and label these."""
        contributions = self.contributions(event.deposits)
        motif, particle = labelled(contributions, event, int(np.prod(self.shape)), self.rules)
        return most_energetic(contributions, motif, particle)

    def measured(self, voxels: Voxels, rng: np.random.Generator) -> Voxels:
        """Return the voxels with the energies that are measured: the true ones.

        Args:
            voxels: That deposits touch.
            rng: Draws what is random in the measurement.
        """
        return voxels

    def contributions(self, deposits: Deposits) -> Contributions:
        """Share the visible energy of deposits out to the voxels that they cross."""
        from nuzoo.simulation.response.voxel_kernels import shared_out

        origin, pitch = np.array(self.origin_mm) / 10, np.array(self.pitch_mm) / 10
        energy = self.visible(deposits)
        return Contributions(
            *shared_out(deposits.start, deposits.end, energy, origin, pitch, np.array(self.shape))
        )

    def visible(self, deposits: Deposits) -> NDArray[np.floating[Any]]:
        """Return the energy (n,) of each deposit that is seen, MeV: all of it."""
        return deposits.energy

    def _positions(self, cm: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return positions (n, 3) in cm in numbers of voxels."""
        return ((10.0 * cm - np.array(self.origin_mm)) / np.array(self.pitch_mm)).astype(np.float32)

    def _hits(self, voxels: Voxels, event: Transported, row_of: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        is_some = voxels.particle != NOWHERE
        types = np.where(
            is_some, particle_types(event.particles.pdg)[voxels.particle], PARTICLE_TYPES.index("none")
        )
        is_primary = event.particles.parent < 0
        interaction = np.where(is_some, event.particles.interaction[voxels.particle], NOWHERE)
        places = np.unravel_index(voxels.number, self.shape)
        return {
            **{axis: place.astype(np.int16) for axis, place in zip(AXES, places, strict=True)},
            "energy": voxels.energy.astype(np.float32),
            "motif": voxels.motif,
            "pid": types,
            "role": hit_roles(voxels.motif, voxels.particle, is_primary),
            "particle": row_of[voxels.particle].astype(np.int32),
            "interaction": interaction.astype(np.int32),
        }

    def _particles(
        self, voxels: Voxels, event: Transported, listed: NDArray[np.int64], row_of: NDArray[np.int64]
    ) -> dict[str, NDArray[Any]]:
        table, is_some = event.particles, voxels.particle != NOWHERE
        rows, energy = row_of[voxels.particle[is_some]], voxels.energy[is_some]
        start, momentum = self._positions(table.start[listed]), table.momentum[listed]
        columns = {
            "pdg": table.pdg[listed],
            "pid": particle_types(table.pdg[listed]),
            "parent": row_of[_listed_ancestor(table.parent, row_of)[listed]].astype(np.int32),
            "interaction": table.interaction[listed],
            **{axis: start[:, i] for i, axis in enumerate(AXES)},
            **{f"p{axis}": momentum[:, i] for i, axis in enumerate(AXES)},
            "momentum": np.linalg.norm(momentum, axis=1),
            "energy": np.bincount(rows, weights=energy, minlength=len(listed)).astype(np.float32),
            "hits": np.bincount(rows, minlength=len(listed)).astype(np.int32),
            "primary": (table.parent[listed] < 0).astype(np.int8),
        }
        return {f"particle_{name}": values for name, values in columns.items()}

    def _interactions(self, origins: Sequence[Origin]) -> dict[str, NDArray[Any]]:
        places = self._positions(np.array([each.vertex for each in origins]).reshape(-1, 3))
        neutrinos = [each.neutrino for each in origins]
        columns: dict[str, NDArray[Any]] = {
            "kind": np.array([INTERACTION_KINDS.index(each.kind) for each in origins], np.int64),
            **{axis: places[:, i] for i, axis in enumerate(AXES)},
            "pdg": np.array([each.neutrino_pdg if each else 0 for each in neutrinos], np.int32),
            "neutrino_energy": np.array(
                [each.neutrino_energy / 1000 if each else 0 for each in neutrinos], np.float32
            ),
            "is_cc": np.array([each.is_cc if each else -1 for each in neutrinos], np.int8),
        }
        return {f"interaction_{name}": values for name, values in columns.items()}


def most_energetic(
    contributions: Contributions, motif: NDArray[np.int64], particle: NDArray[np.int64]
) -> Voxels:
    """Add up the contributions to each voxel; the label is that of the largest, or of the first of equals."""
    motifs = len(SemanticClass)
    codes = int(particle.max(initial=0) + 2) * motifs
    each = contributions.voxel * codes + (particle - NOWHERE) * motifs + motif
    order = np.argsort(each, kind="stable")
    is_new = firsts(each[order])
    parts = np.bincount(np.cumsum(is_new) - 1, contributions.energy[order]).astype(np.float64)
    voxel, code = np.divmod(each[order][is_new], codes)
    first = np.flatnonzero(firsts(voxel))
    if not len(first):
        return Voxels(voxel, parts, code, code)
    counts = np.diff(first, append=len(voxel))
    largest = np.flatnonzero(parts == np.repeat(np.maximum.reduceat(parts, first), counts))
    winner = largest[firsts(voxel[largest])]
    total = np.add.reduceat(parts, first)
    return Voxels(voxel[first], total, code[winner] % motifs, code[winner] // motifs + NOWHERE)


def _absorbed(voxels: Voxels, shape: tuple[int, int, int]) -> Voxels:
    """Give low-energy deposits that touch a particle to the most energetic voxel of it that they touch."""
    from nuzoo.simulation.response.voxel_kernels import most_energetic_neighbour

    is_loose = voxels.motif == SemanticClass.LOW_ENERGY
    winner = most_energetic_neighbour(voxels.number, voxels.energy, is_loose, np.array(shape))
    taken = np.flatnonzero(winner != NOWHERE)
    motif, particle = voxels.motif.copy(), voxels.particle.copy()
    motif[taken], particle[taken] = voxels.motif[winner[taken]], voxels.particle[winner[taken]]
    return replace(voxels, motif=motif, particle=particle)


def _listed(voxels: Voxels, event: Transported) -> NDArray[np.int64]:
    """Rows of the particles that a table names: those with hits, and those that leave a vertex."""
    primaries = np.flatnonzero(event.particles.parent < 0)
    return np.union1d(primaries, voxels.particle[voxels.particle != NOWHERE])


def _listed_ancestor(parent: NDArray[np.int32], row_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each particle the row of the nearest ancestor that is listed, `NOWHERE` for none."""
    ancestor = parent.astype(np.int64)
    while (unlisted := (ancestor >= 0) & (row_of[ancestor] < 0)).any():
        ancestor[unlisted] = parent[ancestor[unlisted]]
    return ancestor
