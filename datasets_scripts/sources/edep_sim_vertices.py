"""What edep-sim's ROOT files tell of where particles began: their primary vertices (`TG4PrimaryVertex`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.readers.source_errors import SourceFileError
from nuzoo.datasets_scripts.sources.genie import target_among, told_by
from nuzoo.datasets_scripts.sources.interaction_records import NEUTRINOS, Record, transportable
from nuzoo.datasets_scripts.sources.root_objects import Columns, RootObjects
from nuzoo.datasets_scripts.sources.root_trees import BranchBytes, SplitCollection
from nuzoo.simulation.event_types import Interaction
from nuzoo.simulation.known_truth import KnownVertex

CM_PER_MM = 0.1

GUN = "gps"
"""Begin of the name of Geant4's general particle source (`EDepSimPrimaryGenerator.cc`)."""

INITIAL_STATE = "initial-state"
"""Name of the vertex that edep-sim adds for what came in (`EDepSimRooTrackerKinematicsGenerator.cc`)."""


@dataclass(frozen=True)
class EventVertices:
    """The vertices of an event.

    Attributes:
        known: What is known of each.
        tracks: Of each, the numbers that its particles have as trajectories where all of these are kept.
        told: Provenance of a neutrino alone.
    """

    known: tuple[KnownVertex, ...] = ()
    tracks: tuple[frozenset[int], ...] = ()
    told: Mapping[str, str] = field(default_factory=dict)


class PrimaryVertices:
    """The primary vertices of a tree of edep-sim.

    Args:
        tree: Of uproot.
        objects: Reads its classes.

    Raises:
        KeyError: It lacks a branch.
    """

    def __init__(self, tree: Any, objects: RootObjects) -> None:
        members = ("GeneratorName", "Reaction", "Weight", "InteractionNumber", "Particles", "Informational")
        self._objects = objects
        self._vertices = SplitCollection(tree, "Primaries", members)
        self._position = _Positions(tree, objects)

    def at(self, where: str, entry: int) -> EventVertices:
        """Return the vertices of an event, which `where` names."""
        count, members = self._vertices[entry]
        if not count:
            return EventVertices()
        left = self._objects.vectors(members["Particles"], "TG4PrimaryParticle", count)
        informational = self._objects.vectors(members["Informational"], "TG4PrimaryVertex", count)
        incoming = [_initial_state(each) for each in informational]
        reactions = self._objects.texts(members["Reaction"], count)
        names = self._objects.texts(members["GeneratorName"], count)
        each = zip(self._position.at(entry, count), left, incoming, reactions, names, strict=True)
        known = tuple(_known(where, *one) for one in each)
        tracks = tuple(frozenset(np.asarray(one.get("TrackId", [])).tolist()) for one in left)
        if count > 1 or not incoming[0]:
            return EventVertices(known, tracks)
        weight = np.frombuffer(members["Weight"], ">f4", 1)[0]
        number = np.frombuffer(members["InteractionNumber"], ">i4", 1)[0]
        told = {"interaction": str(number), "weight": f"{weight:.9g}"}
        target = target_among(incoming[0]["PDGCode"])
        return EventVertices(known, tracks, told | ({"target": str(target)} if target else {}))


class _Positions:
    """Where vertices are; ROOT may have split them."""

    def __init__(self, tree: Any, objects: RootObjects) -> None:
        name, self._objects = "Primaries.Position", objects
        axes = [f"{name}.fP.{axis}" for axis in ("fX", "fY", "fZ")]
        self._is_split = axes[0] in {branch.name for branch in tree["Primaries"].branches}
        self._branches = [BranchBytes(tree[each]) for each in (axes if self._is_split else [name])]

    def at(self, entry: int, count: int) -> NDArray[np.float64]:
        contents = [branch[entry] for branch in self._branches]
        if self._is_split:
            axes = [np.frombuffer(each, ">f8", count) for each in contents]
            return np.column_stack(axes).astype(np.float64) * CM_PER_MM
        return places(self._objects.objects(contents[0], "TLorentzVector", count)["fP"])


def places(of: NDArray[np.void]) -> NDArray[np.float64]:
    """Return the positions (n, 3), cm, of `TVector3` objects in mm."""
    return vectors(of) * CM_PER_MM


def vectors(of: NDArray[np.void]) -> NDArray[np.float64]:
    """Return the coordinates (n, 3) of `TVector3` objects."""
    return np.column_stack([of[axis] for axis in ("fX", "fY", "fZ")]).astype(np.float64)


def _known(
    where: str,
    position: NDArray[np.float64],
    outgoing: Columns,
    incoming: Columns,
    reaction: str,
    generator: str,
) -> KnownVertex:
    if not outgoing:
        return KnownVertex(position, np.zeros(0, np.int32), np.zeros((0, 3)))
    return KnownVertex(
        position,
        outgoing["PDGCode"].astype(np.int32),
        vectors(outgoing["Momentum"]["fP"]),
        _interaction(where, incoming, outgoing, reaction),
        is_gun=generator.startswith(GUN),
    )


def _initial_state(informational: Columns) -> Columns:
    """Return the particles that came in; empty without any."""
    if not informational or INITIAL_STATE not in informational["GeneratorName"]:
        return {}
    found: Columns = informational["Particles"][informational["GeneratorName"].index(INITIAL_STATE)]
    return found


def _interaction(where: str, incoming: Columns, outgoing: Columns, reaction: str) -> Interaction | None:
    """Return the interaction of a neutrino; None without one, and where ours has no truth for it."""
    neutrinos = np.flatnonzero(np.isin(np.abs(incoming.get("PDGCode", [])), NEUTRINOS))
    if not len(neutrinos):
        return None
    neutrino = neutrinos[0]
    record = Record(
        neutrino_pdg=int(incoming["PDGCode"][neutrino]),
        neutrino=_four_momenta(incoming)[neutrino],
        pdg=outgoing["PDGCode"].astype(np.int64),
        four_momentum=_four_momenta(outgoing),
        target_pdg=target_among(incoming["PDGCode"]),
        generator="",
        unit="MeV",
        **told_by(reaction),
    )
    try:
        return transportable(where, record).interaction
    except SourceFileError:
        return None


def _four_momenta(particles: Columns) -> NDArray[np.float64]:
    momentum = particles["Momentum"]
    return np.column_stack([vectors(momentum["fP"]), momentum["fE"].astype(np.float64)])
