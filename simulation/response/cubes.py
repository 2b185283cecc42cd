"""Cubes of plastic read out by fibres in three directions: light, projections, and what is made of them.

Where several cubes are lit, more combinations of fibres agree than there was light: these are ghosts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nuzoo.files.events.detector_event_columns import GHOST, MATCHED, UNMATCHED
from nuzoo.simulation.event_types import SemanticClass
from nuzoo.simulation.response.crosstalk import leaked_in_grid
from nuzoo.simulation.response.quenching import quenched

Array = NDArray[np.float64]
Cells = NDArray[np.int64]

MINIMUM_LOSS = 2.05
"""MeV/cm of the electrons of showers."""
SLOW_PROTON_LOSS = 40.0
"""MeV/cm of the slow nucleons of nuclei."""
LEAST_TRUE_MEV = 0.02
"""True hits with less are left out."""


@dataclass(frozen=True)
class CubeElectronics:
    """From energy to signals.

    Attributes:
        crosstalk: share of the light of a cube that gets through each of its faces (2601.18338: 2 to 6 %).
        photons_per_mev: photo-electrons in a fibre for each MeV in a cube.
        threshold_mev: least signal of a fibre.
        least_mev: least energy of a cube that is kept, less than half of what a muon leaves.
        iterations: of the sharing out of signals among cubes.
    """

    crosstalk: float = 0.03
    photons_per_mev: float = 25.0
    threshold_mev: float = 0.4
    least_mev: float = 0.7
    iterations: int = 12


class TrueHits(NamedTuple):
    """Energy of a particle in a cube.

    Attributes:
        cell: (t, 3) cubes.
        row: (t,) in the table of particles.
        energy: (t,) MeV.
        light: (t,) MeV after quenching.
    """

    cell: Cells
    row: NDArray[np.int64]
    energy: Array
    light: Array


class Reconstructed(NamedTuple):
    """Cubes that the three projections allow.

    Attributes:
        cell: (n, 3).
        energy: (n,) MeV.
        status: (n,), see `CAL_STATUS`.
    """

    cell: Cells
    energy: Array
    status: NDArray[np.int64]


def true_hits(
    cell: Cells,
    row: NDArray[np.int64],
    energy: Array,
    semantic: NDArray[np.uint8],
    shape: tuple[int, int, int],
) -> TrueHits:
    """Add up the deposits of each particle in each cube.

    Args:
        cell: (d, 3) cubes of deposits.
        row: (d,) particles.
        energy: (d,) MeV.
        semantic: (d,), see `SemanticClass`.
        shape: Cubes along x, y and z.
    """
    number = np.ravel_multi_index(tuple(cell.T), shape) if len(cell) else np.zeros(0, np.int64)
    key = row.astype(np.int64) * int(np.prod(shape)) + number
    unique, inverse = np.unique(key, return_inverse=True)

    def summed(parts: Array) -> Array:
        return np.bincount(inverse, parts, len(unique)).astype(np.float64)

    total = summed(energy)
    slow = summed(energy * (semantic == SemanticClass.LOW_ENERGY))
    shower = summed(energy * (semantic == SemanticClass.SHOWER))
    track = np.maximum(total - slow - shower, 0.0)
    light = np.asarray(quenched(track, np.maximum(track, MINIMUM_LOSS)), np.float64)
    light += quenched(shower, np.full_like(shower, MINIMUM_LOSS))
    light += quenched(slow, np.full_like(slow, SLOW_PROTON_LOSS))
    kept = total > LEAST_TRUE_MEV
    where = np.stack(np.unravel_index(unique % int(np.prod(shape)), shape), axis=1).astype(np.int64)
    rows = unique // int(np.prod(shape))
    return TrueHits(where[kept], rows[kept], total[kept], light[kept])


def light_of(hits: TrueHits, shape: tuple[int, int, int], layers: int, crosstalk: float) -> Array:
    """Return the light in each cube, with what comes through the faces from its neighbours.

    Args:
        hits: True hits.
        shape: Cubes along x, y and z.
        layers: Of one module: no light gets from one to the next.
        crosstalk: Share through each face.

    Returns:
        float64 of the shape of all cubes, MeV.
    """
    light = np.zeros(shape)
    np.add.at(light, tuple(hits.cell.T), hits.light)
    blocks = light.reshape(shape[0], shape[1], shape[2] // layers, layers)
    return leaked_in_grid(blocks, (0, 1, 3), crosstalk).reshape(shape)


def reconstruct(
    rng: np.random.Generator, light: Array, hits: TrueHits, layers: int, electronics: CubeElectronics
) -> Reconstructed:
    """See three projections, and find the cubes that agree with them.

    Every cube whose three fibres have signals is a candidate. Their energies are those that add up to the
    signals, found by sharing each signal out among the candidates again and again.

    Args:
        rng: Source of the photon statistics.
        light: See `light_of`.
        hits: The truth, for the status.
        layers: Of one module.
        electronics: Thresholds.
    """
    modules = light.shape[2] // layers
    views = (
        light.sum(axis=1),
        light.sum(axis=0),
        light.reshape(*light.shape[:2], modules, layers).sum(axis=3),
    )
    signals = [_signal(rng, view, electronics) for view in views]
    candidate = (signals[0] > 0)[:, None, :] & (signals[1] > 0)[None]
    candidate &= np.repeat(signals[2] > 0, layers, axis=2)
    cell = np.argwhere(candidate)
    energy = _shared_out(cell, signals, layers, electronics.iterations)
    kept = energy > electronics.least_mev
    cell, energy = cell[kept], energy[kept]
    lit = np.zeros(light.shape, bool)
    lit[tuple(hits.cell.T)] = True
    index = tuple(cell.T)
    bright = light[index] > 0.5 * electronics.least_mev
    status = np.where(lit[index], MATCHED, np.where(bright, UNMATCHED, GHOST))
    return Reconstructed(cell, energy, status)


def _signal(rng: np.random.Generator, view: Array, electronics: CubeElectronics) -> Array:
    """Photo-electrons in MeV; zero below the threshold."""
    signal = rng.poisson(np.maximum(view, 0.0) * electronics.photons_per_mev) / electronics.photons_per_mev
    return np.where(signal > electronics.threshold_mev, signal, 0.0)


def _shared_out(cell: Cells, signals: list[Array], layers: int, iterations: int) -> Array:
    """Multiplicative algebraic reconstruction: energies whose sums along fibres are the signals."""
    x, y, z = cell.T
    indices = ((x, z), (y, z), (x, y, z // layers))
    seen = [signal[index] for signal, index in zip(signals, indices, strict=True)]
    flat = [np.ravel_multi_index(index, signal.shape) for signal, index in zip(signals, indices, strict=True)]
    energy = seen[0] * seen[1] * seen[2]
    for _ in range(iterations):
        for view, index, signal in zip(seen, flat, signals, strict=True):
            total = np.bincount(index, energy, signal.size)[index]
            energy = energy * view / np.maximum(total, 1e-12)
    return energy


def links(
    found: Reconstructed, hits: TrueHits, shape: tuple[int, int, int]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Link reconstructed cubes to the true hits in them.

    Returns:
        (links of each cube, rows of true hits, their shares of the energy): the last two cube after cube.
    """
    numbers = np.ravel_multi_index(tuple(hits.cell.T), shape)
    order = np.argsort(numbers, kind="stable")
    wanted = np.ravel_multi_index(tuple(found.cell.T), shape)
    first = np.searchsorted(numbers[order], wanted, side="left")
    count = np.searchsorted(numbers[order], wanted, side="right") - first
    starts = np.repeat(first - (np.cumsum(count) - count), count)
    true = order[starts + np.arange(int(count.sum()))]
    cube = np.repeat(np.arange(len(wanted)), count)
    energy = hits.energy[true]
    total = np.bincount(cube, energy, len(wanted))
    weight = energy / total[cube]
    return count.astype(np.int32), true.astype(np.int32), weight.astype(np.float32)
