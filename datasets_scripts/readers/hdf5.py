"""HDF5 files with a dataset `images` and, where labels are known, `pids`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.dense_maps import (
    LABEL_NAMES,
    MapDetector,
    check_per_event,
    dense_rows,
    energy_scale,
    matching_detector,
)
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    MissingViewError,
    NotThisFormatError,
    SourceFileError,
    TooLargeError,
    TruncatedFileError,
)

_LARGEST_CHUNK = 1 << 30
_AT_ONCE = 32 << 20
"""Bytes of the slices that are read."""


def read_hdf5(
    file: Path, detector: MapDetector | None, mev_per_count: float | None
) -> Iterator[Row | SourceFileError]:
    """Read the events of one HDF5 file, in slices.

    `images` is (events, views, rows, columns) or (events, rows, columns, views), floating-point in MeV or
    integers in counts. `pids` (or `labels`) is (events,), names of classes or 0, 1, 2. `event_id` is
    optional.
    """
    import h5py

    with h5py.File(file, "r") as content:
        images = _dataset(file, content, ("images",))
        if images is None:
            got = ", ".join(sorted(content)[:8]) or "nothing"
            raise MissingViewError(file, "a dataset 'images'", got, "name the dataset of the maps 'images'")
        if images.ndim != 4:
            remedy = "save the maps as (events, views, rows, columns)"
            raise ArraySizeError(file, "'images' with 4 axes", f"shape {images.shape}", remedy)
        energy_scale(file, images.dtype, mev_per_count)
        detector = matching_detector(file, images.shape[1:], detector)
        _check_written(file, images)
        columns = [_dataset(file, content, names) for names in (LABEL_NAMES, ("event_id",))]
        for column in columns:
            check_per_event(file, column, len(images))
        step = max(1, _AT_ONCE // max(1, math.prod(images.shape[1:]) * images.dtype.itemsize))
        for first in range(0, len(images), step):
            maps = images[first : first + step]
            yield from dense_rows(file, first, maps, detector, mev_per_count, *columns)


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


def _check_written(file: Path, images: Any) -> None:
    """Refuse a dataset that was announced and not written: HDF5 would read it as empty events."""
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
