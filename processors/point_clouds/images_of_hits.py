"""Which hits make an image: those of an event, or of each of its particles."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nuzoo.files.events.event_schema import EventSchema
from nuzoo.files.events.point_cloud_events import NOWHERE
from nuzoo.processors.event_tables import read_hits
from nuzoo.processors.input_errors import ProcessorSettingError


@dataclass(frozen=True)
class HitImages:
    """Hits grouped into images.

    Attributes:
        rows: (n,) hits that are in an image, image after image.
        image: (n,) the image of each, ascending.
        per_event: (events,) images of each event.
        event: (images,) event of each image.
        particle: (images,) row of its particle in the event, `NOWHERE` where an image is of an event.
    """

    rows: NDArray[np.int64]
    image: NDArray[np.int64]
    per_event: NDArray[np.int64]
    event: NDArray[np.int64]
    particle: NDArray[np.int64]


def image_of_each_event(event: NDArray[np.int64], events: int) -> HitImages:
    """Make an image of each event, also of one without hits."""
    ones = np.ones(events, dtype=np.int64)
    return HitImages(np.arange(len(event)), event, ones, np.arange(events), NOWHERE * ones)


def image_of_each_particle(
    event: NDArray[np.int64], particle: NDArray[np.int64], events: int, least: int
) -> HitImages:
    """Make an image of each particle that has hits enough.

    Args:
        event: (hits,) number of the event of each.
        particle: (hits,) row of the particle of each in its event, `NOWHERE` of a hit that belongs to none.
        events: how many there are.
        least: hits of a particle that is not left out.
    """
    known = np.flatnonzero(particle > NOWHERE)
    particles = int(particle.max(initial=0)) + 1
    pair = event[known] * particles + particle[known]
    order = np.argsort(pair, kind="stable")
    found, counts = np.unique(pair, return_counts=True)
    enough = counts >= least
    stays = np.repeat(enough, counts)
    image = np.repeat(np.arange(enough.sum()), counts[enough])
    of_event, of_particle = np.divmod(found[enough], particles)
    per_event = np.bincount(of_event, minlength=events)
    return HitImages(known[order[stays]], image, per_event, of_event, of_particle)


def labels_of_particles(
    rows: Any, schema: EventSchema, targets: Sequence[str], images: HitImages
) -> dict[str, torch.Tensor]:
    """Read the truth of the particle of each image.

    Args:
        rows: see `nuzoo.processors.event_tables.read_hits`.
        schema: of the events.
        targets: a column with a whole number for each particle, or none.
        images: of particles.

    Returns:
        `labels`, int64 (images,), or nothing where nothing is asked for.

    Raises:
        ProcessorSettingError: it is no such column.
        EventError: an event has no truth, or not such as the schema says.
    """
    if not targets:
        return {}
    known = [one.name for one in schema.columns if one.per == "particle" and one.is_integer]
    if isinstance(targets, str) or len(targets) > 1 or targets[0] not in known:
        raise ProcessorSettingError(
            f"expected one of the columns {', '.join(known)} in a list as targets, got {targets!r}: name it"
        )
    column = replace(schema[targets[0]], required=True)
    truth = replace(schema, columns=(schema["energy"], schema["particle"], column))
    read = read_hits(rows, truth)
    truth.check(read)
    first = np.cumsum(read[column.name].counts) - read[column.name].counts
    values = read[column.name].values[first[images.event] + images.particle]
    return {"labels": torch.from_numpy(values.astype(np.int64))}
