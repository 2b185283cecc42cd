"""Print the tables of docs/generators.md: files of generators and of Geant4 beside our own simulation.

    python benchmarks/compare_sources.py --data DIR [--events 400] [--only genie gibuu deposits]

DIR holds generators/ and larndsim/; needs `pip install nuzoo[generators]`. Each interaction of a file is
repeated once here at its own energy, with its own neutrino and current, on its own nucleus; both happen at
the same place of one detector. Events of GiBUU count by their weights.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame
from tqdm.auto import tqdm

import nuzoo
from nuzoo.datasets_scripts.readers.source_errors import SourceFileError
from nuzoo.datasets_scripts.sources.formats import open_source
from nuzoo.files.events.event_classes import EVENT_CLASSES
from nuzoo.pipelines.loading import load_pipeline
from nuzoo.simulation.deposited import Segments, placed
from nuzoo.simulation.detectors import LARTPC_CUBE, MODULAR_LARTPC
from nuzoo.simulation.event_types import Deposits, Interaction
from nuzoo.simulation.images import Origin, record_image, simulate_image
from nuzoo.simulation.interactions import InteractionError, generate_interaction
from nuzoo.simulation.interactions.nucleus import CARBON, OXYGEN, Nucleus
from nuzoo.simulation.simulate import SimulatedEvent, simulate_interaction

SEED = 14
CLASSIFIER = "nu-cnn-tiny"
FILES = {
    "genie": ("GENIE, νμ on carbon", "gtrac_1_nue.root", CARBON),
    "gibuu": ("GiBUU, νe CC on oxygen", "gibuu_EventOutput.root", OXYGEN),
}
QUANTITIES = {
    "y": "inelasticity y",
    "cos": "cos θ of the lepton",
    "p": "protons",
    "n": "neutrons",
    "pi": "charged pions",
    "pi0": "π0",
    "deposited": "deposited energy / E",
    "pixels": "pixels in xz",
    "seen": "energy in xz / E",
}


def measured(event: SimulatedEvent, weight: float, classify: Callable) -> dict[str, float]:
    """What is compared of an event: its final state, and what the detector recorded of it."""
    row, interaction = event.detector.readout.respond(event), event.interaction
    label = EVENT_CLASSES[event.label]
    said = classify({"detector": event.detector.name, "event_id": "event", **row})["label"]
    hadrons, lepton = interaction.pdg[1:], interaction.momentum[0]
    return {
        "weight": weight,
        "label": label,
        "right": said == label,
        "energy": interaction.neutrino_energy,
        "is_cc": interaction.is_cc,
        "y": interaction.inelasticity,
        "cos": lepton[2] / np.linalg.norm(lepton),
        "p": (hadrons == 2212).sum(),
        "n": (hadrons == 2112).sum(),
        "pi": (np.abs(hadrons) == 211).sum(),
        "pi0": (hadrons == 111).sum(),
        "deposited": event.transported.budget.deposited / interaction.neutrino_energy,
        "pixels": len(row["xz_index"]),
        "seen": row["xz_energy"].sum() / interaction.neutrino_energy,
    }


def pairs(path: Path, nucleus: Nucleus, most: int) -> Iterator[tuple[int, float, Interaction, Interaction]]:
    """Place, weight, interaction of a file, and ours like it; those below our threshold are passed over."""
    source, rng, made = open_source(path, "interactions"), np.random.default_rng(SEED), 0
    for entry in range(len(source)):
        if made == most:
            return
        try:
            given = source[entry]
            theirs = given.interaction
            energy, current = theirs.neutrino_energy, theirs.is_cc
            ours = generate_interaction(rng, theirs.neutrino_pdg, energy, current, nucleus)
        except (SourceFileError, InteractionError):
            continue
        made += 1
        yield entry, float(given.provenance["weight"]), theirs, ours


def compare_interactions(data: Path, most: int, chosen: str) -> None:
    """Compare one file; stopped with Ctrl-C, with as many of its events as were made until then."""
    title, name, nucleus = FILES[chosen]
    classify = load_pipeline(nuzoo.bundled(CLASSIFIER))
    tables: list[tuple[dict[str, float], ...]] = []
    try:
        found = pairs(data / "generators" / name, nucleus, most)
        for entry, weight, *both in tqdm(found, total=most, desc=title):
            events = [simulate_interaction(SEED, entry, MODULAR_LARTPC, each) for each in both]
            tables.append(tuple(measured(event, weight, classify) for event in events))
    except KeyboardInterrupt:
        print(f"\nstopped after {len(tables)} events")
    theirs, ours = (DataFrame([pair[i] for pair in tables]) for i in (0, 1))
    for current, is_cc in (("CC", True), ("NC", False)):
        parts = [table[table.is_cc == is_cc] for table in (theirs, ours)]
        if len(parts[0]):
            print_comparison(f"{title}, {current}, {len(parts[0])} events each", *parts)
    print_accuracy(title, theirs, ours)


def print_comparison(title: str, theirs: DataFrame, ours: DataFrame) -> None:
    """Means with errors, and distances with what two samples of one parent stay below in 95 %."""
    entries = effective_entries(theirs.weight)
    limit = 1.36 * np.sqrt(2 / entries)
    print(
        f"\n### {title}\n\n| quantity | file | ours | KS distance ({limit:.3f} at 95 %) |\n|---|---|---|---|"
    )
    for name, heading in QUANTITIES.items():
        cells = " | ".join(mean_and_error(part[name], part.weight) for part in (theirs, ours))
        distance = weighted_ks(theirs[name], theirs.weight, ours[name], ours.weight)
        print(f"| {heading} | {cells} | {distance:.3f} |")


def effective_entries(weight: NDArray[np.float64]) -> float:
    return float(np.sum(weight) ** 2 / np.sum(np.square(weight)))


def mean_and_error(values: NDArray[np.float64], weight: NDArray[np.float64]) -> str:
    mean = np.average(values, weights=weight)
    spread = np.sqrt(max(np.average((values - mean) ** 2, weights=weight), 0.0))
    return f"{mean:.3g} ± {spread / np.sqrt(effective_entries(weight)):.1g}"


def weighted_ks(a: NDArray, of_a: NDArray, b: NDArray, of_b: NDArray) -> float:
    """Largest difference of two weighted cumulative distributions."""
    grid = np.unique(np.concatenate([a, b]))
    reached = []
    for values, weight in ((a, of_a), (b, of_b)):
        order = np.argsort(np.asarray(values))
        total = np.concatenate([[0.0], np.cumsum(np.asarray(weight)[order])])
        places = np.searchsorted(np.asarray(values)[order], grid, side="right")
        reached.append(total[places] / total[-1])
    return float(np.abs(reached[0] - reached[1]).max())


def print_accuracy(title: str, theirs: DataFrame, ours: DataFrame) -> None:
    """What the bundled classifier says of the same energies and classes, of their generator and of ours."""
    print(f"\n### {CLASSIFIER}: {title}\n\n| class | events | file | ours | change |\n|---|---|---|---|---|")
    for name in (*dict.fromkeys(theirs.label), "all"):
        chosen = (theirs.label == name) | (name == "all")
        table = np.stack([theirs.right[chosen], ours.right[chosen]], axis=1).astype(float)
        both = [f"{share:.3f} ± {np.sqrt(share * (1 - share) / len(table)):.3f}" for share in table.mean(0)]
        change = table[:, 0] - table[:, 1]
        moved = f"{change.mean():+.3f} ± {change.std() / np.sqrt(len(change)):.3f}"
        print(f"| {name} | {len(table)} | {' | '.join(both)} | {moved} |")


MUON, LEAST_CM = 13, 20.0
GUN_MEV_C = 1000.0


def compare_deposits(data: Path) -> None:
    """Muons of Geant4 and ours: energy on length without knocked-out electrons, and the voxels of both."""
    source = open_source(data / "larndsim" / "edepsim-output.h5", "deposits")
    theirs: list[tuple[float, float, float]] = []
    for entry in range(len(source)):
        segments = source[entry].segments
        for track in np.unique(segments.track[np.abs(segments.pdg) == MUON]):
            theirs += one_muon(segments, track, entry)
    ours = [track for index in range(200) for track in our_muon(index)]
    print(f"\n### Muons with {LEAST_CM:g} cm and more in liquid argon\n")
    print("| quantity | Geant4 | ours | KS distance |\n|---|---|---|---|")
    headings = ("MeV/cm on the track itself", "MeV of a voxel, median", "voxels / cm")
    for heading, a, b in zip(headings, zip(*theirs, strict=True), zip(*ours, strict=True), strict=True):
        one, other = np.array(a), np.array(b)
        cells = " | ".join(mean_and_error(each, np.ones(len(each))) for each in (one, other))
        distance = weighted_ks(one, np.ones(len(one)), other, np.ones(len(other)))
        print(f"| {heading} ({len(one)} / {len(other)}) | {cells} | {distance:.3f} |")


def one_muon(segments: Segments, track: int, index: int) -> list[tuple[float, float, float]]:
    own = segments[segments.track == track]
    length = np.linalg.norm(own.end - own.start, axis=1).sum()
    if length < LEAST_CM:
        return []
    event = record_image(SEED, index, LARTPC_CUBE, placed(own, LARTPC_CUBE, centred=True))
    energy = event.voxels.energy
    return [(own.energy.sum() / length, float(np.median(energy)), len(energy) / length)]


def our_muon(index: int) -> list[tuple[float, float, float]]:
    def gun(rng: np.random.Generator, detector: object) -> list[Origin]:
        direction = rng.normal(size=3)
        momentum = GUN_MEV_C * direction / np.linalg.norm(direction)
        return [Origin("particles", np.array([115.0, 115.0, 115.0]), np.array([MUON]), momentum[None])]

    deposits: Deposits = simulate_image(SEED, index, LARTPC_CUBE, gun).transported.deposits
    rows = deposits.particle == 0
    segments = Segments(
        deposits.start[rows].astype(float),
        deposits.end[rows].astype(float),
        deposits.energy[rows].astype(float),
        deposits.particle[rows].astype(np.int64),
        deposits.pdg[rows],
    )
    return one_muon(segments, 0, index)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("NUZOO_DATA"))
    parser.add_argument("--events", type=int, default=400)
    parts = (*FILES, "deposits")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    options = parser.parse_args()
    if options.data is None:
        parser.error("give --data DIR or set NUZOO_DATA")
    for part in options.only:
        if part == "deposits":
            compare_deposits(options.data)
        else:
            compare_interactions(options.data, options.events, part)


if __name__ == "__main__":
    main()
