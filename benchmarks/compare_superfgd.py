"""Momentum of particles that end at a range: ours in cubes of scintillator, and Geant4's in the SuperFGD.

Usage: python benchmarks/compare_superfgd.py FOLDER   (with t2k_mu.root, t2k_pi.root, t2k_p.root)
"""

import sys
from pathlib import Path

import numpy as np
import uproot
from numpy.typing import NDArray

from nuzoo.simulation.detectors import SCINTILLATOR_CUBE
from nuzoo.simulation.transport import Volume, transport

PARTICLES = {
    "mu": (-13, (100, 204, 300, 500)),
    "pi": (211, (100, 204, 300)),
    "p": (2212, (100, 204, 300, 500)),
}
EVENTS = 6000
HALF_WIDTH_MM = 12
BIN = 10.0
"""MeV/c."""


def most_frequent(momentum: NDArray[np.float64]) -> float:
    counts, edges = np.histogram(momentum, np.arange(0, 2010, BIN))
    smooth = np.convolve(counts, [1, 2, 1], "same")
    return float(edges[smooth.argmax()] + BIN / 2)


def geant4(file: Path, range_mm: int) -> float:
    counts, ranges, edges = uproot.open(file)["hMomRange"].to_numpy()
    middle = (ranges[:-1] + ranges[1:]) / 2
    chosen = counts[np.abs(middle - range_mm) <= HALF_WIDTH_MM].sum(axis=0)
    return most_frequent(np.repeat((edges[:-1] + edges[1:]) / 2, chosen.astype(int)))


def simulated(pdg: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Momentum in MeV/c, flat from 50 to 1,000, and length in mm of the tracks of so many particles."""
    rng, volume = np.random.default_rng(0), Volume(SCINTILLATOR_CUBE.low, SCINTILLATOR_CUBE.high)
    momentum, lengths = rng.uniform(50, 1000, EVENTS), []
    for p in momentum:
        done = transport(rng, [pdg], [[0, 0, p]], (0, 0, -80), SCINTILLATOR_CUBE.material, volume)
        own = done.deposits.particle == 0
        lengths.append(10 * np.linalg.norm(done.deposits.end - done.deposits.start, axis=1)[own].sum())
    return momentum, np.array(lengths)


def main() -> None:
    print("| particle | range, mm | most frequent momentum, MeV/c: simulated | Geant4 |")
    print("| --- | --- | --- | --- |")
    for name, (pdg, ranges) in PARTICLES.items():
        momentum, length = simulated(pdg)
        for range_mm in ranges:
            ours = most_frequent(momentum[np.abs(length - range_mm) <= HALF_WIDTH_MM])
            theirs = geant4(Path(sys.argv[1]) / f"t2k_{name}.root", range_mm)
            print(f"| {name} | {range_mm} | {ours:.0f} | {theirs:.0f} |")


if __name__ == "__main__":
    main()
