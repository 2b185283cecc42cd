"""Point clouds as scenes: hits in cm with all that is known and predicted of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.errors import DisplayError
from nuzoo.evaluation.core.provenance import sample_tag
from nuzoo.evaluation.core.style import PALETTE
from nuzoo.evaluation.display.point_clouds.event_columns import EventColumns, event_columns
from nuzoo.evaluation.display.point_clouds.event_facts import event_class, fact_lines, interaction_names
from nuzoo.evaluation.display.point_clouds.particle_names import class_of_hits, particle_name
from nuzoo.evaluation.display.scenes.matched_colours import coloured_alike
from nuzoo.evaluation.display.scenes.scene import NEUTRAL, NONE, Colouring, Mark, Scene
from nuzoo.files.events.point_cloud_events import MOTIFS, PARTICLE_TYPES, ROLES

BLUE, VERMILION, GREEN, PINK, ORANGE, SKY = PALETTE
MOTIF_NAMES, TYPE_NAMES, ROLE_NAMES = (
    tuple(map(class_of_hits, names)) for names in (MOTIFS, PARTICLE_TYPES, ROLES)
)
MOTIF_COLOURS = dict(zip(MOTIF_NAMES, (SKY, VERMILION, GREEN, PINK, NEUTRAL), strict=True))
TYPE_COLOURS = dict(zip(TYPE_NAMES, (SKY, BLUE, VERMILION, ORANGE, GREEN, NEUTRAL), strict=True))
ROLE_COLOURS = dict(zip(ROLE_NAMES, (VERMILION, GREEN, PINK, SKY), strict=True))
CLASS_COLOURS = TYPE_COLOURS | ROLE_COLOURS | MOTIF_COLOURS


def event_scene(row: Mapping[str, Any], prediction: Mapping[str, Any] | None, sample: str | None) -> Scene:
    """Turn an event into a scene.

    Args:
        row: Point-cloud row.
        prediction: {"labels"}, and perhaps {"scores"}, with one for each hit, and of instances also
            {"instances", "segments"}; or {"label", "scores"} of the whole event.
        sample: What the events are; needed unless the event is our simulation.

    Raises:
        UnknownDetectorError: There is no such detector.
        EventError: A column is missing or wrong.
        EvaluationError: An event of another origin without `sample`, or not one label for each hit.
    """
    columns = event_columns(row)
    has_instances = prediction is not None and "instances" in prediction
    energy = columns.known.get("energy", np.empty(0)).astype(np.float64)
    truth = _truth(columns, has_instances)
    return Scene(
        name=str(row.get("event_id", "")),
        detector=columns.detector.name,
        tag=sample_tag([str(row.get("source", ""))], sample),
        position=columns.hit_places(),
        energy=energy,
        low=columns.origin,
        high=columns.origin + np.array(columns.layout.shape) * columns.pitch,
        pitch=columns.pitch,
        colourings=(*truth, *_predicted(columns, prediction, truth, energy)),
        marks=(*_vertices(columns, prediction), *_keypoints(columns, prediction)),
        facts=tuple(fact_lines(row, columns)),
        prediction=prediction if prediction and "label" in prediction else None,
        truth=event_class(row, columns.layout.classes),
    )


def _truth(columns: EventColumns, with_instances: bool) -> list[Colouring]:
    """Give the colourings by what is known of the hits; in print that of particles beside found instances."""
    known, found = columns.known, list[Colouring]()
    if "motif" in known:
        found.append(
            Colouring(
                "motif",
                MOTIF_NAMES,
                known["motif"].astype(np.int64),
                MOTIF_COLOURS,
                in_figure=not with_instances,
            )
        )
    if "pid" in known:
        found.append(Colouring("particle type", TYPE_NAMES, known["pid"].astype(np.int64), TYPE_COLOURS))
    if "role" in known:
        found.append(Colouring("role", ROLE_NAMES, known["role"].astype(np.int64), ROLE_COLOURS))
    if "particle" in known:
        names = [particle_name(int(pdg)) for pdg in known.get("particle_pdg", ())]
        found.append(_by_row("particle", known["particle"], names, in_figure=with_instances))
    if "interaction" in known:
        found.append(_by_row("interaction", known["interaction"], interaction_names(columns)))
    return found


def _by_row(
    name: str, rows: NDArray[np.integer[Any]], names: Sequence[str], *, in_figure: bool = False
) -> Colouring:
    """Colour by rows of a table; where that is not known rows have no names."""
    numbers = np.union1d(np.arange(len(names)), rows[rows >= 0]).astype(np.int64)
    words = [*names, *[""] * (len(numbers) - len(names))]
    labels = (NONE, *(f"{row} {word}".strip() for row, word in zip(numbers, words, strict=True)))
    codes = np.where(rows < 0, 0, np.searchsorted(numbers, rows) + 1)
    return Colouring(name, labels, codes, in_figure=in_figure)


def _predicted(
    columns: EventColumns,
    prediction: Mapping[str, Any] | None,
    truth: Sequence[Colouring],
    energy: NDArray[np.float64],
) -> list[Colouring]:
    """Give the colourings by what a model says of each hit."""
    if prediction is None or "labels" not in prediction:
        return []
    for answers in (prediction[name] for name in ("labels", "instances") if name in prediction):
        if len(answers) != columns.hits:
            raise DisplayError(
                f"prediction: expected a label for each of {columns.hits} hits, got {len(answers)}: give "
                "what the model says of this event"
            )
    said = [class_of_hits(str(label)) for label in prediction["labels"]]
    order = {label: number for number, label in enumerate((*MOTIF_NAMES, *TYPE_NAMES, *ROLE_NAMES))}
    labels = sorted(set(said), key=lambda label: (order.get(label, len(order)), label))
    number = {label: code for code, label in enumerate(labels)}
    codes = np.array([number[label] for label in said], dtype=np.int64)
    by_class = Colouring("prediction", tuple(labels), codes, CLASS_COLOURS, in_figure=True)
    return [*_found(prediction, truth, energy), by_class]


def _found(
    prediction: Mapping[str, Any], truth: Sequence[Colouring], energy: NDArray[np.float64]
) -> list[Colouring]:
    """Give the colouring by the instances that a model found, numbered from 1, -1 for none."""
    if "instances" not in prediction:
        return []
    rows = np.asarray(prediction["instances"], dtype=np.int64)
    names = ["", *(f"{one['label']} {one['score']:.2f}" for one in prediction["segments"])]
    found = _by_row("found instance", rows, names, in_figure=True)
    particles = next((one for one in truth if one.name == "particle"), None)
    return [found if particles is None else coloured_alike(particles, found, energy)]


def _keypoints(columns: EventColumns, prediction: Mapping[str, Any] | None) -> list[Mark]:
    """Mark the ends of tracks, and the points of interest that a model found, where it looked for them."""
    if prediction is None or "keypoints" not in prediction:
        return []
    ends = [Mark("track end", place, "track end") for place in columns.track_ends()]
    for one in prediction["keypoints"]:
        kind = f"found {one['label'].replace('_', ' ')}"
        (place,) = columns.placed(np.array([one["position"]], dtype=np.float64))
        ends.append(Mark(f"{kind} {one['score']:.2f}", place, kind))
    return ends


def _vertices(columns: EventColumns, prediction: Mapping[str, Any] | None) -> list[Mark]:
    """Mark the true vertices, which are called so beside what a model says."""
    places = columns.vertices()
    if places is None:
        return []
    kind = "vertex" if prediction is None else "true vertex"
    return [
        Mark(f"{kind} of {number} {name}".strip(), place, kind)
        for number, (name, place) in enumerate(zip(interaction_names(columns), places, strict=True))
    ]
