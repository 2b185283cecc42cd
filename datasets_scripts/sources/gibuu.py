"""Interactions of GiBUU, after its transport through the nucleus: its ROOT tree, energies in GeV.

The hadrons are in lists, the lepton apart from them; weights may be negative.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nuzoo.datasets_scripts.sources.given import INTERACTIONS, GivenInteraction, Glance, SourceFile
from nuzoo.datasets_scripts.sources.interaction_records import Record, four_momenta, transportable
from nuzoo.datasets_scripts.sources.root_trees import TreeColumns
from nuzoo.simulation.event_types import InteractionMode

CHARGED, NEUTRAL = 2, 3
"""`process_ID`, negative for antineutrinos; 1 is electromagnetic."""

_NEUTRINO_OF = {1: 12, 2: 14, 3: 16}
_MODES = {1: InteractionMode.QE, 34: InteractionMode.DIS, 35: InteractionMode.MEC, 36: InteractionMode.MEC}
_RESONANCES = (*range(2, 34), 37)
"""Resonances, and the backgrounds of one pion (32, 33) and of two (37)."""

_LEPTON = {f"lep{which}_{axis}" for which in ("In", "Out") for axis in ("E", "Px", "Py", "Pz")}


class RootTuple(SourceFile[GivenInteraction]):
    """A `RootTuple` tree."""

    format, gives, holds = "GiBUU RootTuple", INTERACTIONS, "a ROOT file with a tree RootTuple"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        event = ("weight", "flavor_ID", "process_ID", "evType", "nucleus_A", "nucleus_Z", "nuc_charge")
        hadrons = ("barcode", "E", "Px", "Py", "Pz")
        self._tree = TreeColumns(path, "RootTuple", (*event, *hadrons, *sorted(_LEPTON)))

    @classmethod
    def claims(cls, glance: Glance) -> bool:
        """Say whether a file is of this format."""
        return "RootTuple" in glance.names

    def __len__(self) -> int:
        return len(self._tree)

    def __getitem__(self, entry: int) -> GivenInteraction:
        row = self._tree.row(entry)

        def four(prefix: str) -> np.ndarray:
            return four_momenta(row, [f"{prefix}{axis}" for axis in ("Px", "Py", "Pz", "E")])

        process, kind = int(row["process_ID"]), int(row["evType"])
        flavour = _NEUTRINO_OF.get(int(row["flavor_ID"]), 0) if abs(process) != 1 else 0
        neutrino = flavour if process > 0 else -flavour
        lepton = neutrino - np.sign(neutrino) if abs(process) == CHARGED else neutrino
        mode = _MODES.get(kind, InteractionMode.RES if kind in _RESONANCES else None)
        record = Record(
            neutrino_pdg=neutrino,
            neutrino=four("lepIn_"),
            pdg=np.concatenate([[lepton], np.asarray(row["barcode"], np.int64)]),
            four_momentum=np.concatenate([four("lepOut_")[None], four("").reshape(-1, 4)]),
            target_pdg=1_000_000_000 + 10_000 * int(row["nucleus_Z"]) + 10 * int(row["nucleus_A"]),
            generator="GiBUU",
            is_cc=abs(process) == CHARGED,
            mode=mode,
            struck_pdg=_struck(mode, int(row["nuc_charge"])),
            weight=float(row["weight"]),
        )
        return transportable(self.where(entry), record)


def _struck(mode: InteractionMode | None, charge: int) -> int:
    """Return the struck nucleon; 0 where there are two."""
    return 0 if mode is InteractionMode.MEC else {0: 2112, 1: 2212}.get(charge, 0)
