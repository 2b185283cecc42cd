"""CPU time of whole FASERCal events on one core, stage by stage, and what they hold.

Run `python benchmarks/bench_fasercal.py [events]`; one block for each thickness of tungsten.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from nuzoo.simulation.detectors import FASERCAL, FASERCAL_1MM, FASERCAL_5MM, Detector
from nuzoo.simulation.interactions.forward_beam import ForwardBeam
from nuzoo.simulation.interactions.high_energy import generate_high_energy
from nuzoo.simulation.simulate_layers import simulate_layered_event
from nuzoo.simulation.transport.sandwich_cascade import transport_layers


def timed(make: Callable[[Any], Any], inputs: list[Any]) -> tuple[list[Any], float]:
    """The results and the CPU milliseconds for each."""
    begin = time.process_time()
    results = [make(one) for one in inputs]
    return results, (time.process_time() - begin) * 1e3 / len(inputs)


def measure(detector: Detector, events: int) -> None:
    rng, sandwich = np.random.default_rng(1), detector.readout.sandwich
    for index in range(3):
        detector.readout.respond(simulate_layered_event(0, index, detector, ForwardBeam(0.1)))
    neutrinos = [ForwardBeam(0.1).draw(rng) for _ in range(events)]
    _, generation = timed(lambda one: generate_high_energy(rng, *one[:3]), neutrinos)
    whole, _ = timed(
        lambda index: simulate_layered_event(1, index, detector, ForwardBeam(0.1)), [*range(events)]
    )
    transported, propagation = timed(
        lambda one: transport_layers(rng, one.interaction, one.vertex, sandwich), whole
    )
    rows, response = timed(detector.readout.respond, whole)
    total = generation + propagation + response
    print(f"{detector.name}, {events} events")
    print(f"  interaction {generation:6.2f} ms\n  transport   {propagation:6.2f} ms")
    print(f"  response    {response:6.2f} ms")
    print(f"  together    {total:6.2f} ms: {1e3 / total:.0f} events/s on one core")
    print(f"  of them from stored interactions: {1e3 / (propagation + response):.0f} events/s")
    budgets = [one.budget for one in transported]
    available = sum(one.available for one in budgets)
    for name in ("deposited", "absorbed", "escaped", "invisible"):
        print(f"  {name:11s} {sum(getattr(one, name) for one in budgets) / available:6.3f} of the energy")
    hits = [len(row["cal_x"]) for row in rows]
    status = np.bincount(np.concatenate([row["cal_status"] for row in rows]), minlength=3) / sum(hits)
    print(
        f"  hits of the 3DCal: {np.median(hits):.0f} (median), {np.mean(hits):.0f} (mean), {max(hits)} (most)"
    )
    print(f"  matched {status[0]:.3f}, ghosts {status[1]:.3f}, unmatched {status[2]:.3f}")


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    for detector in (FASERCAL, FASERCAL_5MM, FASERCAL_1MM):
        measure(detector, events)


if __name__ == "__main__":
    main()
