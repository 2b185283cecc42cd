"""How alike simulated DUNE-like events and the DUNE CVN files are, event by event at equal class and energy.

Usage: python benchmarks/compare_dune.py FOLDER   (the unpacked dune_cvn_600.tar.gz)
"""

import sys
from pathlib import Path

import numpy as np

from nuzoo.datasets_scripts.readers.detector_files import DetectorFiles
from nuzoo.files.events.event_classes import EVENT_CLASSES
from nuzoo.simulation.detectors import DUNE_LIKE
from nuzoo.simulation.interactions import generate_interaction
from nuzoo.simulation.simulate import SimulatedEvent
from nuzoo.simulation.transport import Volume, transport

NEUTRINO = {"nue_cc": 12, "numu_cc": 14, "nc": 14}
QUANTITIES = ("hits", "energy, MeV", "median hit, MeV", "spread in rows", "columns to 98 %")


def quantities(index: np.ndarray, energy: np.ndarray) -> list[float]:
    if len(index) < 3:
        return [len(index), float(np.sum(energy)), np.nan, np.nan, np.nan]
    row, column = np.divmod(np.asarray(index, dtype=np.int64), DUNE_LIKE.readout.views[0].columns)
    return [len(index), energy.sum(), np.median(energy), row.std(), np.percentile(column, 98)]


def simulated(row: dict, seed: int) -> dict:
    rng = np.random.default_rng(seed)
    label = EVENT_CLASSES[row["label"]]
    interaction = generate_interaction(rng, NEUTRINO[label], row["neutrino_energy"] * 1000, label != "nc")
    vertex = rng.uniform(DUNE_LIKE.vertex_low, DUNE_LIKE.vertex_high)
    volume = Volume(DUNE_LIKE.low, DUNE_LIKE.high)
    moved = transport(rng, interaction.pdg, interaction.momentum, vertex, DUNE_LIKE.material, volume)
    return DUNE_LIKE.readout.respond(SimulatedEvent(DUNE_LIKE, interaction, vertex, moved, rng))


def main() -> None:
    rows = [row for row in DetectorFiles([Path(sys.argv[1])]) if row["label"] is not None]
    maps = [simulated(row, seed) for seed, row in enumerate(rows)]
    print("medians, file / simulated")
    for label, name in enumerate(EVENT_CLASSES):
        chosen = [i for i, row in enumerate(rows) if row["label"] == label]
        for view in (view.name for view in DUNE_LIKE.readout.views):
            file = [quantities(rows[i][f"{view}_index"], rows[i][f"{view}_energy"]) for i in chosen]
            ours = [quantities(maps[i][f"{view}_index"], maps[i][f"{view}_energy"]) for i in chosen]
            pairs = zip(QUANTITIES, np.nanmedian(file, axis=0), np.nanmedian(ours, axis=0), strict=True)
            cells = ", ".join(f"{what} {real:.4g} / {made:.4g}" for what, real, made in pairs)
            print(f"{name:8s} {view}: {cells}")


if __name__ == "__main__":
    main()
