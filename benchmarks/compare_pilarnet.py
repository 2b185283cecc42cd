"""How alike simulated LArTPC cubes and genuine PILArNet-M events are: one table, quantity by quantity.

Usage: python benchmarks/compare_pilarnet.py [EVENTS]

Shares of points are those of all of PILArNet-M v1, the other numbers those of genuine events as measured.
"""

import sys

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.lartpc_cubes import CubesPlan
from nuzoo.files.events.point_cloud_events import MOTIFS, PARTICLE_TYPES
from nuzoo.simulation.detectors import LARTPC_CUBE
from nuzoo.simulation.mixtures import momenta
from nuzoo.simulation.response.charge import MIP_DEDX, recombination
from nuzoo.simulation.transport import Volume, transport

SHARES = (36.8, 38.9, 0.65, 1.76, 21.9)
"""Per cent of points, PILArNet-M v1, by motif."""

CUT_MEV = 0.13
PITCH_CM = 0.3
MOST_WIDE = 1.0
"""Voxels: standard deviation of a clean track across its axis."""

DEDX = {2212: (7.9, 5.7, 5.0), 13: (4.7, 3.2, 2.8)}
"""MeV/cm at 0 to 5, 5 to 10 and 10 to 15 cm of residual range, LArTPC cosmics and particle guns: of the
charge that did not recombine, as if all of it were of minimum-ionising particles."""


def neighbours(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Occupied ones of the 26 voxels around each of (n, 3)."""
    weights = np.array([1 << 22, 1 << 11, 1])
    number = np.sort((places + 1) @ weights)
    found = np.zeros(len(places), np.int64)
    for step in np.ndindex(3, 3, 3):
        beside = (places + np.array(step)) @ weights
        at = np.minimum(np.searchsorted(number, beside), len(number) - 1)
        found += number[at] == beside
    return found - 1


def clean_tracks(row: dict) -> list[tuple[float, float]]:
    """Voxels per cm and MeV per cm along the axis of straight muons and pions of more than 80 voxels."""
    places = np.stack([row[axis] for axis in "xyz"], axis=1).astype(float)
    found = []
    for particle in np.flatnonzero(
        np.isin(row["particle_pid"], (PARTICLE_TYPES.index("muon"), PARTICLE_TYPES.index("pion")))
    ):
        mine = (
            (row["particle"] == particle)
            & (row["motif"] == MOTIFS.index("track"))
            & (row["energy"] > CUT_MEV)
        )
        if mine.sum() <= 80:
            continue
        centred = places[mine] - places[mine].mean(axis=0)
        axes = np.linalg.svd(centred, full_matrices=False)
        if axes.S[1] / np.sqrt(mine.sum()) < MOST_WIDE:
            length = np.ptp(centred @ axes.Vh[0]) * PITCH_CM
            found.append((mine.sum() / length, row["energy"][mine].sum() / length))
    return found


def residual_range(pdg: int, kinetic: float, events: int) -> NDArray[np.float64]:
    """Mean MeV/cm (deposited, visible) in 5 cm bins before the end of particles that stop undisturbed."""
    rng, volume, sums = np.random.default_rng(0), Volume((-200, -200, -200), (200, 200, 200)), []
    density, field = LARTPC_CUBE.material.density, 0.5
    mip = recombination(MIP_DEDX, density, field)
    for _ in range(events):
        momentum = momenta([pdg], np.array([kinetic]), np.array([[0.0, 0.0, 1.0]]))
        done = transport(rng, [pdg], momentum, (0, 0, 0), LARTPC_CUBE.material, volume)
        own = done.deposits.particle == 0
        length = np.linalg.norm(done.deposits.end - done.deposits.start, axis=1)[own]
        energy = done.deposits.energy[own]
        if energy.sum() < 0.9 * kinetic:
            continue
        left = length.sum() - np.cumsum(length) + length / 2
        escaped = recombination(energy / np.maximum(length, 1e-3), density, field) / mip
        bins = [(left >= low) & (left < low + 5) for low in (0, 5, 10)]
        sums.append([[(energy * seen)[each].sum() / 5 for each in bins] for seen in (1.0, escaped)])
    return np.mean(sums, axis=0)


def line(quantity: str, simulated: float, genuine: str) -> None:
    print(f"| {quantity} | {simulated:.3g} | {genuine} |")


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    plan = CubesPlan(events, 7, LARTPC_CUBE.name)
    rows = [plan.row(index) for index in range(events)]
    motif = np.concatenate([row["motif"] for row in rows])
    energy = np.concatenate([row["energy"] for row in rows])
    seen = energy > CUT_MEV
    beside = np.concatenate(
        [
            neighbours(
                np.stack([row[axis][row["energy"] > CUT_MEV] for axis in "xyz"], axis=1).astype(np.int64)
            )
            for row in rows
        ]
    )
    sizes = [len(row["x"]) for row in rows]
    print(f"{events} events, voxels 5/50/95 %: {np.percentile(sizes, [5, 50, 95])}")
    print("\n| quantity | simulated | genuine |\n| --- | --- | --- |")
    for number, (name, share) in enumerate(zip(MOTIFS, SHARES, strict=True)):
        line(f"{name}: share of points, %", 100 * np.mean(motif == number), f"{share}")
    for name, genuine in (("track", "0.52 to 0.54"), ("shower", "0.51 to 0.53"), ("led", "0.29")):
        line(f"{name}: median energy, MeV", np.median(energy[seen & (motif == MOTIFS.index(name))]), genuine)
    for name, genuine in (("track", "3.3"), ("shower", "4.9 to 6.9"), ("led", "1.0 to 1.2")):
        line(f"{name}: occupied neighbours of 26", beside[motif[seen] == MOTIFS.index(name)].mean(), genuine)
    tracks = np.array([track for row in rows for track in clean_tracks(row)])
    line(f"clean tracks ({len(tracks)}): voxels per cm", np.median(tracks[:, 0]), "3.9 to 4.5")
    line("clean tracks: MeV per cm", np.median(tracks[:, 1]), "1.9 to 2.2")
    for pdg, name, kinetic in ((2212, "proton", 200.0), (13, "muon", 150.0)):
        deposited, visible = residual_range(pdg, kinetic, 200)
        for i, low in enumerate((0, 5, 10)):
            where = f"stopping {name}, {low} to {low + 5} cm before its end: MeV/cm"
            line(f"{where}, visible (deposited: {deposited[i]:.3g})", visible[i], f"{DEDX[pdg][i]}")
    kinetic = np.concatenate([_michels(row) for row in rows])
    for percent, genuine in ((5, 17), (50, 38.7), (95, 51)):
        line(
            f"Michel electrons ({len(kinetic)}): kinetic energy, {percent} %, MeV",
            np.percentile(kinetic, percent),
            f"{genuine}",
        )


def _michels(row: dict) -> NDArray[np.float64]:
    """Kinetic energies in MeV of listed electrons of stopped muons."""
    is_michel = np.zeros(len(row["particle_pdg"]), dtype=bool)
    is_michel[np.unique(row["particle"][row["motif"] == MOTIFS.index("michel")])] = True
    return np.hypot(row["particle_momentum"][is_michel], 0.511) - 0.511


if __name__ == "__main__":
    main()
