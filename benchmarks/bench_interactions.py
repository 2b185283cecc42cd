"""Print how many interactions a second one core generates.

python benchmarks/bench_interactions.py [--events 20000]
"""

from __future__ import annotations

import argparse
from timeit import timeit

import numpy as np

from nuzoo.simulation.interactions import Spectrum, generate_interaction, sample_interaction


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    events = parser.parse_args().events
    rng = np.random.default_rng(1)
    spectrum = Spectrum()
    first = timeit(lambda: sample_interaction(rng, spectrum), number=1)
    print(f"first event (compilation or cache): {first:.1f} s")
    flat = timeit(lambda: sample_interaction(rng, spectrum), number=events)
    print(f"flat 0 to 10 GeV spectrum: {events / flat:.0f} events/s")
    for energy in (500.0, 2000.0, 10_000.0, 50_000.0):
        spent = timeit(lambda e=energy: generate_interaction(rng, 14, e, True), number=events)
        print(f"numu CC at {energy / 1000:g} GeV: {events / spent:.0f} events/s")


if __name__ == "__main__":
    main()
