"""Detector events as scenes: the hits of all parts in cm, with what is known and predicted of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.errors import DisplayError
from nuzoo.evaluation.core.provenance import sample_tag
from nuzoo.evaluation.core.style import PALETTE
from nuzoo.evaluation.display.detector_events.detector_parts import CUBES, MM_PER_CM, TILES, TOWERS
from nuzoo.evaluation.display.detector_events.event_columns import ECAL_ENERGY, EventColumns
from nuzoo.evaluation.display.detector_events.event_facts import fact_lines
from nuzoo.evaluation.display.detector_events.reconstruction import (
    FOUND_VERTEX,
    Reconstruction,
    whole_event,
)
from nuzoo.evaluation.display.scenes.scene import NEUTRAL, NONE, Colouring, Mark, Positions, Scene, Trail
from nuzoo.files.events.detector_event_columns import CAL_STATUS
from nuzoo.files.events.detector_event_labels import (
    CATEGORIES,
    HIERARCHIES,
    category_of,
    hierarchy_of,
    share_of_classes,
)

BLUE, VERMILION, GREEN, PINK, ORANGE, SKY = PALETTE
PARTS = (CUBES, TOWERS, TILES)
PART_COLOURS = dict(zip(PARTS, (BLUE, ORANGE, GREEN), strict=True))
STATUS_COLOURS = dict(zip(CAL_STATUS, (BLUE, VERMILION, GREEN), strict=True))
CATEGORY_COLOURS = dict(zip(CATEGORIES, (SKY, VERMILION, GREEN), strict=True))
HIERARCHY_COLOURS = dict(zip(HIERARCHIES, (NEUTRAL, BLUE, ORANGE), strict=True))
STATUS, CATEGORY, HIERARCHY, PREDICTION = "status", "particle", "hierarchy", "prediction"
LINKS = ("cal_link_count", "link_true", "link_weight")


def event_scene(
    columns: EventColumns, row: Mapping[str, Any], prediction: Mapping[str, Any] | None, sample: str | None
) -> Scene:
    """Turn an event into a scene; towers of the ECAL without energy are no points of it.

    Args:
        columns: Of the row.
        row: Of a dataset.
        prediction: {"labels"} with one for each hit of the 3DCal, {"label", "scores"} of the whole event, or
            a `Reconstruction`, whose vertex is marked.
        sample: What the events are; needed unless the event is our simulation.

    Raises:
        EvaluationError: An event of another origin without `sample`, or not one label for each hit.
    """
    parts, known = columns.parts, columns.known
    lit = known[ECAL_ENERGY] > 0
    places = [
        parts.cubes(columns.stacked("cal_")),
        parts.towers()[lit],
        parts.tiles(columns.stacked("ahcal_")),
    ]
    energies = [known["cal_energy"], known[ECAL_ENERGY][lit], known["ahcal_energy"]]
    sizes = [len(energy) for energy in energies]
    part = Colouring("part", PARTS, np.repeat(np.arange(3), sizes), PART_COLOURS)
    of_cubes = [*truth_of_cubes(columns), *_predicted(columns, prediction)]
    low, high = parts.corners
    reconstruction = Reconstruction.of(prediction)
    found = [] if reconstruction is None else [_mark(FOUND_VERTEX, reconstruction.vertex)]
    return Scene(
        name=str(row.get("event_id", "")),
        detector=columns.detector.name,
        tag=sample_tag([str(row.get("source", ""))], sample),
        position=np.concatenate(places),
        energy=np.concatenate(energies).astype(np.float64),
        low=low,
        high=high,
        pitch=parts.cube,
        colourings=(part, *(_elsewhere_none(each, sum(sizes)) for each in of_cubes)),
        marks=(*_vertex(columns), *found),
        boxes=tuple(parts.boxes()),
        trails=tuple(_tracks(columns, places[0], energies[0], high[2])),
        facts=tuple(fact_lines(columns, reconstruction)),
        prediction=whole_event(prediction),
        truth=columns.name_of("flavour"),
    )


def truth_of_cubes(columns: EventColumns) -> list[Colouring]:
    """Give the colourings of hits of the 3DCal by what is known of them."""
    known, found = columns.known, list[Colouring]()
    if columns.has("cal_status"):
        found.append(Colouring(STATUS, CAL_STATUS, known["cal_status"].astype(np.int64), STATUS_COLOURS))
    if not columns.has("cal_link_count"):
        return found
    if columns.has("true_pdg"):
        category = category_of(known["true_pdg"], int(columns.value("tau_decay_mode") or 0))
        found.append(_main_class(columns, CATEGORY, CATEGORIES, category, CATEGORY_COLOURS))
    if columns.has("true_is_primary", "true_is_secondary"):
        hierarchy = hierarchy_of(known["true_is_primary"], known["true_is_secondary"])
        found.append(_main_class(columns, HIERARCHY, HIERARCHIES, hierarchy, HIERARCHY_COLOURS))
    return found


def _main_class(
    columns: EventColumns,
    name: str,
    classes: tuple[str, ...],
    of_true: NDArray[np.int64],
    colours: Mapping[str, str],
) -> Colouring:
    """Colour each hit by the class that most of its true energy is of."""
    empty = np.zeros(0, np.int64)
    count, true, weight = (columns.known.get(column, empty) for column in LINKS)
    share = share_of_classes(count, true, weight, of_true, len(classes))
    codes = np.where(share.any(axis=1), share.argmax(axis=1), len(classes))
    return Colouring(name, (*classes, NONE), codes, colours)


def _predicted(columns: EventColumns, prediction: Mapping[str, Any] | None) -> list[Colouring]:
    """Give the colouring by what a model says of each hit of the 3DCal."""
    if prediction is None or "labels" not in prediction:
        return []
    said, hits = [str(label) for label in prediction["labels"]], len(columns.known["cal_x"])
    if len(said) != hits:
        raise DisplayError(
            f"prediction: expected a label for each of {hits} hits of the 3DCal, got {len(said)}: give what "
            "the model says of this event"
        )
    labels = sorted(set(said))
    codes = np.array([labels.index(label) for label in said], dtype=np.int64)
    colours = STATUS_COLOURS | CATEGORY_COLOURS | HIERARCHY_COLOURS
    return [Colouring(PREDICTION, tuple(labels), codes, colours)]


def _elsewhere_none(of_cubes: Colouring, points: int) -> Colouring:
    """Extend a colouring of the cubes, which are the first points of a scene, to all of them."""
    labels = of_cubes.labels if NONE in of_cubes.labels else (*of_cubes.labels, NONE)
    codes = np.full(points, labels.index(NONE))
    codes[: len(of_cubes.codes)] = of_cubes.codes
    return Colouring(of_cubes.name, labels, codes, of_cubes.colours)


def _vertex(columns: EventColumns) -> list[Mark]:
    if not columns.has("primary_vertex"):
        return []
    return [_mark("vertex", columns.known["primary_vertex"])]


def _mark(kind: str, place_mm: NDArray[np.floating[Any]]) -> Mark:
    return Mark(kind, place_mm.astype(np.float64) / MM_PER_CM, kind)


def _tracks(
    columns: EventColumns, cubes: Positions, energy: NDArray[np.floating[Any]], back: float
) -> list[Trail]:
    """Give the directions of the muon tracks, whose places nobody wrote down, to the back of the detector.

    They begin at the vertex; where that is not known, in the middle of the energy in the 3DCal.
    """
    if marks := _vertex(columns):
        start = marks[0].position
    elif energy.sum() > 0:
        start = np.average(cubes, axis=0, weights=energy)
    else:
        start = np.mean(columns.parts.corners, axis=0)
    momenta = columns.stacked("muon_p").astype(np.float64)
    forward = momenta[momenta[:, 2] > 0]
    ends = start + (back - start[2]) * forward / forward[:, 2:]
    return [Trail("direction of a muon track", np.stack([start, end])) for end in ends]
