"""Every form in which people hold pixel maps, read into one: view by view the pixels of all events."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.files.events.event_errors import MissingColumnError, ShapeError, UnitError
from nuzoo.files.events.event_schema import EventSchema, Ragged
from nuzoo.files.events.pixel_map_events import PixelMapGeometry, check_plausible
from nuzoo.processors.event_tables import (
    as_dense,
    as_numpy,
    describe,
    is_frame,
    is_single_row,
    is_table,
    read_hits,
    split_rows,
)
from nuzoo.processors.input_errors import InputFormError, ViewError

FORMS = (
    "expected a dataset row or a list of them, a batch or Arrow table of rows, an array "
    "(views, rows, columns) or (events, views, rows, columns), or per event one map for each view: "
    "a PIL image, a 2-D array, a SciPy sparse array or an (index, energy) pair"
)


def read_pixel_maps(
    inputs: Any,
    geometry: PixelMapGeometry,
    schema: EventSchema,
    mev_per_count: float | None = None,
    counts_only: bool = False,
) -> dict[str, Ragged]:
    """Read any accepted form of one event or of several, and check it.

    Args:
        inputs: see `FORMS`; a single event is a batch of one.
        geometry: what the maps must look like.
        schema: of that geometry.
        mev_per_count: energy in MeV of one count, of energies that are whole numbers; others are in MeV.
        counts_only: refuse energies in MeV, for which `mev_per_count` would mean nothing.

    Returns:
        The columns of hits of `schema`, with energies in MeV.

    Raises:
        EventError: the maps are not of an accepted form, not what the schema says, or, of rows and maps that
            are no table of a dataset, such as no event makes.
    """
    is_dataset = True
    if isinstance(inputs, Mapping) and all(f"{view}_offsets" in inputs for view in geometry.views):
        hits = _read_csr(inputs, geometry)
    elif is_table(inputs):
        hits = read_hits(inputs, schema)
    else:
        events = split_events(inputs, schema)
        hits = read_hits([_row_of(event, geometry, mev_per_count) for event in events], schema)
        is_dataset = False
    if mev_per_count is not None:
        for name in [name for name in hits if schema[name].unit]:
            hits[name] = _in_mev(name, hits[name], mev_per_count, counts_only)
    schema.check(hits)
    if not is_dataset:
        _check_plausible(hits, geometry)
    return hits


def _check_plausible(hits: Mapping[str, Ragged], geometry: PixelMapGeometry) -> None:
    for view in geometry.views:
        energy = hits[f"{view}_energy"]
        for one in np.split(energy.values, np.cumsum(energy.counts)[:-1]):
            check_plausible(view, one, geometry.num_pixels)


def split_events(inputs: Any, schema: EventSchema) -> list[Any]:
    """Take a batch apart into mappings, arrays (views, rows, columns) or sequences of maps.

    Raises:
        InputFormError: the input is of no accepted form.
    """
    if is_single_event(inputs, schema):
        return [inputs]
    if _is_array(inputs):
        if np.ndim(inputs) != 4:
            raise InputFormError(f"{FORMS}; got {describe(inputs)}")
        return list(as_dense(inputs))
    try:
        return split_rows(inputs, schema)
    except InputFormError as error:
        raise InputFormError(f"{FORMS}; got {describe(inputs)}") from error


def is_single_event(inputs: Any, schema: EventSchema) -> bool:
    """Whether `inputs`, see `FORMS`, is one event rather than a batch of them."""
    if isinstance(inputs, Mapping):
        return is_single_row(inputs, schema)
    if _is_array(inputs):
        return np.ndim(inputs) in (2, 3)
    return _is_map(inputs) or (isinstance(inputs, Sequence) and len(inputs) > 0 and _is_map(inputs[0]))


def _read_csr(columns: Mapping[str, Any], geometry: PixelMapGeometry) -> dict[str, Ragged]:
    """Read columns in compressed sparse rows, which have a column `<view>_offsets` for each view."""
    hits = {}
    for view in geometry.views:
        offsets = as_numpy(columns[f"{view}_offsets"]).astype(np.int64)
        counts = offsets[1:] - offsets[:-1]
        for name in (f"{view}_index", f"{view}_energy"):
            if name in columns:
                hits[name] = Ragged(as_numpy(columns[name]), counts)
    return hits


def _row_of(event: Any, geometry: PixelMapGeometry, mev_per_count: float | None) -> Mapping[str, Any]:
    """One event as a row with `<view>_index` and `<view>_energy`."""
    if isinstance(event, Mapping):
        if not (maps := {view: event[view] for view in geometry.views if view in event}):
            return event
        row = dict(event)
    else:
        row, maps = {}, dict(zip(geometry.views, _maps_of(event, geometry.views), strict=True))
    for view, one in maps.items():
        row[f"{view}_index"], row[f"{view}_energy"] = _read_map(one, view, geometry, mev_per_count)
    return row


def _maps_of(event: Any, views: Sequence[str]) -> Any:
    maps = [event] if _is_map(event) else event
    if not hasattr(maps, "__len__") or isinstance(maps, str | bytes):
        raise InputFormError(f"{FORMS}; got {describe(event)} in place of an event")
    if not _is_array(maps) and any(_is_array(one) and np.ndim(one) > 2 for one in maps):
        raise InputFormError(
            f"{FORMS}; got {describe(event)} with all views of an event in one place: give events without "
            "their labels"
        )
    if len(maps) != len(views):
        raise ViewError(
            f"expected {len(views)} views ({', '.join(views)}) in each event, got {len(maps)}: give one map "
            "for each view in this order, or use the processor of your detector"
        )
    return maps


def _read_map(
    one: Any, view: str, geometry: PixelMapGeometry, mev_per_count: float | None
) -> tuple[Any, Any]:
    """(index, energy) of one view in whatever form it comes."""
    if one is None:
        raise MissingColumnError(f"view {view!r}: expected a map, got null: give an empty one", column=view)
    if hasattr(one, "index") and hasattr(one, "energy"):
        return one.index, one.energy
    if _is_pair(one):
        return one
    if hasattr(one, "tocoo"):
        coo = one.tocoo()
        _check_map(coo.shape, coo.dtype, view, geometry, mev_per_count)
        row, column = coo.coords if hasattr(coo, "coords") else (coo.row, coo.col)
        return row.astype(np.int64) * geometry.width + column, coo.data
    dense = _grey_image(one, view) if hasattr(one, "getbands") else as_dense(one)
    _check_map(dense.shape, dense.dtype, view, geometry, mev_per_count)
    index = np.flatnonzero(dense)
    return index, dense.ravel()[index]


def _grey_image(image: Any, view: str) -> NDArray[Any]:
    if image.getbands() != ("L",):
        raise ShapeError(
            f"view {view!r}: expected an 8-bit grey image (mode 'L'), got mode {image.mode!r}: "
            "one image for each view; give the numbers of another as an array, numpy.asarray(image), with "
            "mev_per_count=... where they are counts: 8 bits would lose their energies"
        )
    return np.asarray(image)


def _check_map(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    view: str,
    geometry: PixelMapGeometry,
    mev_per_count: float | None,
) -> None:
    if tuple(shape) != (geometry.height, geometry.width):
        raise ShapeError(
            f"view {view!r}: expected a map of {geometry.height} rows and {geometry.width} columns, got "
            f"shape {tuple(shape)}: cut or pad the map around the vertex, or use the processor of that "
            "detector"
        )
    if np.issubdtype(dtype, np.integer) and mev_per_count is None:
        raise UnitError(
            f"view {view!r}: expected energies in MeV, got {dtype} counts: pass "
            "mev_per_count=..., the energy of one count, or convert to float MeV"
        )


def _in_mev(name: str, energy: Ragged, mev_per_count: float, counts_only: bool) -> Ragged:
    if not np.issubdtype(energy.values.dtype, np.integer):
        if counts_only and energy.values.size:
            raise UnitError(
                f"column {name!r}: expected whole counts, as mev_per_count={mev_per_count} was given, "
                f"got {energy.values.dtype}, which is taken for MeV: leave mev_per_count out, or give counts",
                column=name,
            )
        return energy
    return Ragged(energy.values.astype(np.float32) * np.float32(mev_per_count), energy.counts)


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
    return isinstance(one, tuple) and len(one) == 2 and all(map(_is_flat, one))


def _is_flat(part: Any) -> bool:
    if isinstance(part, list):
        return not part or isinstance(part[0], int | float)
    return _is_array(part) and np.ndim(part) == 1


def _is_array(one: Any) -> bool:
    return (
        hasattr(one, "__array__") and hasattr(one, "ndim") and not (hasattr(one, "getbands") or is_frame(one))
    )
