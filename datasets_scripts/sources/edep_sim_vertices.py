"""What edep-sim's ROOT files tell of the neutrino: their primary vertices (`TG4PrimaryVertex`)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.readers.source_errors import SourceFileError
from nuzoo.datasets_scripts.sources.genie import target_among, told_by
from nuzoo.datasets_scripts.sources.interaction_records import NEUTRINOS, Record, transportable
from nuzoo.datasets_scripts.sources.memberwise import Columns, MemberwiseReader
from nuzoo.datasets_scripts.sources.root_trees import SplitCollection
from nuzoo.simulation.deposited import KnownVertex

CM_PER_MM = 0.1

INITIAL_STATE = "initial-state"
"""Name of the vertex that edep-sim adds for what came in (`EDepSimRooTrackerKinematicsGenerator.cc`)."""


class PrimaryVertices:
    """The primary vertices of a tree of edep-sim.

    Args:
        tree: Of uproot.
        objects: Reads its classes.

    Raises:
        KeyError: It lacks a branch.
    """

    def __init__(self, tree: Any, objects: MemberwiseReader) -> None:
        self._objects = objects
        self._vertices = SplitCollection(tree, "Primaries", ("Reaction", "Particles", "Informational"))

    def only(self, where: str, entry: int) -> tuple[KnownVertex | None, dict[str, str]]:
        """Return the neutrino interaction of an event, if it has one alone, and where it comes from.

        Args:
            where: Names the event in errors.
            entry: Of the tree.
        """
        count, members = self._vertices[entry]
        if count != 1:
            return None, {}
        outgoing = self._objects.vectors(members["Particles"], "TG4PrimaryParticle", 1)[0]
        told = self._objects.vectors(members["Informational"], "TG4PrimaryVertex", 1)[0]
        if not outgoing or not told or INITIAL_STATE not in told["GeneratorName"]:
            return None, {}
        initial = told["GeneratorName"].index(INITIAL_STATE)
        reaction = self._objects.texts(members["Reaction"], 1)[0]
        record = _record(told["Particles"][initial], outgoing, reaction)
        if record is None:
            return None, {}
        try:
            given = transportable(where, record)
        except SourceFileError:  # what Geant4 transported, and ours cannot, has no truth of ours
            return None, {}
        position = places(told["Position"])[initial]
        return KnownVertex(given.interaction, position), {
            key: text for key, text in given.provenance.items() if key == "target"
        }


def places(four_vectors: NDArray[np.void]) -> NDArray[np.float64]:
    """Return the positions (n, 3), cm, of `TLorentzVector` objects."""
    return _vectors(four_vectors) * CM_PER_MM


def _vectors(four_vectors: NDArray[np.void]) -> NDArray[np.float64]:
    return np.column_stack([four_vectors["fP"][axis] for axis in ("fX", "fY", "fZ")]).astype(np.float64)


def _record(incoming: Columns, outgoing: Columns, reaction: str) -> Record | None:
    """Return an interaction; None without a neutrino that came in."""
    neutrinos = np.flatnonzero(np.isin(np.abs(incoming.get("PDGCode", [])), NEUTRINOS))
    if not len(neutrinos):
        return None
    neutrino = neutrinos[0]
    return Record(
        neutrino_pdg=int(incoming["PDGCode"][neutrino]),
        neutrino=_four_momenta(incoming)[neutrino],
        pdg=outgoing["PDGCode"].astype(np.int64),
        four_momentum=_four_momenta(outgoing),
        target_pdg=target_among(incoming["PDGCode"]),
        generator="",
        unit="MeV",
        **told_by(reaction),
    )


def _four_momenta(particles: Columns) -> NDArray[np.float64]:
    momentum = particles["Momentum"]
    return np.column_stack([_vectors(momentum), momentum["fE"].astype(np.float64)])
