"""HDF5 files with a dataset `images` and, where labels are known, `pids`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nuzoo.datasets_scripts.readers.dense_maps import (
    Row,
    dense_rows,
    energy_scale,
    events_at_once,
    matching_detector,
    views_first,
)
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    MissingViewError,
    NotThisFormatError,
    SourceFileError,
    TooLargeError,
    TruncatedFileError,
)
from nuzoo.simulation.detectors import Detector

_LARGEST_CHUNK = 1 << 30
_LABEL_NAMES = ("pids", "labels", "label")


def read_hdf5(
    file: Path, detector: Detector | None, mev_per_count: float | None
) -> Iterator[Row | SourceFileError]:
    """The events of one HDF5 file, read in slices.

    `images` is (events, views, rows, columns) or (events, rows, columns, views), floating-point in MeV or
    integers in counts. `pids` (or `labels`) is (events,), names of classes or 0, 1, 2. `event_id` is
    optional.

    Args:
        file: The file.
        detector: Whose events they are; None takes the known one of the same shape.
        mev_per_count: MeV of one count.

    Yields:
        A row for each event, or the error of an event that is broken.

    Raises:
        SourceFileError: The file is broken as a whole.
    """
    import h5py

    with h5py.File(file, "r") as content:
        images = _dataset(file, content, ("images",))
        if images is None:
            got = f"{', '.join(sorted(content)[:8]) or 'nothing'}"
            raise MissingViewError(file, "a dataset 'images'", got, "name the dataset of the maps 'images'")
        if images.ndim != 4:
            remedy = "save the maps as (events, views, rows, columns)"
            raise ArraySizeError(file, "'images' with 4 axes", f"shape {images.shape}", remedy)
        energy_scale(file, images.dtype, mev_per_count)
        shape = (
            images.shape[1:] if images.shape[1] <= images.shape[3] else (images.shape[3], *images.shape[1:3])
        )
        detector = matching_detector(file, shape, detector)
        _check_written(file, images)
        labels = _column(file, content, _LABEL_NAMES, len(images))
        event_ids = _column(file, content, ("event_id",), len(images))
        step = events_at_once(shape, images.dtype)
        for first in range(0, len(images), step):
            part = slice(first, first + step)
            yield from dense_rows(
                file,
                first,
                views_first(images[part]),
                detector,
                mev_per_count,
                None if labels is None else labels[part],
                None if event_ids is None else event_ids[part],
            )


def _dataset(file: Path, content: Any, names: tuple[str, ...]) -> Any:
    import h5py

    name = next((name for name in names if name in content), None)
    if name is None:
        return None
    found = content[name]
    if not isinstance(content.get(name, getlink=True), h5py.HardLink) or not isinstance(found, h5py.Dataset):
        raise NotThisFormatError(file, f"a dataset {name!r}", "a link or a group", "store the data itself")
    if found.external or found.is_virtual:
        raise NotThisFormatError(
            file, f"{name!r} in the file itself", "data in other files", "repack the file"
        )
    return found


def _column(file: Path, content: Any, names: tuple[str, ...], events: int) -> Any:
    column = _dataset(file, content, names)
    if column is not None and column.shape != (events,):
        remedy = "save one value for each event"
        raise ArraySizeError(file, f"{names[0]!r} of shape ({events},)", f"{column.shape}", remedy)
    return column


def _check_written(file: Path, images: Any) -> None:
    """Refuses a dataset that was announced and not written: HDF5 would read it as empty events."""
    if images.chunks is None:
        whole = images.id.get_storage_size() >= images.size * images.dtype.itemsize
    else:
        if math.prod(images.chunks) * images.dtype.itemsize > _LARGEST_CHUNK:
            got = f"chunks of shape {images.chunks}"
            raise TooLargeError(file, "chunks below 1 GiB", got, "repack the file with one event a chunk")
        chunks = math.prod(math.ceil(n / k) for n, k in zip(images.shape, images.chunks, strict=True))
        whole = images.id.get_num_chunks() >= chunks
    if not whole:
        got = "a file that was not written to its end"
        raise TruncatedFileError(
            file, f"'images' of shape {images.shape}", got, "copy or make the file again"
        )
