"""Every row of a dataset, looked at a row group at a time: is it what the card promises?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from datasets import ClassLabel, Features
from numpy.typing import NDArray
from tqdm.auto import tqdm

from nuzoo.datasets_scripts.pixel_map_rows import row_features, simulated_event_id, split_of
from nuzoo.evaluation.core.provenance import SIMULATED_PREFIX
from nuzoo.files.names import PLAN_FILE
from nuzoo.hub.dataset.files import MAKE_AGAIN, ShardEntry, read_json
from nuzoo.hub.errors import DatasetRepositoryError, DatasetRowError
from nuzoo.simulation.detectors import DETECTORS, Detector, View
from nuzoo.simulation.spectra import SPECTRA

MACHINE_PATH = r"""(^|[\s"'`(=:,;|<>\[{])(/|~/|(\.\./)+|file:/+|[A-Za-z]:[\\/])[\w.-]"""
"""An absolute path, in the syntax of Arrow's regular expressions: a root, home or drive begins a word."""

ROUNDING = 1e-6
"""Relative, of energies in single precision."""

NOT_NEGATIVE = ("neutrino_energy", "lepton_energy", "deposited_energy")
PICTURE_BEGINS = b"\x89PNG\r\n\x1a\n"

Flags = NDArray[np.bool_]
"""One flag a row: is it wrong?"""


class _WrongRowError(Exception):
    """A row of a batch that is wrong.

    Attributes:
        row: Its number in the batch.
        column: Name of the column.
        expected: What should stand there.
        got: What stands there.
    """

    def __init__(self, row: int, column: str, expected: str, got: object) -> None:
        super().__init__(row, column, expected, got)
        self.row, self.column, self.expected, self.got = row, column, expected, got


@dataclass
class _Names:
    """The events seen so far: where each was, and the names of the split that is being read."""

    places: dict[str, str] = field(default_factory=dict)
    splits: dict[str, list[str]] = field(default_factory=dict)


def check_rows(folder: Path, shards: Sequence[ShardEntry]) -> None:
    """Refuse a dataset with a row that is wrong.

    Memory holds one row group and the names of the events.

    Args:
        folder: Dataset folder.
        shards: From `read_manifest`.

    Raises:
        DatasetRowError: With file, row and column: NaN, infinite or negative energy, a pixel outside the
            map, out of order or without energy, a class that there is not, a repeated event, an event in a
            split that is not its own, a path of a machine, another origin than the plan's.
        DatasetRepositoryError: A shard has other columns, or a split manifest names other events.
    """
    names, plan = _Names(), read_json(folder / PLAN_FILE)
    detector = _detector_of(folder / shards[0].name)
    with tqdm(total=sum(shard.events for shard in shards), unit="event", desc="checking rows") as bar:
        for shard in shards:
            for rows in _check_shard(folder / shard.name, shard.split, detector, names, plan):
                bar.update(rows)
    for split, events in names.splits.items():
        _check_split_manifest(folder / "manifests" / f"{split}.txt", events)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise DatasetRepositoryError(
            f"{path}: expected Parquet that can be read, got {error}; remove it and {MAKE_AGAIN}"
        ) from error


def _detector_of(path: Path) -> Detector:
    with _readable(path), pq.ParquetFile(path) as content:
        if "detector" not in content.schema_arrow.names:
            raise DatasetRepositoryError(
                f"{path}: expected a column detector, got {', '.join(content.schema_arrow.names)}"
            )
        name = next(content.iter_batches(1, columns=["detector"]))["detector"][0].as_py()
    if name not in DETECTORS:
        raise DatasetRowError(
            f"{path}, row 0, column detector: expected {', '.join(DETECTORS)}, got {name!r}"
        )
    return DETECTORS[name]


def _check_shard(
    path: Path, split: str, detector: Detector, names: _Names, plan: Mapping[str, Any]
) -> Iterator[int]:
    first = 0
    with pq.ParquetFile(path) as content:
        _check_columns(path, content.schema_arrow, detector)
        for group in range(content.num_row_groups):
            with _readable(path):
                rows = content.read_row_group(group, use_threads=False).combine_chunks()
                rows.validate(full=True)
            if rows.num_rows == 0:
                continue
            try:
                _check_group(rows, detector)
                _check_names(rows["event_id"].to_pylist(), f"{path.name} row", first, split, names)
                if "simulation" in plan:
                    _check_origin(rows, plan)
            except _WrongRowError as wrong:
                raise DatasetRowError(
                    f"{path}, row {first + wrong.row}, column {wrong.column}: expected {wrong.expected}, "
                    f"got {wrong.got}; mend what wrote it, remove the file and {MAKE_AGAIN}"
                ) from None
            first += rows.num_rows
            yield rows.num_rows


def _check_columns(path: Path, schema: pa.Schema, detector: Detector) -> None:
    expected, got = row_features(detector), Features.from_arrow_schema(schema)
    if list(got) != list(expected):
        differing = sorted(set(got) ^ set(expected)) or ["their order"]
        raise DatasetRepositoryError(
            f"{path}: expected the columns of {detector.name}, got others ({', '.join(differing)}); one "
            "configuration has one set of columns, publish other columns as another configuration"
        )
    for name, feature in expected.items():
        if got[name] != feature:
            raise DatasetRepositoryError(
                f"{path}, column {name}: expected {feature}, got {got[name]}; remove it and {MAKE_AGAIN}"
            )


def _check_group(rows: pa.Table, detector: Detector) -> None:
    for name in ("event_id", "detector", "source"):
        _refuse(pc.is_null(rows[name]), name, "a text", "null")
        _refuse_paths(rows[name], name)
    _refuse(pc.not_equal(rows["detector"], detector.name), "detector", detector.name, rows["detector"])
    for view in detector.views:
        _check_view(rows, view)
    _check_truth(rows, detector)
    _check_display(rows["display"].chunk(0))


def _refuse(flags: Any, column: str, expected: str, got: Any) -> None:
    """Raises for the first row that is flagged; `got` is a text, or the column to quote from."""
    wrong: Flags = np.asarray(flags.fill_null(False) if hasattr(flags, "fill_null") else flags, dtype=bool)
    if wrong.any():
        row = int(wrong.argmax())
        raise _WrongRowError(row, column, expected, got if isinstance(got, str) else repr(got[row].as_py()))


def _refuse_paths(column: pa.ChunkedArray, name: str) -> None:
    flags = pc.match_substring_regex(column, MACHINE_PATH)
    _refuse(flags, name, "no path of this machine's disk", column)


def _check_view(rows: pa.Table, view: View) -> None:
    index_name, energy_name = f"{view.name}_index", f"{view.name}_energy"
    indices, energies = rows[index_name].chunk(0), rows[energy_name].chunk(0)
    for name, lists in ((index_name, indices), (energy_name, energies)):
        _refuse(pc.is_null(lists), name, "a list, empty where there is no energy", "null")
        _refuse_pixels(pc.is_null(lists.flatten()), lists, name, "a number", "null")
    pixels, numbers = pc.list_value_length(indices), pc.list_value_length(energies)
    _refuse(
        pc.not_equal(pixels, numbers), energy_name, f"as many energies as {index_name} has pixels", numbers
    )

    index, energy = indices.flatten().to_numpy(), energies.flatten().to_numpy()
    size = view.rows * view.columns
    _refuse_pixels(index >= size, indices, index_name, f"pixels 0 to {size - 1}")
    _refuse_pixels(
        _not_ascending(index, np.asarray(pixels)), indices, index_name, "ascending pixels, each once"
    )
    _refuse_pixels(~np.isfinite(energy), energies, energy_name, "finite energies in MeV")
    _refuse_pixels(energy < 0, energies, energy_name, "energies in MeV that are not negative")


def _not_ascending(index: NDArray[np.uint32], lengths: NDArray[np.int32]) -> Flags:
    wrong = np.zeros(len(index), dtype=bool)
    wrong[1:] = index[1:] <= index[:-1]
    starts = np.cumsum(lengths) - lengths
    wrong[starts[lengths > 0]] = False
    return wrong


def _refuse_pixels(flags: Any, lists: pa.Array, column: str, expected: str, got: str | None = None) -> None:
    """Raises for the first row with a flagged pixel; one flag for each pixel of all rows."""
    positions = np.flatnonzero(np.asarray(flags))
    if len(positions):
        ends = np.cumsum(np.asarray(pc.list_value_length(lists)))
        row = int(np.searchsorted(ends, positions[0], side="right"))
        raise _WrongRowError(row, column, expected, got or repr(lists.flatten()[positions[0]].as_py()))


def _check_truth(rows: pa.Table, detector: Detector) -> None:
    for name, feature in row_features(detector).items():
        column = rows[name]
        if isinstance(feature, ClassLabel):
            count = len(feature.names)
            outside = pc.or_(pc.less(column, 0), pc.greater_equal(column, count))
            expected = f"null or 0 to {count - 1} ({', '.join(feature.names)})"
            _refuse(outside, name, expected, column)
        elif pa.types.is_floating(column.type):
            _refuse(pc.invert(pc.is_finite(column)), name, "null or a finite number", column)
    for name in NOT_NEGATIVE:
        _refuse(pc.less(rows[name], 0), name, "null or an energy that is not negative", rows[name])
    vertex = rows["vertex"].chunk(0)
    present = np.flatnonzero(np.asarray(vertex.is_valid()))
    coordinates = vertex.flatten().to_numpy(zero_copy_only=False).reshape(len(present), 3)
    wrong = np.zeros(len(vertex), dtype=bool)
    wrong[present] = ~np.isfinite(coordinates).all(axis=1)
    _refuse(wrong, "vertex", "null or three finite numbers", vertex)


def _check_display(pictures: pa.StructArray) -> None:
    content, path = pictures.field("bytes"), pictures.field("path")
    _refuse(pc.is_valid(path), "display", "a picture within the row", path)
    begins = pc.starts_with(content, PICTURE_BEGINS).fill_null(False)
    _refuse(pc.invert(begins), "display", "a PNG picture", "something else")


def _check_names(events: list[str], where: str, first: int, split: str, names: _Names) -> None:
    for row, event in enumerate(events):
        if event in names.places:
            raise _WrongRowError(
                row, "event_id", "each event once", f"{event!r}, which is in {names.places[event]} as well"
            )
        names.places[event] = f"{where} {first + row}"
        if "\n" in event or not event:
            raise _WrongRowError(row, "event_id", "one line of text", repr(event))
        if split_of(event) != split:
            raise _WrongRowError(
                row, "event_id", f"events of split {split}", f"{event!r}, which belongs to {split_of(event)}"
            )
    names.splits.setdefault(split, []).extend(events)


def _check_origin(rows: pa.Table, plan: Mapping[str, Any]) -> None:
    """Refuse rows that a simulation by this plan does not make."""
    seed, events = plan["seed"], plan["events"]
    for row, (event, source) in enumerate(
        zip(*(rows[n].to_pylist() for n in ("event_id", "source")), strict=True)
    ):
        index = event.rpartition("-")[2]
        if not index.isdigit() or int(index) >= events or event != simulated_event_id(seed, int(index)):
            expected = (
                f"{simulated_event_id(seed, 0)} to {simulated_event_id(seed, events - 1)}, by {PLAN_FILE}"
            )
            raise _WrongRowError(row, "event_id", expected, repr(event))
        origin = f"seed={seed} event={index} detector={plan['detector']}"
        if not source.startswith(SIMULATED_PREFIX) or not source.endswith(f" {origin}"):
            raise _WrongRowError(row, "source", f"{SIMULATED_PREFIX}… {origin}, by {PLAN_FILE}", repr(source))
    low, high = _energies(plan["spectrum"])
    energy = rows["neutrino_energy"]
    outside = pc.or_(pc.less(energy, low * (1 - ROUNDING)), pc.greater(energy, high * (1 + ROUNDING)))
    expected = f"null or {low:g} to {high:g} GeV, by the spectrum of {PLAN_FILE}"
    _refuse(outside, "neutrino_energy", expected, energy)


def _energies(spectrum: str) -> tuple[float, float]:
    """Least and largest energy of a spectrum, GeV."""
    found = SPECTRA[spectrum]
    energies = found.energy_range if found.energy_table is None else found.energy_table[0]
    return energies[0] / 1000, energies[-1] / 1000


def _check_split_manifest(path: Path, events: list[str]) -> None:
    with path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
        listed = [line.removesuffix("\n") for line in lines]
    if listed != events:
        odd = sorted(set(listed) ^ set(events))
        got = f"{len(listed)} names, of which {odd[0]!r} is in one of both only" if odd else "another order"
        raise DatasetRepositoryError(
            f"{path}: expected the {len(events)} events of the shards, got {got}; {MAKE_AGAIN}"
        )
