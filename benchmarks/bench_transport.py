"""CPU time of the particle transport: single particles, and neutrino events of the default spectrum.

Run `python benchmarks/bench_transport.py [events]`; prints milliseconds per event on one core.
"""

import sys
import time

import numpy as np

from nuzoo.simulation.interactions import Spectrum, sample_interaction
from nuzoo.simulation.materials import LAR
from nuzoo.simulation.transport import Volume, transport

VOLUME = Volume((-105.0, -105.0, -50.0), (105.0, 105.0, 655.0))
PARTICLES = (("mu-", 13), ("e-", 11), ("pi+", 211), ("p", 2212))


def measure(name: str, events: list[tuple[np.ndarray, np.ndarray]]) -> None:
    rng = np.random.default_rng(1)
    available = deposits = 0.0
    begin = time.process_time()
    for pdg, momentum in events:
        result = transport(rng, pdg, momentum, (0.0, 0.0, 0.0), LAR, VOLUME)
        available += result.budget.available
        deposits += len(result.deposits.energy)
    spent = (time.process_time() - begin) * 1e3
    n = len(events)
    print(f"{name:18s} {spent / n:7.2f} ms  {available / n:7.0f} MeV  {deposits / n:7.0f} deposits")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    transport(np.random.default_rng(0), [211], [[0, 0, 500.0]], (0.0, 0.0, 0.0), LAR, VOLUME)
    for name, pdg in PARTICLES:
        one = (np.array([pdg]), np.array([[0.0, 0.0, 1000.0]]))
        measure(f"{name} 1 GeV/c", [one] * 100)
    rng = np.random.default_rng(2)
    interactions = [sample_interaction(rng, Spectrum()) for _ in range(count)]
    measure("neutrino 0-10 GeV", [(i.pdg, i.momentum) for i in interactions])


if __name__ == "__main__":
    main()
