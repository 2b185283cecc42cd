"""Ranges of the events of large HDF5 files, which workers share out and read for themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.cloud_reading import CloudReading, checked_cloud, cloud_schema
from nuzoo.datasets_scripts.readers.pilarnet_m import POINT, PILArNetFile
from nuzoo.datasets_scripts.readers.reading import common_root
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    NotThisFormatError,
    SourceFileError,
    WrongEventError,
    naming_errors,
)
from nuzoo.files.events.event_errors import EventError
from nuzoo.simulation.detectors import LARTPC_CUBE

EVENTS_IN_RANGE = 500


@dataclass(frozen=True)
class EventRange:
    """Events of one file that follow each other.

    Attributes:
        name: Of the file.
        first: Number of the first.
        end: Number after that of the last.
        events: How many the file is said to have.
    """

    name: str
    first: int
    end: int
    events: int


def ranges_of(name: str, counts: Path | None, local: Callable[[str], Path]) -> Iterator[EventRange]:
    """Yield the ranges of a file.

    Args:
        name: Of the file.
        counts: The file that counts the points of its events; the file itself is opened without.
        local: Finds the file by its name.
    """
    import h5py

    if counts is not None:
        with naming_errors(counts, "whole numbers, the points of each event"):
            events = len(np.load(counts, mmap_mode="r", allow_pickle=False))
    else:
        file = local(name)
        with naming_errors(file, "an HDF5 file of PILArNet-M"), h5py.File(file, "r") as content:
            if POINT not in content:
                got = ", ".join(content) or "nothing"
                raise NotThisFormatError(file, f"a dataset {POINT!r}", got, "leave the file out")
            events = len(content[POINT])
    for first in range(0, events, EVENTS_IN_RANGE):
        yield EventRange(name, first, min(first + EVENTS_IN_RANGE, events), events)


def read_range(file: Path, events: EventRange, options: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the rows of a range, those that are not passed over; the file is open as long as that takes.

    Args:
        file: The file, on this machine.
        events: Which of its events.
        options: Of the reading, see `CloudReading`.

    Raises:
        SourceFileError: The first event that is broken.
    """
    import h5py

    schema = cloud_schema(LARTPC_CUBE)
    reading = CloudReading(root=common_root([file]), **options)
    with naming_errors(file, "an HDF5 file of PILArNet-M"), h5py.File(file, "r") as content:
        opened = PILArNetFile(file, content, reading)
        if opened.events != events.events:
            remedy = "make the file of its counts again, or remove it"
            raise ArraySizeError(file, f"{events.events} events, as are counted", f"{opened.events}", remedy)
        results = opened.rows(range(events.first, events.end))
        for index, result in enumerate(results, events.first):
            if not isinstance(result, SourceFileError):
                try:
                    yield checked_cloud(result, schema)
                except EventError as error:
                    raise WrongEventError(f"{file}#{index}", str(error.column), error.problem) from error
            elif not result.passed_over:
                raise result
