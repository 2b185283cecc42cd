"""Interactions of GENIE: its rooTracker trees, and the summaries of its event records.

`gntpc -f rootracker` and `gntpc -f gst` write them; energies in GeV.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.sources.errors import NoVertexError
from nuzoo.datasets_scripts.sources.given import INTERACTIONS, GivenInteraction, Glance, SourceFile
from nuzoo.datasets_scripts.sources.interaction_records import (
    MEV_PER_GEV,
    NUCLEONS,
    PSEUDO_PARTICLES,
    Record,
    four_momenta,
    transportable,
)
from nuzoo.datasets_scripts.sources.root_trees import TreeColumns
from nuzoo.simulation.event_types import InteractionMode

GENERATOR = "GENIE"

INITIAL, FINAL = 0, 1
"""Status of particles in an event record."""

_MODES = {
    "QES": InteractionMode.QE,
    "MEC": InteractionMode.MEC,
    "RES": InteractionMode.RES,
    "DIS": InteractionMode.DIS,
    "COH": InteractionMode.COH,
}
_CODE = re.compile(r"proc:Weak\[(?P<current>CC|NC)[^\]]*\],(?P<process>\w+)")
_STRUCK = re.compile(r";N:(\d+)")


class RooTracker(SourceFile[GivenInteraction]):
    """A `gRooTracker` tree: the event records of GENIE."""

    format, gives, holds = "GENIE gRooTracker", INTERACTIONS, "a ROOT file with a tree gRooTracker"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        names = ("EvtNum", "EvtWght", "StdHepPdg", "StdHepStatus", "StdHepP4")
        self._tree = TreeColumns(path, "gRooTracker", ("EvtCode/fString", *names))

    @classmethod
    def claims(cls, glance: Glance) -> bool:
        """Say whether a file is of this format."""
        return "gRooTracker" in glance.names

    def __len__(self) -> int:
        return len(self._tree)

    def __getitem__(self, entry: int) -> GivenInteraction:
        row, where = self._tree.row(entry), self.where(entry)
        pdg, status = (np.asarray(row[f"StdHep{name}"], np.int64) for name in ("Pdg", "Status"))
        four_momentum = np.asarray(row["StdHepP4"], np.float64).reshape(-1, 4) * MEV_PER_GEV
        initial = np.flatnonzero(status == INITIAL)
        if not initial.size:
            expected = "an interaction with what came in (status 0)"
            raise NoVertexError(where, expected, f"{len(pdg)} particles, none of them", "leave it out")
        beam, code = initial[0], str(row["EvtCode/fString"])
        final = status == FINAL
        record = Record(
            neutrino_pdg=int(pdg[beam]),
            neutrino=four_momentum[beam],
            pdg=pdg[final],
            four_momentum=four_momentum[final],
            target_pdg=target_among(pdg[initial]),
            generator=GENERATOR,
            number=int(row["EvtNum"]),
            weight=float(row["EvtWght"]),
            **told_by(code),
        )
        return transportable(where, record)


def target_among(initial: Iterable[int]) -> int:
    """Return the nucleus, or nucleon, among the PDG codes of what came in; 0 without one."""
    return next((int(each) for each in initial if each >= PSEUDO_PARTICLES or each in NUCLEONS), 0)


def told_by(code: str) -> dict[str, Any]:
    """Return what the code of an event tells a `Record`: `nu:14;tgt:1000180400;N:2112;proc:Weak[CC],QES;`."""
    process, struck = _CODE.search(code), _STRUCK.search(code)
    return {
        "is_cc": process["current"] == "CC" if process else None,
        "mode": _MODES.get(process["process"]) if process else None,
        "struck_pdg": int(struck[1]) if struck else 0,
    }


class Summary(SourceFile[GivenInteraction]):
    """A `gst` tree: GENIE's summary of its event records (GHEP)."""

    format, gives, holds = "GENIE gst", INTERACTIONS, "a ROOT file with a tree gst"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        event = ("iev", "neu", "fspl", "tgt", "hitnuc", "cc", "nc", "wght", *_FLAGS)
        lepton = ("Ev", "pxv", "pyv", "pzv", "El", "pxl", "pyl", "pzl")
        hadrons = ("pdgf", "Ef", "pxf", "pyf", "pzf")
        self._tree = TreeColumns(path, "gst", (*event, *lepton, *hadrons))

    @classmethod
    def claims(cls, glance: Glance) -> bool:
        """Say whether a file is of this format."""
        return "gst" in glance.names

    def __len__(self) -> int:
        return len(self._tree)

    def __getitem__(self, entry: int) -> GivenInteraction:
        row = self._tree.row(entry)
        hadrons = _columns(row, "f").reshape(-1, 4)
        lepton = _columns(row, "l").reshape(1, 4)
        is_weak = bool(row["cc"]) or bool(row["nc"])
        record = Record(
            neutrino_pdg=int(row["neu"]),
            neutrino=_columns(row, "v"),
            pdg=np.concatenate([[int(row["fspl"])], np.asarray(row["pdgf"], np.int64)]),
            four_momentum=np.concatenate([lepton, hadrons]),
            target_pdg=int(row["tgt"]),
            generator=GENERATOR,
            is_cc=bool(row["cc"]) if is_weak else None,
            mode=next((mode for flag, mode in _FLAGS.items() if row[flag]), None),
            struck_pdg=max(int(row["hitnuc"]), 0),
            number=int(row["iev"]),
            weight=float(row["wght"]),
        )
        return transportable(self.where(entry), record)


_FLAGS = {
    "qel": InteractionMode.QE,
    "mec": InteractionMode.MEC,
    "res": InteractionMode.RES,
    "dis": InteractionMode.DIS,
    "coh": InteractionMode.COH,
}


def _columns(row: dict[str, Any], letter: str) -> NDArray[np.float64]:
    """Return four-momenta, MeV: `v` of the neutrino, `l` of the lepton, `f` of hadrons."""
    return four_momenta(row, [f"px{letter}", f"py{letter}", f"pz{letter}", f"E{letter}"])
