"""Energy deposits → ionisation that does not recombine → charge at the anodes.

Recombination follows the modified box model as ArgoNeuT measured it (JINST 8 (2013) P08005), drift the
attenuation and diffusion of the `Drift` data. Energies are reconstructed as for a minimum-ionising particle:
charge times W_ion, divided by the recombination factor at 2.1 MeV/cm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.event_types import Deposits
from nuzoo.simulation.materials import LAR

ION_PAIR_ENERGY = 23.6e-6
"""MeV per electron-ion pair in liquid argon."""

BOX_ALPHA = 0.93
BOX_BETA = 0.212
"""kV/cm (g/cm²)/MeV; both from ArgoNeuT, JINST 8 (2013) P08005."""

MIP_DEDX = 2.1
"""MeV/cm: where the energy scale is calibrated."""

STOPPED_ELECTRON_DEDX = 3.0
"""MeV/cm given to electrons below the tracking cut: an estimate for the last half MeV of their range."""

STOPPED_HADRON_DEDX = 60.0
"""MeV/cm given to nuclear fragments that stop where they are made: an estimate for slow protons."""

SMALLEST_DEDX = 1.0
"""MeV/cm; the box model is not used below, where its logarithm would turn over."""

POINT_SPACING = 0.1
"""cm between the points that stand for a segment."""


@dataclass(frozen=True)
class Drift:
    """How charge gets from the deposit to the anode.

    Attributes:
        anodes: x of the anode planes in cm; charge drifts to the nearest.
        field: kV/cm.
        velocity: mm/µs.
        lifetime: Electron lifetime, ms.
        transverse_diffusion: Standard deviation after one metre of drift, mm; it grows as the square
            root of the drift length.
        longitudinal_diffusion: The same along the drift.
    """

    anodes: tuple[float, ...]
    field: float
    velocity: float
    lifetime: float
    transverse_diffusion: float
    longitudinal_diffusion: float


def recombination(dedx: NDArray[np.float64] | float, density: float, field: float) -> NDArray[np.float64]:
    """Share of the ionisation that escapes recombination, by the modified box model.

    Args:
        dedx: MeV/cm; below `SMALLEST_DEDX` it is taken as that.
        density: g/cm³.
        field: kV/cm.
    """
    box = BOX_BETA * np.maximum(dedx, SMALLEST_DEDX) / (density * field)
    return np.log(BOX_ALPHA + box) / box


MEV_PER_ELECTRON = ION_PAIR_ENERGY / float(recombination(MIP_DEDX, LAR.density, 0.5))
"""Of an electron that escaped recombination in liquid argon at 0.5 kV/cm, for a particle of `MIP_DEDX`."""


def ionisation_electrons(deposits: Deposits, density: float, field: float) -> NDArray[np.float64]:
    """Electrons (n,) that each segment frees and that do not recombine.

    Args:
        deposits: The segments.
        density: g/cm³.
        field: kV/cm.
    """
    length, kind = _lengths(deposits.end - deposits.start), np.abs(deposits.pdg)
    stopped = np.where((kind == 11) | (kind == 22), STOPPED_ELECTRON_DEDX, STOPPED_HADRON_DEDX)
    with np.errstate(divide="ignore", invalid="ignore"):
        dedx = np.where(length > 1e-4, deposits.energy / length, stopped)
    escaped = recombination(dedx, density, field)
    return deposits.energy / ION_PAIR_ENERGY * escaped


@dataclass(frozen=True)
class Cloud:
    """Charge at the anodes, one straight and diffused line for each deposit.

    Attributes:
        start: float64 (n, 3), cm.
        end: float64 (n, 3), cm.
        charge: float64 (n,), electrons.
        variance: float64 (n, 3), cm² by diffusion along x, y and z.
        points: int64 (n,), equidistant points that stand for the line.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    charge: NDArray[np.float64]
    variance: NDArray[np.float64]
    points: NDArray[np.int64]


def drifted(deposits: Deposits, electrons: NDArray[np.float64], drift: Drift) -> Cloud:
    """Drift the electrons of each segment to the anode nearest to its middle."""
    start, end = deposits.start.astype(np.float64), deposits.end.astype(np.float64)
    middle = (start[:, 0] + end[:, 0]) / 2
    distance = reduce(np.minimum, (np.abs(middle - anode) for anode in drift.anodes))
    time_ms = distance * 10 / drift.velocity / 1000
    longitudinal, transverse = drift.longitudinal_diffusion / 10, drift.transverse_diffusion / 10
    return Cloud(
        start=start,
        end=end,
        charge=electrons * np.exp(-time_ms / drift.lifetime),
        variance=distance[:, None] / 100 * np.array([longitudinal, transverse, transverse]) ** 2,
        points=np.ceil(_lengths(end - start) / POINT_SPACING).astype(np.int64).clip(min=1),
    )


def _lengths(vectors: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Lengths (n,) of vectors (n, 3), axis by axis: several times faster than along the short axis."""
    x, y, z = vectors.T
    return np.sqrt(x * x + y * y + z * z)
