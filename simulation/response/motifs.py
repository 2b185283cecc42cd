"""What kind of activity a deposit belongs to, and to which particle: the rules that labels follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nuzoo.files.events.point_cloud_events import NOWHERE, PARTICLE_TYPES
from nuzoo.simulation.event_types import SemanticClass, Transported

_TYPE_OF = {22: "photon", 11: "electron", 13: "muon", 211: "pion", 2212: "proton"}


@dataclass(frozen=True)
class MotifRules:
    """When an electron is labelled as something of its own.

    Attributes:
        delta_voxels: An electron that a track knocked out is a delta from so many voxels on; with fewer it
            belongs to its track.
        fragment_voxels: The electrons that one photon sets free at one point belong to its shower from so
            many voxels on; fewer are a low-energy deposit. The first ones of a shower belong to it always.
    """

    delta_voxels: int = 8
    fragment_voxels: int = 8


@dataclass(frozen=True)
class Contributions:
    """Energy of one deposit in one voxel, many times.

    Attributes:
        voxel: int64 (c,), row-major number of the voxel.
        deposit: int64 (c,), row of the deposit.
        energy: float64 (c,), MeV.
    """

    voxel: NDArray[np.int64]
    deposit: NDArray[np.int64]
    energy: NDArray[np.float64]


def labelled(
    contributions: Contributions, event: Transported, voxels: int, rules: MotifRules
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give each contribution its motif and its particle.

    A particle is what PILArNet calls a group: a track with its short deltas, a whole shower from the first
    photon or electron on, a Michel electron, a delta.

    Args:
        contributions: Of the deposits of an event.
        event: Deposits and particles.
        voxels: How many the detector has.
        rules: When an electron is something of its own.

    Returns:
        `SemanticClass` (c,), and row of the particle (c,), `NOWHERE` of low-energy deposits.
    """
    from nuzoo.simulation.response.voxel_kernels import families

    particles = event.particles
    root, fragment = families(particles.pdg, particles.parent, particles.start)
    size = _fragment_sizes(contributions, fragment[event.deposits.particle], voxels, len(root))
    row = event.deposits.particle.astype(np.int64)
    motif = event.deposits.semantic.astype(np.int64)
    small = size[fragment[row]]

    is_short_delta = (motif == SemanticClass.DELTA) & (small < rules.delta_voxels)
    by_photon = _set_free_by_photon(fragment, particles.pdg, particles.parent)[row]
    is_crumb = (motif == SemanticClass.SHOWER) & by_photon & (small < rules.fragment_voxels)

    particle = np.where(motif == SemanticClass.TRACK, row, root[row])
    particle = np.where(is_short_delta, particles.parent[root[row]], particle)
    motif = np.where(is_short_delta, SemanticClass.TRACK, motif)
    motif = np.where(is_crumb, SemanticClass.LOW_ENERGY, motif)
    particle = np.where(motif == SemanticClass.LOW_ENERGY, NOWHERE, particle)
    return motif[contributions.deposit], particle[contributions.deposit]


def particle_types(pdg: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the number of each PDG code's type in `PARTICLE_TYPES`."""
    types = np.full(len(pdg), PARTICLE_TYPES.index("none"))
    for code, name in _TYPE_OF.items():
        types[np.abs(pdg) == code] = PARTICLE_TYPES.index(name)
    return types


def firsts(rising: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say of each of rising numbers (n,), none negative, whether it is the first of its value."""
    return np.diff(rising, prepend=-1) > 0


def _fragment_sizes(
    contributions: Contributions, fragment: NDArray[np.int64], voxels: int, particles: int
) -> NDArray[np.int64]:
    """Count the voxels of each fragment, by the row of its first electron."""
    each = np.sort(fragment[contributions.deposit] * voxels + contributions.voxel, kind="stable")
    return np.bincount(each[firsts(each)] // voxels, minlength=particles)


def _set_free_by_photon(
    fragment: NDArray[np.int64], pdg: NDArray[np.int32], parent: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Say of each particle whether its fragment began where a photon was absorbed or scattered."""
    above = parent[fragment]
    return (pdg[fragment] == 22) | ((above >= 0) & (pdg[above] == 22))
