"""Print the tables of docs/interactions.md: our generator beside GENIE and GiBUU files.

    python benchmarks/compare_generators.py --data DIR [--repeat 10]

DIR holds generators/gtrac_1_nue.root (GENIE, numu on carbon), generators/gibuu_EventOutput.root
(GiBUU, nue CC on oxygen) and dune_cvn/dune_cvn_600.tar.gz (GENIE in DUNE's production, argon: only
the counts of particles are kept); needs uproot. Each event of a file is generated `repeat` times
here, at its own energy, with its own current, on its own nucleus; the channel is drawn.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import uproot
from numpy.typing import NDArray

from nuzoo.simulation.event_types import InteractionMode
from nuzoo.simulation.interactions import InteractionError, generate_interaction
from nuzoo.simulation.interactions.masses import MASSES, PROTON
from nuzoo.simulation.interactions.nucleus import ARGON, CARBON, OXYGEN, Nucleus

GENIE_BINS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
GIBUU_BINS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 50.0)
COLUMNS = ("y", "cos", "p", "p50", "n", "pi+", "pi-", "pi0")
_GENIE_MODES = {"QES": 0, "MEC": 1, "RES": 2, "DIS": 3, "COH": 4}


@dataclass
class Sample:
    """Per-event quantities; energies in GeV, `mode` as InteractionMode, -1 where unknown."""

    energy: NDArray[np.float64]
    weight: NDArray[np.float64]
    is_cc: NDArray[np.bool_]
    mode: NDArray[np.int64]
    values: dict[str, NDArray[np.float64]]

    def select(self, keep: NDArray[np.bool_]) -> Sample:
        values = {name: column[keep] for name, column in self.values.items()}
        return Sample(self.energy[keep], self.weight[keep], self.is_cc[keep], self.mode[keep], values)

    def mean(self, name: str) -> float:
        return float(np.average(self.values[name], weights=self.weight))


def quantities(
    energy: float,
    lepton: NDArray[np.float64],
    pdg: NDArray[np.int64],
    momentum: NDArray[np.float64],
) -> dict[str, float]:
    """The compared quantities of one event, from the lepton (px, py, pz, E) and the hadrons."""
    kinetic = np.sqrt((momentum**2).sum(1) + PROTON**2) - PROTON
    protons = pdg == 2212
    return {
        "y": 1.0 - lepton[3] / energy,
        "cos": lepton[2] / np.sqrt((lepton[:3] ** 2).sum()),
        "p": protons.sum(),
        "p50": (protons & (kinetic > 50.0)).sum(),
        "n": (pdg == 2112).sum(),
        "pi+": (pdg == 211).sum(),
        "pi-": (pdg == -211).sum(),
        "pi0": (pdg == 111).sum(),
        "pi": np.isin(pdg, (211, -211, 111)).sum(),
        "sum T_p": kinetic[protons].sum() * 1e-3,
    }


def _collect(rows: list[tuple[float, float, bool, int, dict[str, float]]]) -> Sample:
    energy, weight, is_cc, mode, values = zip(*rows, strict=True)
    return Sample(
        np.array(energy),
        np.array(weight),
        np.array(is_cc),
        np.array(mode),
        {name: np.array([v[name] for v in values], float) for name in values[0]},
    )


def read_genie(path: Path) -> Sample:
    tree = uproot.open(path)["gRooTracker"]
    codes = tree["EvtCode/fString"].array(library="np")
    columns = [tree[f"StdHep{name}"].array(library="np") for name in ("Pdg", "Status", "P4")]
    rows = []
    for code, *event in zip(codes, *columns, strict=True):
        pdg, status, p4 = (np.asarray(column) for column in event)
        p4 = p4 * 1e3
        is_cc = "[CC]" in code
        mode = next(value for name, value in _GENIE_MODES.items() if f",{name};" in code)
        final = np.flatnonzero(status == 1)
        lepton = final[pdg[final] == (13 if is_cc else 14)][0]
        hadrons = final[final != lepton]
        values = quantities(p4[0, 3], p4[lepton], pdg[hadrons], p4[hadrons, :3])
        rows.append((p4[0, 3] * 1e-3, 1.0, is_cc, mode, values))
    return _collect(rows)


def read_gibuu(path: Path) -> Sample:
    names = ("weight", "barcode", "Px", "Py", "Pz", "evType", "lepIn_E")
    names += tuple(f"lepOut_{axis}" for axis in ("Px", "Py", "Pz", "E"))
    tree = uproot.open(path)["RootTuple"].arrays(names, library="np")
    rows = []
    for i, code in enumerate(tree["evType"]):
        lepton = np.array([tree[f"lepOut_{axis}"][i] for axis in ("Px", "Py", "Pz", "E")]) * 1e3
        pdg = np.asarray(tree["barcode"][i])
        momentum = np.stack([tree[axis][i] for axis in ("Px", "Py", "Pz")], 1) * 1e3
        if lepton[3] > 0:
            energy = tree["lepIn_E"][i] * 1e3
            values = quantities(energy, lepton, pdg, momentum)
            mode = {1: 0, 35: 1, 36: 1, 34: 3}.get(int(code), 2)
            rows.append((energy * 1e-3, tree["weight"][i], True, mode, values))
    return _collect(rows)


def generate_like(reference: Sample, neutrino: int, nucleus: Nucleus, repeat: int) -> Sample:
    """Our events at the energies and currents of a reference sample."""
    rng = np.random.default_rng(2026)
    rows = []
    for energy, weight, is_cc in zip(reference.energy, reference.weight, reference.is_cc, strict=True):
        for _ in range(repeat):
            try:
                event = generate_interaction(rng, neutrino, energy * 1e3, bool(is_cc), nucleus)
            except InteractionError:
                continue  # below our threshold: the reference goes lower by some tens of MeV
            mass = MASSES[abs(int(event.pdg[0]))]
            momentum = event.momentum
            lepton = np.append(momentum[0], np.sqrt((momentum[0] ** 2).sum() + mass**2))
            values = quantities(event.neutrino_energy, lepton, event.pdg[1:], momentum[1:])
            rows.append((energy, weight, is_cc, int(event.mode), values))
    return _collect(rows)


def weighted_ks(a: Sample, b: Sample, name: str) -> float:
    """Largest difference of the two weighted cumulative distributions."""
    grid = np.unique(np.concatenate((a.values[name], b.values[name])))

    def cumulative(sample: Sample) -> NDArray[np.float64]:
        order = np.argsort(sample.values[name])
        total = np.concatenate(([0.0], np.cumsum(sample.weight[order])))
        at = np.searchsorted(sample.values[name][order], grid, side="right")
        return np.asarray(total[at] / total[-1])

    return float(np.abs(cumulative(a) - cumulative(b)).max())


def effective_entries(sample: Sample) -> float:
    return float(sample.weight.sum() ** 2 / (sample.weight**2).sum())


def print_fractions(reference: Sample, ours: Sample, bins: tuple[float, ...]) -> None:
    names = [mode.name for mode in InteractionMode]
    print("| E (GeV) | events | " + " | ".join(names) + " |")
    print("|---|---|" + "---|" * len(names))
    for low, high in itertools.pairwise(bins):
        parts = [s.select((s.energy >= low) & (s.energy < high)) for s in (reference, ours)]
        cells = []
        for mode in InteractionMode:
            cells.append(" / ".join(f"{s.weight[s.mode == mode].sum() / s.weight.sum():.2f}" for s in parts))
        print(f"| {low:g}–{high:g} | {parts[0].energy.size} | " + " | ".join(cells) + " |")


def print_means(reference: Sample, ours: Sample, bins: tuple[float, ...]) -> None:
    head = ("<y>", "<cos θ>", "p", "p, T > 50 MeV", "n", "π+", "π-", "π0")
    print("| E (GeV) | " + " | ".join(head) + " |")
    print("|---|" + "---|" * len(head))
    for low, high in itertools.pairwise(bins):
        parts = [s.select((s.energy >= low) & (s.energy < high)) for s in (reference, ours)]
        cells = [" / ".join(f"{s.mean(name):.2f}" for s in parts) for name in COLUMNS]
        print(f"| {low:g}–{high:g} | " + " | ".join(cells) + " |")


def print_channel_means(reference: Sample, ours: Sample) -> None:
    print("| channel | events | <y> | <cos θ> | p | n | π+ | π- | π0 |")
    print("|---|---|---|---|---|---|---|---|---|")
    for mode in (InteractionMode.QE, InteractionMode.MEC, InteractionMode.RES, InteractionMode.DIS):
        parts = [s.select(s.mode == mode) for s in (reference, ours)]
        cells = [
            " / ".join(f"{s.mean(name):.2f}" for s in parts)
            for name in ("y", "cos", "p", "n", "pi+", "pi-", "pi0")
        ]
        print(f"| {mode.name} | {parts[0].energy.size} | " + " | ".join(cells) + " |")


def print_distances(reference: Sample, ours: Sample) -> None:
    print("| quantity | KS distance | a same-parent sample stays below (95 %) |")
    print("|---|---|---|")
    n, m = effective_entries(reference), effective_entries(ours)
    limit = 1.36 * np.sqrt((n + m) / (n * m))
    for name, label in (
        ("y", "E_l/E"),
        ("cos", "cos θ_l"),
        ("p", "n(p)"),
        ("p50", "n(p, T > 50 MeV)"),
        ("n", "n(n)"),
        ("pi", "n(π)"),
        ("sum T_p", "Σ T_p"),
    ):
        print(f"| {label} | {weighted_ks(reference, ours, name):.3f} | {limit:.3f} |")


def print_report(
    title: str, reference: Sample, ours: Sample, bins: tuple[float, ...], by_channel: bool
) -> None:
    print(f"\n### {title}\n\nChannel fractions (file / ours):\n")
    print_fractions(reference, ours, bins)
    print("\nMeans per event (file / ours):\n")
    print_means(reference, ours, bins)
    if by_channel:
        print("\nMeans by channel (file / ours):\n")
        print_channel_means(reference, ours)
    print("\nDistances of the distributions:\n")
    print_distances(reference, ours)


def read_dune(path: Path) -> dict[str, NDArray[np.float64]]:
    """Truth of the DUNE events by class: energy, lepton energy (GeV), pdg, p, π±, π0, n."""
    rows: dict[str, list[list[float]]] = {}
    with tarfile.open(path) as archive:
        for member in archive:
            if member.name.endswith(".info"):
                values = [float(v) for v in archive.extractfile(member).read().split()[:12]]
                rows.setdefault(member.name.split("/")[-2], []).append(values)
    return {name: np.array(table)[:, [1, 2, 7, 8, 9, 10, 11]] for name, table in rows.items()}


def print_dune(path: Path, repeat: int) -> None:
    """Mean counts on argon; ± is the statistical error of the file's 150 events."""
    print("\n### DUNE production (GENIE), argon\n")
    print("| class | <E> (GeV) | <y> | p | π± | π0 | n |")
    print("|---|---|---|---|---|---|---|")
    rng = np.random.default_rng(2026)
    for name, table in read_dune(path).items():
        if name == "nutau":
            continue
        table = table[table[:, 0] > 0.3]
        counts = []
        for energy, _, pdg, *_ in np.repeat(table, repeat, axis=0):
            neutrino = 14 if name == "nc" else int(pdg)
            event = generate_interaction(rng, neutrino, energy * 1e3, name != "nc", ARGON)
            kinds = (np.abs(event.pdg) == code for code in (2212, 211, 111, 2112))
            counts.append([event.inelasticity, *(kind.sum() for kind in kinds)])
        truth = np.column_stack((1.0 - table[:, 1] / table[:, 0], table[:, 3:]))
        error = truth.std(0) / np.sqrt(len(truth))
        triples = zip(truth.mean(0), error, np.mean(counts, 0), strict=True)
        cells = [f"{theirs:.2f} ± {e:.2f} / {ours:.2f}" for theirs, e, ours in triples]
        print(f"| {name} | {table[:, 0].mean():.1f} | " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("NUZOO_DATA"))
    parser.add_argument("--repeat", type=int, default=10)
    options = parser.parse_args()
    if options.data is None:
        parser.error("give --data DIR or set NUZOO_DATA")
    folder = Path(options.data) / "generators"
    genie = read_genie(folder / "gtrac_1_nue.root")
    ours = generate_like(genie, 14, CARBON, options.repeat)
    for title, cc in (("GENIE, νμ CC on carbon", True), ("GENIE, νμ NC on carbon", False)):
        pair = [sample.select(sample.is_cc == cc) for sample in (genie, ours)]
        print_report(title, *pair, GENIE_BINS, by_channel=True)
    gibuu = read_gibuu(folder / "gibuu_EventOutput.root")
    gibuu = gibuu.select(gibuu.energy >= GIBUU_BINS[0])
    ours = generate_like(gibuu, 12, OXYGEN, max(options.repeat // 3, 1))
    print_report("GiBUU, νe CC on oxygen", gibuu, ours, GIBUU_BINS, by_channel=False)
    print_dune(Path(options.data) / "dune_cvn" / "dune_cvn_600.tar.gz", options.repeat)


if __name__ == "__main__":
    main()
