"""HDF5 files with a dataset `images` and, where labels are known, `pids`."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.dense_maps import dense_file
from nuzoo.datasets_scripts.readers.known_files import Contents, Described, without_images
from nuzoo.datasets_scripts.readers.labels import NAMES_OF_LABELS, label_column, labels_in, texts_of
from nuzoo.datasets_scripts.readers.reading import Reading
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    NotThisFormatError,
    SourceFileError,
    TooLargeError,
    TruncatedFileError,
)

_LISTED = 200
_LARGEST_CHUNK = 1 << 30
_AT_ONCE = 32 << 20
"""Bytes of the slices that are read."""
_REFERENCE = 16
"""Bytes in a file that stand for a list: its length (4, little-endian), and where it is."""


def read_hdf5(file: Path, reading: Reading) -> Iterator[Row | SourceFileError]:
    """Read the events of one HDF5 file, in slices.

    `images` is (events, views, rows, columns) or (events, rows, columns, views), floating-point in MeV or
    integers in counts. `pids` (or `labels`) is (events,), see `nuzoo.datasets_scripts.readers.labels`;
    `label_names` says what its numbers count. `event_id` is optional.
    """
    import h5py

    with h5py.File(file, "r") as content:
        images = dataset_in(file, content, ("images",))
        if images is None:
            raise without_images(file, described(content))
        if images.ndim != 4:
            remedy = "save the maps as (events, views, rows, columns)"
            raise ArraySizeError(file, "'images' with 4 axes", f"shape {images.shape}", remedy)
        check_written(file, images)
        called = labels_in(file, content, reading)
        labels, names, event_ids = (
            dataset_in(file, content, known) for known in ((called,), NAMES_OF_LABELS, ("event_id",))
        )
        column = label_column(called, labels, names) if called else None
        events = dense_file(file, images.shape, images.dtype, reading, labels=column, event_ids=event_ids)
        step = max(1, _AT_ONCE // max(1, math.prod(images.shape[1:]) * images.dtype.itemsize))
        for first in range(0, len(images), step):
            yield from events.rows(first, images[first : first + step])


def names_in_hdf5(file: Path) -> tuple[str, ...]:
    """Return the names of the classes that a file declares, none where it declares none."""
    import h5py

    with h5py.File(file, "r") as content:
        return texts_of(dataset_in(file, content, NAMES_OF_LABELS))


def described(content: Any) -> Contents:
    """Return shape and type of all that a file holds, by its path in it."""
    import h5py

    found: Contents = {}

    def visit(name: str, item: Any) -> bool | None:
        if isinstance(item, h5py.Dataset):
            found[name] = Described(tuple(item.shape or ()), str(item.dtype.names or item.dtype))
        return True if len(found) >= _LISTED else None

    content.visititems(visit)
    return found


def dataset_in(file: Path, content: Any, names: tuple[str, ...]) -> Any:
    """Return the first dataset of some names that a file has, None if it has none.

    Raises:
        NotThisFormatError: It is a link, a group, or lies in other files.
    """
    import h5py

    name = next((name for name in names if name and name in content), None)
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


def check_written(file: Path, images: Any) -> None:
    """Refuse a dataset that was announced and not written: HDF5 would read it as empty events.

    Raises:
        TruncatedFileError: It was not.
        TooLargeError: Its chunks are too large to be read one by one.
    """
    name = images.name.lstrip("/")
    if images.chunks is None:
        whole = images.id.get_storage_size() >= images.size * images.id.get_type().get_size()
    else:
        if math.prod(images.chunks) * images.dtype.itemsize > _LARGEST_CHUNK:
            got = f"chunks of shape {images.chunks}"
            raise TooLargeError(file, "chunks below 1 GiB", got, "repack the file with one event a chunk")
        chunks = math.prod(math.ceil(n / k) for n, k in zip(images.shape, images.chunks, strict=True))
        whole = images.id.get_num_chunks() >= chunks
    if not whole:
        got = "a file that was not written to its end"
        raise TruncatedFileError(
            file, f"{name!r} of shape {images.shape}", got, "copy or make the file again"
        )


def list_length(lists: Any, index: int) -> int | None:
    """Return how long a list is said to be, without reading it: HDF5 would make room for any length.

    Args:
        lists: Dataset of lists of any length.
        index: Number of the list.

    Returns:
        The number of its entries; None where the file does not tell it in the usual place.
    """
    made, layout = lists.file.id.get_create_plist(), lists.id.get_create_plist()
    if made.get_sizes() != (8, 8) or made.get_userblock() or layout.get_nfilters():
        return None
    if lists.chunks is None:
        begin, place = lists.id.get_offset(), index
    else:
        first, place = divmod(index, lists.chunks[0])
        begin = lists.id.get_chunk_info_by_coord((first * lists.chunks[0],)).byte_offset
    if begin is None:
        return None
    said = os.pread(lists.file.id.get_vfd_handle(), 4, begin + place * _REFERENCE)
    return int.from_bytes(said, "little")
