"""Print how many interactions a second one core generates.

python benchmarks/bench_interactions.py [--events 20000]
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from nuzoo.simulation.interactions import Spectrum, generate_interaction, sample_interaction


def rate(make, events: int) -> float:
    start = time.perf_counter()
    for _ in range(events):
        make()
    return events / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    events = parser.parse_args().events
    rng = np.random.default_rng(1)
    start = time.perf_counter()
    sample_interaction(rng, Spectrum())
    print(f"first event (compilation or cache): {time.perf_counter() - start:.1f} s")
    spectrum = Spectrum()
    flat = rate(lambda: sample_interaction(rng, spectrum), events)
    print(f"flat 0 to 10 GeV spectrum: {flat:.0f} events/s")
    for energy in (500.0, 2000.0, 10_000.0, 50_000.0):
        speed = rate(lambda e=energy: generate_interaction(rng, 14, e, True), events)
        print(f"numu CC at {energy / 1000:g} GeV: {speed:.0f} events/s")


if __name__ == "__main__":
    main()
