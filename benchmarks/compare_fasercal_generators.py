"""Interactions of TeV neutrinos beside those of Pythia 8, as a table.

Run `python benchmarks/compare_fasercal_generators.py [events]`; needs `pip install nuzoo[pythia]`. Each cell
is *Pythia / ours*, of nucleons at rest.
"""

import sys
import time
from collections.abc import Sequence

import numpy as np

from nuzoo.simulation.interactions.high_energy import DecayedInteraction, generate_high_energy
from nuzoo.simulation.interactions.high_energy_hadrons import CHARMED
from nuzoo.simulation.interactions.nucleus import Nucleus
from nuzoo.simulation.interactions.pythia_events import PythiaInteractions

CHARGED = (211, 321, 2212, 411, 431, 4122)
COLUMNS = (
    "⟨y⟩",
    "charged",
    "π0",
    "neutrons",
    "charm",
    "leading hadron / jet",
    "p_T of hadrons GeV",
    "flight mm",
    "events/s",
)
KINDS = [
    (neutrino, energy, is_cc, struck)
    for neutrino, is_cc in ((14, True), (-14, True), (14, False))
    for energy in (100, 1000, 3000)
    for struck in (2212, 2112)
    if struck == 2112 or is_cc
]


def numbers(made: Sequence[DecayedInteraction]) -> list[float]:
    """The means of the columns but the last."""
    rows = []
    for one in made:
        first = one.parent < 0
        hadrons, p = one.pdg[first][1:], one.momentum[first][1:]
        size = np.linalg.norm(p, axis=1)
        away = [
            np.linalg.norm(one.offset[one.parent == row][0]) * 10
            for row in np.unique(one.parent[one.parent >= 0])
        ]
        codes = np.abs(hadrons)
        rows.append(
            (
                one.inelasticity,
                np.isin(codes, CHARGED).sum(),
                (codes == 111).sum(),
                (hadrons == 2112).sum(),
                np.isin(codes, [*CHARMED]).any(),
                size.max() / size.sum(),
                np.hypot(p[:, 0], p[:, 1]).mean() / 1000,
                np.mean(away) if away else np.nan,
            )
        )
    values = np.array(rows, float)
    known = np.isfinite(values)
    sums = np.where(known, values, 0.0).sum(axis=0)
    return [float(value) for value in sums / np.maximum(known.sum(axis=0), 1)]


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rng = np.random.default_rng(1)
    print("| neutrino | E GeV | target | " + " | ".join(COLUMNS) + " |")
    print("|---" * (3 + len(COLUMNS)) + "|")
    for neutrino, energy, is_cc, struck in KINDS:
        pythia = PythiaInteractions(neutrino, energy * 1e3, is_cc, struck)
        target = Nucleus(int(struck == 2212), 1, 0.0, 0.0, 0.0, 0.0)
        begin = time.process_time()
        theirs = [pythia.next() for _ in range(events)]
        middle = time.process_time()
        ours = [generate_high_energy(rng, neutrino, energy * 1e3, is_cc, target) for _ in range(events)]
        end = time.process_time()
        speeds = [events / (middle - begin), events / (end - middle)]
        pairs = zip([*numbers(theirs), speeds[0]], [*numbers(ours), speeds[1]], strict=True)
        cells = " | ".join(f"{first:.3g} / {second:.3g}" for first, second in pairs)
        kind = f"{neutrino} {'CC' if is_cc else 'NC'}"
        print(f"| {kind} | {energy} | {'p' if struck == 2212 else 'n'} | {cells} |")


if __name__ == "__main__":
    main()
