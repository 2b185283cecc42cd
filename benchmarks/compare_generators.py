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
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import uproot
from numpy.typing import NDArray
from pandas import DataFrame

from nuzoo.simulation.event_types import InteractionMode
from nuzoo.simulation.interactions import InteractionError, generate_interaction
from nuzoo.simulation.interactions.masses import MASSES, PROTON
from nuzoo.simulation.interactions.nucleus import ARGON, CARBON, OXYGEN, Nucleus

GENIE_BINS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
GIBUU_BINS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 50.0)
MEANS = {"y": "⟨y⟩", "cos": "⟨cos θ⟩", "p": "p", "p50": "p, T > 50 MeV", "n": "n"}
MEANS |= {"pi+": "π+", "pi-": "π-", "pi0": "π0"}
DISTANCES = {"y": "E_l/E", "cos": "cos θ_l", "p": "n(p)", "p50": "n(p, T > 50 MeV)", "n": "n(n)"}
DISTANCES |= {"pi": "n(π)", "sum T_p": "Σ T_p"}
MODES = {mode.name: mode.value for mode in InteractionMode}
_GENIE_MODES = {"QES": 0, "MEC": 1, "RES": 2, "DIS": 3, "COH": 4}


def event(
    energy: float, weight: float, is_cc: bool, mode: int, lepton: NDArray, pdg: NDArray, momentum: NDArray
) -> dict[str, float]:
    """The compared quantities of one event, from the lepton (px, py, pz, E) and the hadrons, in MeV.

    `energy` is stored in GeV, `mode` is an InteractionMode.
    """
    kinetic = np.sqrt((momentum**2).sum(1) + PROTON**2) - PROTON
    protons = pdg == 2212
    return {
        "energy": energy * 1e-3,
        "weight": weight,
        "is_cc": is_cc,
        "mode": mode,
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


def read_genie(path: Path) -> DataFrame:
    tree = uproot.open(path)["gRooTracker"]
    codes = tree["EvtCode/fString"].array(library="np")
    columns = [tree[f"StdHep{name}"].array(library="np") for name in ("Pdg", "Status", "P4")]
    rows = []
    for code, *stored in zip(codes, *columns, strict=True):
        pdg, status, p4 = (np.asarray(column) for column in stored)
        p4 = p4 * 1e3
        is_cc = "[CC]" in code
        mode = next(value for name, value in _GENIE_MODES.items() if f",{name};" in code)
        final = np.flatnonzero(status == 1)
        lepton = final[pdg[final] == (13 if is_cc else 14)][0]
        hadrons = final[final != lepton]
        rows.append(event(p4[0, 3], 1.0, is_cc, mode, p4[lepton], pdg[hadrons], p4[hadrons, :3]))
    return DataFrame(rows)


def read_gibuu(path: Path) -> DataFrame:
    names = ("weight", "barcode", "Px", "Py", "Pz", "evType", "lepIn_E")
    names += tuple(f"lepOut_{axis}" for axis in ("Px", "Py", "Pz", "E"))
    tree = uproot.open(path)["RootTuple"].arrays(names, library="np")
    rows = []
    for i, code in enumerate(tree["evType"]):
        lepton = np.array([tree[f"lepOut_{axis}"][i] for axis in ("Px", "Py", "Pz", "E")]) * 1e3
        momentum = np.stack([tree[axis][i] for axis in ("Px", "Py", "Pz")], 1) * 1e3
        if lepton[3] > 0:
            mode = {1: 0, 35: 1, 36: 1, 34: 3}.get(int(code), 2)
            pdg, energy = np.asarray(tree["barcode"][i]), tree["lepIn_E"][i] * 1e3
            rows.append(event(energy, tree["weight"][i], True, mode, lepton, pdg, momentum))
    return DataFrame(rows)


def generate_like(reference: DataFrame, neutrino: int, nucleus: Nucleus, repeat: int) -> DataFrame:
    """Our events at the energies and currents of a reference sample."""
    rng = np.random.default_rng(2026)
    rows = []
    for energy, weight, is_cc in zip(reference.energy, reference.weight, reference.is_cc, strict=True):
        for _ in range(repeat):
            try:
                ours = generate_interaction(rng, neutrino, energy * 1e3, bool(is_cc), nucleus)
            except InteractionError:
                continue  # below our threshold: the reference goes lower by some tens of MeV
            momentum = ours.momentum
            mass = MASSES[abs(int(ours.pdg[0]))]
            lepton = np.append(momentum[0], np.sqrt((momentum[0] ** 2).sum() + mass**2))
            mode = int(ours.mode)
            rows.append(event(ours.neutrino_energy, weight, is_cc, mode, lepton, ours.pdg[1:], momentum[1:]))
    return DataFrame(rows)


def mean(sample: DataFrame, name: str) -> float:
    return float(np.average(sample[name], weights=sample.weight))


def weighted_ks(a: DataFrame, b: DataFrame, name: str) -> float:
    """Largest difference of the two weighted cumulative distributions."""
    cumulative = []
    grid = np.unique(np.concatenate((a[name], b[name])))
    for sample in (a, b):
        weights = sample.groupby(name).weight.sum().cumsum()
        reached = weights.reindex(grid, method="ffill").fillna(0.0).to_numpy()
        cumulative.append(reached / weights.iloc[-1])
    return float(np.abs(cumulative[0] - cumulative[1]).max())


def effective_entries(sample: DataFrame) -> float:
    return float(sample.weight.sum() ** 2 / (sample.weight**2).sum())


def print_table(*rows: object) -> None:
    """Rows of cells, the first of them the headings."""
    head, *rest = (list(map(str, row)) for row in rows)
    for row in (head, None, *rest):
        print(f"|{'---|' * len(head)}" if row is None else f"| {' | '.join(row)} |")


def binned(samples: list[DataFrame], bins: tuple[float, ...]) -> Iterator[tuple[str, list[DataFrame]]]:
    for low, high in itertools.pairwise(bins):
        yield f"{low:g}–{high:g}", [s[(s.energy >= low) & (s.energy < high)] for s in samples]


def means(parts: list[DataFrame], names: Mapping[str, str]) -> list[str]:
    return [" / ".join(f"{mean(part, name):.2f}" for part in parts) for name in names]


def shares(parts: list[DataFrame]) -> list[str]:
    by_mode = [part.groupby("mode").weight.sum() / part.weight.sum() for part in parts]
    return [" / ".join(f"{share.get(mode, 0.0):.2f}" for share in by_mode) for mode in MODES.values()]


def print_report(
    title: str, reference: DataFrame, ours: DataFrame, bins: tuple[float, ...], by_channel: bool
) -> None:
    samples = [reference, ours]
    parts = list(binned(samples, bins))
    print(f"\n### {title}\n\nChannel fractions (file / ours):\n")
    rows = ([label, len(part[0]), *shares(part)] for label, part in parts)
    print_table(["E (GeV)", "events", *MODES], *rows)
    print("\nMeans per event (file / ours):\n")
    print_table(["E (GeV)", *MEANS.values()], *([label, *means(part, MEANS)] for label, part in parts))
    if by_channel:
        print("\nMeans by channel (file / ours):\n")
        columns = {name: heading for name, heading in MEANS.items() if name != "p50"}
        channels = ((name, [s[s["mode"] == MODES[name]] for s in samples]) for name in MODES if name != "COH")
        rows = ([name, len(part[0]), *means(part, columns)] for name, part in channels)
        print_table(["channel", "events", *columns.values()], *rows)
    print("\nDistances of the distributions:\n")
    n, m = map(effective_entries, samples)
    limit = 1.36 * np.sqrt((n + m) / (n * m))
    rows = (
        [label, f"{weighted_ks(*samples, name):.3f}", f"{limit:.3f}"] for name, label in DISTANCES.items()
    )
    print_table(["quantity", "KS distance", "a same-parent sample stays below (95 %)"], *rows)


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
    rng = np.random.default_rng(2026)
    rows = []
    for name, table in read_dune(path).items():
        if name == "nutau":
            continue
        table = table[table[:, 0] > 0.3]
        counts = []
        for energy, _, pdg, *_ in np.repeat(table, repeat, axis=0):
            neutrino = 14 if name == "nc" else int(pdg)
            ours = generate_interaction(rng, neutrino, energy * 1e3, name != "nc", ARGON)
            kinds = (np.abs(ours.pdg) == code for code in (2212, 211, 111, 2112))
            counts.append([ours.inelasticity, *(kind.sum() for kind in kinds)])
        truth = np.column_stack((1.0 - table[:, 1] / table[:, 0], table[:, 3:]))
        error = truth.std(0) / np.sqrt(len(truth))
        triples = zip(truth.mean(0), error, np.mean(counts, 0), strict=True)
        cells = [f"{theirs:.2f} ± {e:.2f} / {ours:.2f}" for theirs, e, ours in triples]
        rows.append([name, f"{table[:, 0].mean():.1f}", *cells])
    print_table(["class", "⟨E⟩ (GeV)", "⟨y⟩", "p", "π±", "π0", "n"], *rows)


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
        pair = [sample[sample.is_cc == cc] for sample in (genie, ours)]
        print_report(title, *pair, GENIE_BINS, by_channel=True)
    gibuu = read_gibuu(folder / "gibuu_EventOutput.root")
    gibuu = gibuu[gibuu.energy >= GIBUU_BINS[0]]
    ours = generate_like(gibuu, 12, OXYGEN, max(options.repeat // 3, 1))
    print_report("GiBUU, νe CC on oxygen", gibuu, ours, GIBUU_BINS, by_channel=False)
    print_dune(Path(options.data) / "dune_cvn" / "dune_cvn_600.tar.gz", options.repeat)


if __name__ == "__main__":
    main()
