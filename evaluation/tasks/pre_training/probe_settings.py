"""The events that a linear probe is fitted and measured on."""

from dataclasses import dataclass
from typing import Annotated

from datasets import Dataset

Count = Annotated[int, "a whole number of 1 or more", lambda value: value >= 1]


@dataclass(frozen=True)
class EventProbe:
    """A linear probe of events.

    Attributes:
        target: Column with the class of each event.
        train_events: Events that it is fitted on, at most; of fewer than there are for both, half.
        test_events: Other events that it is measured on, at most.
    """

    target: str = "flavour"
    train_events: Count = 500
    test_events: Count = 500

    def split(self, rows: Dataset) -> tuple[Dataset, Dataset]:
        """Take the events to fit on, and others to measure on."""
        fitted = min(self.train_events, len(rows) // 2)
        last = min(fitted + self.test_events, len(rows))
        return rows.select(range(fitted)), rows.select(range(fitted, last))


@dataclass(frozen=True)
class ProbeSettings(EventProbe):
    """A linear probe of hits.

    Attributes:
        target: Column with a class for each hit.
        train_events: See `EventProbe`.
        test_events: See `EventProbe`.
        points: Of each event that it is fitted on, at most so many points, evenly among them.
    """

    target: str = "motif"
    train_events: Count = 250
    test_events: Count = 250
    points: Count = 1000
