"""Print the table of docs/generators.md: particles of Geant4 beside ours, event by event.

    python benchmarks/compare_particles.py FILE.root [--events 400] [--sensitive NAME …]

The file is edep-sim's own, of one sensitive box of liquid argon. Of each event the first particle that leaves
its vertex is repeated here with its momentum, from where its first hit begins. What ours leaves outside of
the box is cut away; both are recorded as voxels of one detector, with motifs by the same rules.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame
from tqdm.auto import tqdm

import nuzoo
from nuzoo.datasets_scripts.readers.source_errors import SourceFileError
from nuzoo.datasets_scripts.sources.formats import open_source
from nuzoo.datasets_scripts.sources.given import GivenDeposits
from nuzoo.evaluation.core.results import Number
from nuzoo.evaluation.tasks.hit_segmentation.numbers import confusions, hit_metrics
from nuzoo.files.events.point_cloud_events import MOTIFS
from nuzoo.pipelines.loading import load_pipeline
from nuzoo.simulation.deposited import placed
from nuzoo.simulation.detectors import LARTPC_CUBE
from nuzoo.simulation.images import Origin, SimulatedImage, record_image, simulate_image

SEED = 14
LEAST_CM = 5.0
MODEL = "nu-point-motif-tiny"
MIDDLE = (np.array(LARTPC_CUBE.low) + np.array(LARTPC_CUBE.high)) / 2
QUANTITIES = {
    "length": "length of its track, cm",
    "energy": "deposited energy, MeV",
    "dedx": "MeV/cm, all energy on that length",
    "voxels": "voxels / cm",
    "delta": "voxels of deltas, %",
    "low": "voxels of low-energy deposits, %",
    "deltas": "deltas / m",
}

Box = tuple[NDArray[np.float64], NDArray[np.float64]]


def usable_events(path: Path, sensitive: list[str], most: int) -> list[GivenDeposits]:
    """Events whose particles are known, and whose first particle left a hit."""
    source, found = open_source(path, "deposits", sensitive), list[GivenDeposits]()
    for entry in range(len(source)):
        try:
            given = source[entry]
        except SourceFileError:
            continue
        if given.truth.particles is not None and (given.segments.track == 0).any():
            found.append(given)
        if len(found) == most:
            break
    return found


def box_of(events: list[GivenDeposits]) -> Box:
    ends = np.concatenate([end for each in events for end in (each.segments.start, each.segments.end)])
    return ends.min(axis=0), ends.max(axis=0)


def pairs(events: list[GivenDeposits]) -> Iterator[tuple[SimulatedImage, SimulatedImage]]:
    low, high = box_of(events)
    shift = MIDDLE - (low + high) / 2
    for index, given in enumerate(events):
        segments, table = given.segments, given.truth.particles.table
        first = segments.start[segments.track == 0][0] + shift
        origin = Origin("particles", first, table.pdg[:1], table.momentum[:1].astype(float))
        moved = replace(segments, start=segments.start + shift, end=segments.end + shift)
        theirs = placed(moved, LARTPC_CUBE, centred=False, truth=given.truth.moved(shift))
        ours = simulate_image(SEED, index, LARTPC_CUBE, lambda rng, detector, origin=origin: [origin])
        pair = record_image(SEED, index, LARTPC_CUBE, theirs), inside(ours, (low + shift, high + shift))
        if min(map(length_of, pair)) >= LEAST_CM:
            yield pair


def inside(image: SimulatedImage, box: Box) -> SimulatedImage:
    """What of an event is in a box."""
    deposits, (low, high) = image.transported.deposits, box
    middle = (deposits.start + deposits.end) / 2
    kept = ((low <= middle) & (middle <= high)).all(axis=1)
    cut = replace(deposits, **{each.name: getattr(deposits, each.name)[kept] for each in fields(deposits)})
    return replace(image, transported=replace(image.transported, deposits=cut))


def length_of(image: SimulatedImage) -> float:
    """Return the length of the first particle, cm."""
    deposits = image.transported.deposits
    own = deposits.particle == 0
    return float(np.linalg.norm(deposits.end[own] - deposits.start[own], axis=1).sum())


def measured(image: SimulatedImage, segment: Callable) -> tuple[dict[str, float], NDArray, NDArray]:
    """Numbers of an event, and the motifs of its voxels: the true ones, and those that a model says."""
    row, length = image.detector.readout.respond(image), length_of(image)
    energy, voxels = float(image.transported.deposits.energy.sum()), len(row["motif"])
    share = {name: 100 * float((row["motif"] == number).mean()) for number, name in enumerate(MOTIFS)}
    deltas = len(np.unique(row["particle"][row["motif"] == MOTIFS.index("delta")]))
    said = segment({"detector": image.detector.name, "event_id": "event", **row})["labels"]
    numbers = {
        "length": length,
        "energy": energy,
        "dedx": energy / length,
        "voxels": voxels / length,
        "delta": share["delta"],
        "low": share["led"],
        "deltas": 100 * deltas / length,
    }
    return numbers, row["motif"], np.array([MOTIFS.index(label) for label in said])


def print_table(name: str, theirs: DataFrame, ours: DataFrame) -> None:
    print(
        f"\n### {name}, {len(theirs)} events\n\n| quantity | Geant4 | ours | difference |\n|---|---|---|---|"
    )
    for quantity, heading in QUANTITIES.items():
        pair = theirs[quantity], ours[quantity], theirs[quantity] - ours[quantity]
        cells = [f"{each.mean():.3g} ± {each.sem():.1g}" for each in pair]
        print(f"| {heading} | {' | '.join(cells)} |")


def with_error(number: Number) -> str:
    return f"{number.value:.3f} ± {number.error:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--events", type=int, default=400)
    parser.add_argument("--sensitive", nargs="+", default=[])
    options = parser.parse_args()
    segment = load_pipeline(nuzoo.bundled(MODEL))
    events = usable_events(options.file, options.sensitive, options.events)
    told = [[measured(each, segment) for each in pair] for pair in tqdm(pairs(events), total=len(events))]
    tables = [DataFrame([pair[side][0] for pair in told]) for side in (0, 1)]
    print_table(options.file.name, *tables)
    for side, title in enumerate(("Geant4", "ours")):
        truth, given = ([pair[side][place] for pair in told] for place in (1, 2))
        metrics, _ = hit_metrics(confusions(truth, given, len(MOTIFS)), MOTIFS)
        f1 = ", ".join(f"{name} {with_error(metrics.f1[name])}" for name in ("track", "delta"))
        print(f"{MODEL} on {title}: accuracy {with_error(metrics.accuracy)}; F1 of {f1}")


if __name__ == "__main__":
    main()
