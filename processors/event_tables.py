"""Rows of events as libraries hold them, read into one form: columns with the lists of event after event."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nuzoo.files.events.event_errors import DtypeError, MissingColumnError, ShapeError, UnitError
from nuzoo.files.events.event_schema import Column, EventSchema, Ragged, check_numbers
from nuzoo.processors.input_errors import InputFormError, ProcessorSettingError

EVENTS_PER_FIT_STEP = 256
"""Events that `EventProcessor.fit` reads at once."""

NUMPY_FLOATS = (torch.float16, torch.float32, torch.float64)


def as_table(rows: Any) -> Any:
    """Take a `datasets.Dataset` for its Arrow table, a data frame for its rows; leave anything else."""
    if is_frame(rows):
        return rows.to_dict("records")
    return rows.with_format("arrow")[:] if is_dataset(rows) else rows


def is_dataset(rows: Any) -> bool:
    """Whether `rows` is a `datasets.Dataset`, which is not imported for this."""
    return hasattr(rows, "with_format") and hasattr(rows, "__len__")


def is_frame(rows: Any) -> bool:
    """Whether `rows` is a data frame of pandas, which is not imported for this."""
    return hasattr(rows, "columns") and hasattr(rows, "iterrows")


def is_table(rows: Any) -> bool:
    """Whether `rows` is an Arrow table or record batch, which are not imported for this."""
    return hasattr(rows, "column_names") and hasattr(rows, "to_pylist")


def is_single_row(rows: Any, schema: EventSchema) -> bool:
    """Whether `rows` is a mapping with the columns of one event rather than of several."""
    if not isinstance(rows, Mapping):
        return False
    lists = [rows[column.name] for column in schema.hits if column.name in rows]
    if filled := [values for values in lists if getattr(values, "ndim", 1) and _length(values)]:
        return not any(np.ndim(values[0]) > 0 or values[0] is None for values in filled)
    return not isinstance(rows.get("event_id"), list)


def split_rows(rows: Any, schema: EventSchema) -> list[Any]:
    """Take a row, rows, columns or an Arrow table apart into rows.

    Raises:
        InputFormError: `rows` is none of these.
        ShapeError: columns differ in length.
    """
    if is_single_row(rows, schema):
        return [rows]
    if is_table(rows):
        return list(rows.to_pylist())
    if is_frame(rows):
        return list(as_table(rows))
    if isinstance(rows, Mapping):
        return _rows_of_columns(rows)
    if isinstance(rows, Iterable) and not isinstance(rows, str | bytes) and not hasattr(rows, "__array__"):
        return list(rows)
    raise InputFormError(
        f"expected a dataset row, a list of rows, columns of rows or an Arrow table, got {describe(rows)}"
    )


def in_steps(rows: Any, size: int, split: Any) -> Iterator[Any]:
    """Give the events of any number of rows in steps of bounded memory.

    Args:
        rows: see `EventProcessor.__call__`, or an iterator over events.
        size: events of a step.
        split: takes `rows` apart where they are neither a `datasets.Dataset` nor an iterator.

    Yields:
        Events as a processor takes them.
    """
    if is_dataset(rows):
        for start in range(0, len(rows), size):
            yield rows.with_format("arrow")[start : start + size]
        return
    events = iter(rows if isinstance(rows, Iterator) else split(rows))
    while step := list(islice(events, size)):
        yield step


def read_hits(rows: Any, schema: EventSchema) -> dict[str, Ragged]:
    """Read the columns of lists that every event has, unchecked.

    Args:
        rows: see `split_rows`.
        schema: of the events.

    Returns:
        Those columns of `schema.hits` that are there, by name; `EventSchema.check` names what is missing.

    Raises:
        MissingColumnError: an event has null in place of a list.
        ShapeError: an event has something else than a flat list.
    """
    if is_table(rows):
        found = [column for column in schema.hits if column.name in rows.column_names]
        return {column.name: _lists_of_table(rows.column(column.name), column) for column in found}
    rows = split_rows(rows, schema)
    found = [column for column in schema.hits if all(column.name in row for row in rows)]
    return {column.name: _lists_of_rows([row[column.name] for row in rows], column) for column in found}


def values_of(rows: Any, name: str) -> list[Any]:
    """Read what events state in a column with one value for each event.

    Args:
        rows: see `EventProcessor.__call__`, but no `datasets.Dataset`; events may be no rows.
        name: of the column.

    Returns:
        A value for each event that has such a column.
    """
    if is_table(rows):
        return list(rows.column(name).to_pylist()) if name in rows.column_names else []
    if isinstance(rows, Mapping):
        values = rows.get(name, [])
        is_list = isinstance(values, Sequence) and not isinstance(values, str | bytes)
        return [_plain(value) for value in (values if is_list or np.ndim(values) else [values])]
    if isinstance(rows, Sequence):
        return [_plain(row[name]) for row in rows if isinstance(row, Mapping) and name in row]
    return []


def read_target(rows: Any, targets: Sequence[str], events: int) -> dict[str, torch.Tensor]:
    """Read the truth of events as whole numbers.

    Args:
        rows: see `values_of`.
        targets: name of one column, or none.
        events: how many there are.

    Returns:
        `labels`, int64 (events,), or nothing where nothing is asked for.

    Raises:
        MissingColumnError: an event has no truth.
        DtypeError: the column holds other than whole numbers.
    """
    if not targets:
        return {}
    if isinstance(targets, str) or len(targets) > 1:
        raise ProcessorSettingError(f"expected one column in a list as targets, got {targets!r}: name one")
    values = np.asarray(values_of(rows, targets[0]))
    if len(values) != events or None in values.tolist():
        raise MissingColumnError(
            f"column {targets[0]!r}: expected the class of each of {events} events, got none for some: leave "
            "out events without truth, or ask for no targets",
            column=targets[0],
        )
    if not np.issubdtype(values.dtype, np.integer) and len(values):
        raise DtypeError(
            f"column {targets[0]!r}: expected whole numbers, got {values.dtype}: number the classes",
            column=targets[0],
        )
    return {"labels": torch.from_numpy(values.astype(np.int64))}


def as_numpy(values: Any) -> NDArray[Any]:
    """Take an array of any library, on any device, or a list, for a NumPy array that means the same.

    Raises:
        DtypeError: it is masked, so that what it holds is not all meant, or NumPy cannot read it.
        UnitError: it carries a unit, which a NumPy array would lose.
    """
    array = _as_masked(values)
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        raise DtypeError(
            f"expected a list of which every entry is meant, got {describe(values)} with "
            f"{np.ma.count_masked(array)} masked: leave the masked hits out of every column"
        )
    return np.asarray(array)


def as_dense(values: Any) -> NDArray[Any]:
    """Take a map in any form that `as_numpy` takes for a NumPy array; a masked pixel has no energy.

    Raises:
        DtypeError: NumPy cannot read it.
        UnitError: see `as_numpy`.
    """
    array = _as_masked(values)
    return array.filled(0) if isinstance(array, np.ma.MaskedArray) else np.asarray(array)


def _as_masked(values: Any) -> NDArray[Any]:
    """Give a NumPy array, masked where `values` is or holds rows that are."""
    if (unit := getattr(values, "unit", getattr(values, "units", None))) is not None:
        raise UnitError(
            f"expected plain numbers in the unit of their column, got {describe(values)} in {unit}: convert "
            "it (energies are in MeV), and give its values alone"
        )
    try:
        if hasattr(values, "detach"):
            return np.asarray(_plain_tensor(values.detach()))
        kinds = set(map(type, values)) if isinstance(values, list | tuple) else set()
        holds_masks = any(issubclass(kind, np.ma.MaskedArray) for kind in kinds)
        return np.ma.asarray(values) if holds_masks else np.asanyarray(values)
    except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        raise DtypeError(
            f"expected an array of numbers, got {describe(values)}, which NumPy cannot read ({error}): "
            "convert it to a NumPy array"
        ) from error


def _plain_tensor(tensor: torch.Tensor) -> torch.Tensor:
    """Give a tensor on the CPU, dense, in a number format that NumPy has."""
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_floating_point() and tensor.dtype not in NUMPY_FLOATS:
        tensor = tensor.float()
    return tensor.cpu().resolve_conj().resolve_neg()


def describe(rows: Any) -> str:
    """Say of what type and shape something is, for messages."""
    try:
        return f"{type(rows).__name__} of shape {tuple(rows.shape)}"
    except (AttributeError, TypeError, RuntimeError):  # nested tensors have no shape
        return type(rows).__name__


def _length(values: Any) -> int:
    return len(values) if hasattr(values, "__len__") else 0


def _plain(value: Any) -> Any:
    """Take a number or text out of an array or tensor without dimensions; a masked one is not known."""
    if value is np.ma.masked:
        return None
    return value.item() if hasattr(value, "item") and np.ndim(value) == 0 else value


def _rows_of_columns(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    lengths = {name: len(column) for name, column in columns.items() if hasattr(column, "__len__")}
    if len(set(lengths.values())) > 1:
        raise ShapeError(
            f"expected columns of equal length in a batch, got {lengths}: pass one row, or a batch "
            "as a datasets library slice gives it"
        )
    return [dict(zip(lengths, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _lists_of_table(values: Any, column: Column) -> Ragged:
    """Read a list column of an Arrow table without making Python objects."""
    if values.null_count:
        raise _null(column, None, f"{values.null_count} nulls")
    chunks = getattr(values, "chunks", [values])
    if not chunks:
        return Ragged(np.empty(0), np.empty(0, dtype=np.int64))
    flat = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in chunks]
    counts = [chunk.value_lengths().to_numpy(zero_copy_only=False) for chunk in chunks]
    return Ragged(np.concatenate(flat), np.concatenate(counts).astype(np.int64))


def _lists_of_rows(lists: Sequence[Any], column: Column) -> Ragged:
    arrays = [_flat(values, column, event) for event, values in enumerate(lists)]
    counts = np.array([len(array) for array in arrays], dtype=np.int64)
    filled = [event for event, count in enumerate(counts) if count]
    whole = [np.issubdtype(arrays[event].dtype, np.integer) for event in filled]
    if len(set(whole)) > 1:  # joined they would all be floating-point numbers
        wrong = filled[whole.index(not column.is_integer)]
        check_numbers(column, Ragged(arrays[wrong], counts[: wrong + 1] * (np.arange(wrong + 1) == wrong)))
    joined = [
        arrays[event].astype(np.int64, copy=False) if is_whole else arrays[event]
        for event, is_whole in zip(filled, whole, strict=True)
    ]
    return Ragged(np.concatenate(joined) if joined else np.empty(0), counts)


def _flat(values: Any, column: Column, event: int) -> NDArray[Any]:
    if values is None:
        raise _null(column, event, "null")
    array = as_numpy(values)
    if array.ndim != 1:
        raise ShapeError(
            f"column {column.name!r} of event {event}: expected a flat list, got shape {array.shape}: "
            "flatten it",
            event,
            column.name,
        )
    return array


def _null(column: Column, event: int | None, got: str) -> MissingColumnError:
    where = "" if event is None else f" of event {event}"
    return MissingColumnError(
        f"column {column.name!r}{where}: expected a list in each row, got {got}: an event without hits has "
        "an empty list",
        event,
        column.name,
    )
