"""Every form in which people hold pixel maps, read into one: sparse columns, view by view."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.processors.input_errors import InputFormError, ShapeError, UnitError, ViewError
from nuzoo.processors.pixel_maps.sparse_pixel_maps import SparseViews, joined_views, sparse_views

FORMS = (
    "expected a dataset row or a list of them, a batch or Arrow table of rows, an array "
    "(views, rows, columns) or (events, views, rows, columns), or per event one map for each view: "
    "a PIL image, a 2-D array, a SciPy sparse array or an (index, energy) pair"
)


@dataclass(frozen=True)
class MapLayout:
    """What a raw map must look like.

    Attributes:
        views: names of the views, in the order of the channels.
        height: rows of a map.
        width: columns of a map.
        mev_per_count: energy in MeV of one count, for images and integer arrays.
    """

    views: tuple[str, ...]
    height: int
    width: int
    mev_per_count: float | None = None

    @property
    def num_pixels(self) -> int:
        """Pixels of one map."""
        return self.height * self.width


def read_pixel_maps(inputs: Any, layout: MapLayout) -> list[SparseViews]:
    """Read any accepted form of one event or of several.

    Args:
        inputs: see `FORMS`; a single event is a batch of one.
        layout: what the maps must look like.

    Returns:
        One `SparseViews` for each view of the layout.

    Raises:
        PixelMapError: the maps are not of an accepted form, or do not fit the layout.
    """
    inputs = as_table(inputs)
    if _is_table(inputs):
        return [_read_arrow_view(inputs, view, layout) for view in layout.views]
    if isinstance(inputs, Mapping) and _is_csr(inputs, layout):
        return [_read_csr_view(inputs, view, layout) for view in layout.views]
    events = split_events(inputs)
    maps = [_event_maps(event, layout) for event in events]
    return [
        sparse_views(
            view,
            [event[position][0] for event in maps],
            [event[position][1] for event in maps],
            layout.num_pixels,
        )
        for position, view in enumerate(layout.views)
    ]


def as_table(inputs: Any) -> Any:
    """A `datasets.Dataset` as the Arrow table that it is; anything else as it came."""
    if hasattr(inputs, "with_format") and hasattr(inputs, "__len__"):
        return inputs.with_format("arrow")[:]
    return inputs


def stated_detectors(inputs: Any) -> set[str]:
    """Detectors that the events say they were seen by.

    Args:
        inputs: see `FORMS`.

    Returns:
        The values of the `detector` column; empty for arrays and images, which have none.
    """
    inputs = as_table(inputs)
    if _is_table(inputs):
        named = inputs.column("detector").to_pylist() if "detector" in inputs.column_names else []
    elif isinstance(inputs, Mapping):
        detector = inputs.get("detector")
        named = [detector] if detector is None or isinstance(detector, str) else list(detector)
    elif isinstance(inputs, Sequence):
        named = [event.get("detector") for event in inputs if isinstance(event, Mapping)]
    else:
        named = []
    return {detector for detector in named if detector is not None}


def split_events(inputs: Any) -> list[Any]:
    """Take a batch apart; a single event is a list of one.

    Args:
        inputs: see `FORMS`.

    Returns:
        The events, each a mapping, an array (views, rows, columns) or a sequence of maps.

    Raises:
        InputFormError: the input is of no accepted form.
    """
    if is_single_event(inputs):
        return [inputs]
    if _is_table(inputs):
        return list(inputs.to_pylist())
    if isinstance(inputs, Mapping):
        return _rows_of_batch(inputs)
    if _is_array(inputs) and np.ndim(inputs) == 4:
        return list(np.asarray(inputs))
    if isinstance(inputs, Iterable) and not isinstance(inputs, str | bytes) and not _is_array(inputs):
        return list(inputs)
    raise InputFormError(f"{FORMS}; got {_describe(inputs)}")


def is_single_event(inputs: Any) -> bool:
    """Whether `inputs` is one event rather than a batch of them."""
    if isinstance(inputs, Mapping):
        return not _is_batch(inputs)
    if _is_array(inputs):
        return np.ndim(inputs) in (2, 3)
    if _is_map(inputs):
        return True
    return isinstance(inputs, Sequence) and len(inputs) > 0 and _is_map(inputs[0])


def _event_maps(event: Any, layout: MapLayout) -> list[tuple[Any, Any]]:
    """(index, energy) of each view of one event."""
    if isinstance(event, Mapping):
        return [_map_of_row(event, view, layout) for view in layout.views]
    maps = [event] if _is_map(event) else event
    if not hasattr(maps, "__len__"):
        raise InputFormError(f"{FORMS}; got {_describe(event)}")
    if len(maps) != len(layout.views):
        raise ViewError(
            f"expected {len(layout.views)} views ({', '.join(layout.views)}) in each event, got "
            f"{len(maps)}: give one map for each view in this order, or use the processor of your "
            "detector"
        )
    return [_read_map(one, view, layout) for one, view in zip(maps, layout.views, strict=True)]


def _map_of_row(row: Mapping[str, Any], view: str, layout: MapLayout) -> tuple[Any, Any]:
    if view in row:
        return _read_map(row[view], view, layout)
    index, energy = f"{view}_index", f"{view}_energy"
    if index not in row or energy not in row:
        raise _missing_view(row, view)
    return row[index], row[energy]


def _missing_view(columns: Iterable[str], view: str) -> ViewError:
    return ViewError(
        f"expected the columns '{view}_index' and '{view}_energy', got {sorted(columns)}: use the "
        "processor of the detector that recorded the event, or rename the columns"
    )


def _read_map(one: Any, view: str, layout: MapLayout) -> tuple[Any, Any]:
    """(index, energy) of one view in whatever form it comes."""
    if hasattr(one, "getbands"):
        return _read_dense(_grey_image(one, view), view, layout)
    if hasattr(one, "tocoo"):
        return _read_coordinates(one.tocoo(), view, layout)
    if hasattr(one, "index") and hasattr(one, "energy"):
        return one.index, one.energy
    if _is_pair(one):
        return one
    return _read_dense(_as_numpy(one), view, layout)


def _grey_image(image: Any, view: str) -> NDArray[Any]:
    if image.getbands() != ("L",):
        raise ShapeError(
            f"view {view!r}: expected an 8-bit grey image (mode 'L'), got mode {image.mode!r}: "
            "one image for each view; convert('L') if the colours mean nothing"
        )
    return np.asarray(image)


def _read_dense(dense: NDArray[Any], view: str, layout: MapLayout) -> tuple[Any, Any]:
    _check_shape(dense.shape, view, layout)
    energy = _in_mev(dense.ravel(), view, layout)
    index = np.flatnonzero(energy)
    return index, energy[index]


def _read_coordinates(coo: Any, view: str, layout: MapLayout) -> tuple[Any, Any]:
    _check_shape(coo.shape, view, layout)
    row, column = coo.coords if hasattr(coo, "coords") else (coo.row, coo.col)
    return row.astype(np.int64) * layout.width + column, _in_mev(coo.data, view, layout)


def _check_shape(shape: tuple[int, ...], view: str, layout: MapLayout) -> None:
    if tuple(shape) != (layout.height, layout.width):
        raise ShapeError(
            f"view {view!r}: expected a map of {layout.height} rows and {layout.width} columns, got "
            f"shape {tuple(shape)}: cut or pad the map around the vertex, or use the processor of "
            "that detector"
        )


def _in_mev(values: NDArray[Any], view: str, layout: MapLayout) -> NDArray[Any]:
    if not np.issubdtype(values.dtype, np.integer):
        return values
    if layout.mev_per_count is None:
        raise UnitError(
            f"view {view!r}: expected energies in MeV, got {values.dtype} counts: pass "
            "mev_per_count=..., the energy of one count, or convert to float MeV"
        )
    return values.astype(np.float32) * np.float32(layout.mev_per_count)


def _is_batch(columns: Mapping[str, Any]) -> bool:
    """Whether a mapping holds a list of events in each column rather than one event."""
    pixels = [
        value
        for name, value in columns.items()
        if name.endswith(("_index", "_energy")) and hasattr(value, "__len__") and len(value)
    ]
    if pixels:
        return any(np.ndim(value[0]) > 0 or value[0] is None for value in pixels)
    return isinstance(columns.get("event_id"), list)


def _rows_of_batch(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    lengths = {name: len(column) for name, column in columns.items() if hasattr(column, "__len__")}
    if len(set(lengths.values())) > 1:
        raise ShapeError(
            f"expected columns of equal length in a batch, got {lengths}: pass one row, or a batch "
            "as a datasets library slice gives it"
        )
    names = list(lengths)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _is_csr(columns: Mapping[str, Any], layout: MapLayout) -> bool:
    return all(f"{view}_offsets" in columns for view in layout.views)


def _read_csr_view(columns: Mapping[str, Any], view: str, layout: MapLayout) -> SparseViews:
    index, energy = f"{view}_index", f"{view}_energy"
    if index not in columns or energy not in columns:
        raise _missing_view(columns, view)
    offsets = _as_numpy(columns[f"{view}_offsets"]).astype(np.int64)
    counts = offsets[1:] - offsets[:-1]
    return joined_views(
        view, _as_numpy(columns[index]), _as_numpy(columns[energy]), counts, layout.num_pixels
    )


def _is_table(inputs: Any) -> bool:
    return hasattr(inputs, "column_names") and hasattr(inputs, "to_pylist")


def _read_arrow_view(table: Any, view: str, layout: MapLayout) -> SparseViews:
    """Read a list column of a `pyarrow.Table` without making Python objects."""
    index, energy = f"{view}_index", f"{view}_energy"
    if index not in table.column_names or energy not in table.column_names:
        raise _missing_view(table.column_names, view)
    index_values, index_counts = _flat_column(table.column(index), index)
    energy_values, energy_counts = _flat_column(table.column(energy), energy)
    if not np.array_equal(index_counts, energy_counts):
        raise ShapeError(
            f"view {view!r}: expected as many indices as energies in each row, got other lengths in "
            f"{int((index_counts != energy_counts).sum())} rows: write both columns together"
        )
    return joined_views(view, index_values, energy_values, index_counts, layout.num_pixels)


def _flat_column(column: Any, name: str) -> tuple[NDArray[Any], NDArray[np.int64]]:
    if column.null_count:
        raise ShapeError(
            f"column {name!r}: expected a list in each row, got {column.null_count} nulls: an event "
            "without energy has an empty list"
        )
    chunks = getattr(column, "chunks", [column])
    if not chunks:
        return np.empty(0), np.empty(0, dtype=np.int64)
    values = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in chunks]
    counts = [chunk.value_lengths().to_numpy(zero_copy_only=False) for chunk in chunks]
    return np.concatenate(values), np.concatenate(counts).astype(np.int64)


def _is_map(one: Any) -> bool:
    """Whether `one` is a single view of a single event."""
    return (
        hasattr(one, "getbands")
        or hasattr(one, "tocoo")
        or (hasattr(one, "index") and hasattr(one, "energy"))
        or (_is_array(one) and np.ndim(one) == 2)
        or _is_pair(one)
    )


def _is_pair(one: Any) -> bool:
    return isinstance(one, tuple) and len(one) == 2 and all(_is_flat(part) for part in one)


def _is_flat(part: Any) -> bool:
    return (_is_array(part) and np.ndim(part) == 1) or (
        isinstance(part, list) and all(isinstance(value, int | float) for value in part[:1])
    )


def _is_array(one: Any) -> bool:
    return hasattr(one, "__array__") and hasattr(one, "ndim") and not hasattr(one, "getbands")


def _as_numpy(values: Any) -> NDArray[Any]:
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)


def _describe(inputs: Any) -> str:
    shape = f" of shape {tuple(inputs.shape)}" if hasattr(inputs, "shape") else ""
    return f"{type(inputs).__name__}{shape}"
