"""CPU time of whole simulated events on one core, stage by stage, with the response.

Run `python benchmarks/bench_simulation.py [events]`; a block for each detector of maps, flat in energy.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from nuzoo.simulation.detectors import DETECTORS, Detector
from nuzoo.simulation.interactions import Spectrum, sample_interaction
from nuzoo.simulation.response.pixel_maps import PixelMapReadout
from nuzoo.simulation.simulate import SimulatedEvent, simulate_event
from nuzoo.simulation.transport import Volume, transport


def timed(make: Callable[[Any], Any], inputs: list[Any]) -> tuple[list[Any], float]:
    """The results and the CPU milliseconds for each."""
    begin = time.process_time()
    results = [make(one) for one in inputs]
    return results, (time.process_time() - begin) * 1e3 / len(inputs)


def measure(detector: Detector, events: int) -> None:
    rng = np.random.default_rng(1)
    volume = Volume(detector.low, detector.high)
    for index in range(5):
        simulate_event(0, index, detector, Spectrum())

    vertices = list(rng.uniform(detector.vertex_low, detector.vertex_high, (events, 3)))
    interactions, generation = timed(lambda _: sample_interaction(rng, Spectrum()), vertices)
    transported, propagation = timed(
        lambda one: transport(rng, one[0].pdg, one[0].momentum, one[1], detector.material, volume),
        list(zip(interactions, vertices, strict=True)),
    )
    deposited = [
        SimulatedEvent(detector, *made, rng) for made in zip(interactions, vertices, transported, strict=True)
    ]
    recorded, response = timed(detector.readout.respond, deposited)
    whole = [
        timed(lambda i: detector.readout.respond(simulate_event(1, i, detector, Spectrum())), [index])[1]
        for index in range(events)
    ]

    print(f"{detector.name}, {events} events, flat 0 to 10 GeV")
    print(f"  interaction {generation:6.2f} ms\n  transport   {propagation:6.2f} ms")
    print(f"  response    {response:6.2f} ms")
    spread = np.std(whole) / np.sqrt(events)
    print(
        f"  whole event {np.mean(whole):6.2f} ± {spread:.2f} ms: "
        f"{1e3 / np.mean(whole):.0f} events/s on one core"
    )
    deposits = np.mean([len(one.deposits.energy) for one in transported])
    stored = [f"{np.mean([len(event[name]) for event in recorded]):.0f} {name}" for name in recorded[0]]
    print(f"  an event: {deposits:.0f} deposits, {', '.join(stored)}")


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    for detector in DETECTORS.values():
        if detector.has_volume and isinstance(detector.readout, PixelMapReadout):
            measure(detector, events)


if __name__ == "__main__":
    main()
