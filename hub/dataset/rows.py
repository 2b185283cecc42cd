"""Every row of a dataset, looked at a row group at a time: is it what the schema and the plan say?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from datasets import Features
from tqdm.auto import tqdm

from nuzoo.datasets_scripts.common.rows import column_feature, ragged
from nuzoo.datasets_scripts.common.samples import schema_as_stored
from nuzoo.datasets_scripts.common.simulated import SimulationPlan
from nuzoo.datasets_scripts.common.splits import split_list, split_of
from nuzoo.files.events.event_errors import EventError
from nuzoo.files.events.event_schema import Column, EventSchema
from nuzoo.files.names import PLAN_FILE
from nuzoo.hub.dataset.files import MAKE_AGAIN, DatasetFolder, wrong_file
from nuzoo.hub.errors import DatasetRepositoryError, DatasetRowError
from nuzoo.simulation.detectors import find_detector
from nuzoo.simulation.errors import UnknownDetectorError

MACHINE_PATH = r"""(^|[\s"'`(=:,;|<>\[{])(/|~/|(\.\./)+|file:/+|[A-Za-z]:[\\/])[\w.-]"""
"""An absolute path, in the syntax of Arrow's regular expressions: a root, home or drive begins a word."""

ROUNDING = 1e-6
"""Relative, of energies in single precision."""

PICTURE_BEGINS = b"\x89PNG\r\n\x1a\n"


def check_rows(dataset: DatasetFolder) -> None:
    """Refuse a dataset with a row that is wrong.

    Memory holds one row group and the names of the events.

    Args:
        dataset: From `open_dataset`.

    Raises:
        DatasetRowError: With file, row and column: what the schema of its modality refuses, a repeated
            event, an event in a split that is not its own, a path of a machine, another origin than the
            plan's.
        DatasetRepositoryError: A shard has other columns, or a list of a split names other events.
    """
    columns, places, members = _Columns(dataset), dict[str, str](), dict[str, list[str]]()
    with tqdm(total=sum(dataset.events.values()), unit="event", desc="checking rows") as bar:
        for shard in dataset.shards:
            path = dataset.path / shard.name
            for first, rows in _row_groups(path, columns):
                try:
                    columns.check(rows)
                    names = rows["event_id"].to_pylist()
                    _check_names(names, f"{path.name} row", first, places)
                    if "splits" not in dataset.plan:
                        _check_splits(names, shard.split)
                    if dataset.simulation:
                        _check_origin(rows, dataset.simulation, columns.schema)
                except EventError as wrong:
                    raise DatasetRowError(
                        f"{path}, row {first + (wrong.event or 0)}, column {wrong.column}: {wrong.problem}; "
                        f"mend what wrote it, remove the file and {MAKE_AGAIN}"
                    ) from wrong
                members.setdefault(shard.split, []).extend(names)
                bar.update(rows.num_rows)
    for split, events in members.items():
        _check_split_list(dataset.path / split_list(split), events)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise DatasetRepositoryError(
            f"{path}: expected Parquet that can be read, got {error}; remove it and {MAKE_AGAIN}"
        ) from error


class _Columns:
    """The columns of a dataset: those of its schema that its first shard has.

    Args:
        dataset: Whose shards they are.
    """

    def __init__(self, dataset: DatasetFolder) -> None:
        path = dataset.path / dataset.shards[0].name
        with _readable(path), pq.ParquetFile(path) as content:
            names = content.schema_arrow.names
            features = Features.from_arrow_schema(content.schema_arrow)
            if "detector" not in names:
                raise DatasetRepositoryError(f"{path}: expected a column detector, got {', '.join(names)}")
            self.detector = next(content.iter_batches(1, columns=["detector"]))["detector"][0].as_py()
        try:
            detector = find_detector(self.detector)
        except UnknownDetectorError as error:
            raise DatasetRowError(f"{path}, row 0, column {error}") from error
        self.schema: EventSchema = schema_as_stored(dataset.sample, detector, features)
        self.columns = [column for column in self.schema.columns if column.required or column.name in names]
        self.expected = Features({column.name: column_feature(column) for column in self.columns})

    def check_shard(self, path: Path, schema: pa.Schema) -> None:
        """Refuse a shard with other columns, or columns of other types."""
        got = Features.from_arrow_schema(schema)
        if list(got) != list(self.expected):
            differing = sorted(set(got) ^ set(self.expected)) or ["their order"]
            raise DatasetRepositoryError(
                f"{path}: expected the columns of {self.detector}, got others ({', '.join(differing)}); one "
                "configuration has one set of columns, publish other columns as another configuration"
            )
        for name, feature in self.expected.items():
            if got[name] != feature:
                raise DatasetRepositoryError(
                    f"{path}, column {name}: expected {feature}, got {got[name]}; remove it and {MAKE_AGAIN}"
                )

    def check(self, rows: pa.Table) -> None:
        """Refuse rows with a text, picture or number that its column cannot hold.

        Raises:
            EventError: With row and column.
        """
        numbers = {}
        for column in self.columns:
            values = rows[column.name].chunk(0)
            if column.is_number:
                numbers[column.name] = ragged(column, values)
            elif column.dtype == "text":
                _check_text(column, values)
            else:
                _check_pictures(column, values)
        others = pc.not_equal(rows["detector"], self.detector)
        _refuse(others, "detector", self.detector, rows["detector"])
        self.schema.check(numbers, stored=True)


def _row_groups(path: Path, columns: _Columns) -> Iterator[tuple[int, pa.Table]]:
    """Position of the first row, and rows, of each row group that has any."""
    first = 0
    with pq.ParquetFile(path) as content:
        columns.check_shard(path, content.schema_arrow)
        for group in range(content.num_row_groups):
            with _readable(path):
                rows = content.read_row_group(group, use_threads=False).combine_chunks()
                rows.validate(full=True)
            if rows.num_rows:
                yield first, rows
            first += rows.num_rows


def _refuse(flags: Any, column: str, expected: str, got: Any) -> None:
    """Raise for the first row that is flagged; `got` is a text, or the column to quote from."""
    wrong = np.asarray(pc.fill_null(flags, False), dtype=bool)
    if wrong.any():
        row = int(wrong.argmax())
        raise _wrong(row, column, expected, got if isinstance(got, str) else repr(got[row].as_py()))


def _wrong(row: int, column: str, expected: str, got: str) -> EventError:
    problem = f"expected {expected}, got {got}"
    return EventError(problem, row, column, problem)


def _check_text(column: Column, texts: pa.Array) -> None:
    if column.required:
        _refuse(pc.is_null(texts), column.name, "a text", "null")
    paths = pc.match_substring_regex(texts, MACHINE_PATH)
    _refuse(paths, column.name, "no path of this machine's disk", texts)


def _check_pictures(column: Column, pictures: pa.StructArray) -> None:
    content, path = pictures.field("bytes"), pictures.field("path")
    _refuse(pc.is_valid(path), column.name, "a picture within the row", path)
    begins = pc.starts_with(content, PICTURE_BEGINS).fill_null(False)
    _refuse(pc.invert(begins), column.name, "a PNG picture", "something else")


def _check_names(events: list[str], where: str, first: int, places: dict[str, str]) -> None:
    """Refuse a name that is there twice, or is no line; `places` tells where each was seen so far."""
    for row, event in enumerate(events):
        if event in places:
            got = f"{event!r}, which is in {places[event]} as well"
            raise _wrong(row, "event_id", "each event once", got)
        places[event] = f"{where} {first + row}"
        if "\n" in event or not event:
            raise _wrong(row, "event_id", "one line of text", repr(event))


def _check_splits(events: list[str], split: str) -> None:
    for row, event in enumerate(events):
        if (own := split_of(event)) != split:
            raise _wrong(row, "event_id", f"events of split {split}", f"{event!r}, which belongs to {own}")


def _check_origin(rows: pa.Table, plan: SimulationPlan, schema: EventSchema) -> None:
    """Refuse rows that a simulation by this plan does not make."""
    for row, (event, source) in enumerate(
        zip(*(rows[name].to_pylist() for name in ("event_id", "source")), strict=True)
    ):
        index = event.rpartition("-")[2]
        if not index.isdigit() or int(index) > plan.last_index or event != plan.event_id(int(index)):
            expected = f"{plan.event_id(0)} to {plan.event_id(plan.last_index)}, by {PLAN_FILE}"
            raise _wrong(row, "event_id", expected, repr(event))
        if not source.startswith(plan.prefix) or not source.endswith(f" {plan.origin(index)}"):
            expected = f"{plan.prefix}… {plan.origin(index)}, by {PLAN_FILE}"
            raise _wrong(row, "source", expected, repr(source))
    for column, (low, high) in plan.ranges().items():
        if column in rows.column_names:
            values = rows[column]
            outside = pc.or_(pc.less(values, low * (1 - ROUNDING)), pc.greater(values, high * (1 + ROUNDING)))
            expected = f"null or {low:g} to {high:g} {schema[column].unit}, by {PLAN_FILE}"
            _refuse(outside, column, expected, values)


def _check_split_list(path: Path, events: list[str]) -> None:
    with path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
        listed = [line.removesuffix("\n") for line in lines]
    if listed != events:
        odd = sorted(set(listed) ^ set(events))
        got = f"{len(listed)} names, of which {odd[0]!r} is in one of both only" if odd else "another order"
        raise wrong_file(f"{path}: expected the {len(events)} events of the shards, got {got}")
