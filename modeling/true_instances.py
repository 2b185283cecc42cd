"""The true instances of a batch of events: which points each has, and of what class it is."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from nuzoo.modeling.sparse.ragged import counts_of, events_of

UNKNOWN_CLASS = -100
"""Of an instance none of whose points has a class; no loss heeds it."""


@dataclass(frozen=True)
class EventInstances:
    """The instances of an event.

    Attributes:
        rows: (members,) points of the event that belong to an instance.
        instance: (members,) the instance of each, from 0.
        labels: (instances,) their classes, `UNKNOWN_CLASS` where that is not known.
        regressed: what else is known of each, (instances, …) by name; NaN where it is not.
    """

    rows: Tensor
    instance: Tensor
    labels: Tensor
    regressed: dict[str, Tensor] = field(default_factory=dict)

    def masks(self, dtype: torch.dtype) -> Tensor:
        """Give the membership (members, instances), 0 or 1."""
        members = torch.arange(len(self.labels), device=self.instance.device)
        return (self.instance[:, None] == members).to(dtype)


@dataclass(frozen=True)
class Truth:
    """What is known of the points of a batch.

    Attributes:
        ids: int64 (points,) the instance of each, a row of a table of its event, negative for none.
        classes: int64 (points,) its class, negative where that is not known; None where instances have one
            class, 1.
        offset: int64 (events,) where the points of each event end.
        tables: what the tables know, (rows of all events, …) by name.
        table_offset: int64 (events,) where the rows of each event's table end; None without tables.
    """

    ids: Tensor
    classes: Tensor | None
    offset: Tensor
    tables: dict[str, Tensor] = field(default_factory=dict)
    table_offset: Tensor | None = None


def instances_of(truth: Truth, num_classes: int) -> list[EventInstances]:
    """Find the instances of each event.

    The class of an instance is that of most of its points, of as many that of the lower number: one particle
    can have points of several classes.

    Args:
        truth: see `Truth`.
        num_classes: how many classes there are.
    """
    event = events_of(truth.offset)
    rows = torch.nonzero(truth.ids >= 0)[:, 0]
    ids, event = truth.ids[rows], event[rows]
    most = int(ids.max()) + 1 if len(ids) else 1
    found, instance = torch.unique(event * most + ids, return_inverse=True)
    of_event = torch.bincount(found // most, minlength=len(truth.offset))
    known = {
        name: values[_first_rows(truth)[found // most] + found % most]
        for name, values in truth.tables.items()
    }
    labels = _majority(truth, rows, instance, len(found), num_classes)
    first = (of_event.cumsum(0) - of_event)[event]
    start = (truth.offset - counts_of(truth.offset))[event]
    members, counts = torch.bincount(event, minlength=len(of_event)).tolist(), of_event.tolist()
    tables = {name: values.split(counts) for name, values in known.items()}
    parts = zip(
        (rows - start).split(members), (instance - first).split(members), labels.split(counts), strict=True
    )
    return [
        EventInstances(*part, {name: values[number] for name, values in tables.items()})
        for number, part in enumerate(parts)
    ]


def _first_rows(truth: Truth) -> Tensor:
    """Give the row of the tables where those of each event begin."""
    if truth.table_offset is None:
        raise ValueError(
            f"{', '.join(truth.tables)}: expected where the rows of each event end as well, got none: give "
            "particle_offset or interaction_offset, as the processor makes them"
        )
    return truth.table_offset - counts_of(truth.table_offset)


def _majority(truth: Truth, rows: Tensor, instance: Tensor, instances: int, classes: int) -> Tensor:
    """Give the class of each of the instances, by the votes of its points."""
    if truth.classes is None:
        return rows.new_ones(instances)
    voted = truth.classes[rows]
    does_vote = voted >= 0
    if does_vote.any() and int(voted.max()) >= classes:
        raise ValueError(
            f"expected classes of points below {classes}, the number that the network has, got "
            f"{int(voted.max())}: use labels of its classes"
        )
    votes = torch.bincount((instance * classes + voted)[does_vote], minlength=instances * classes).view(
        instances, classes
    )
    return torch.where(votes.sum(dim=1) > 0, votes.argmax(dim=1), UNKNOWN_CLASS)
