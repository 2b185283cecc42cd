"""PILArNet-M: HDF5 files of simulated events in a cube of liquid argon, versions 1 to 3.

Each dataset has a flat list for each event, which is a table of so many columns: `point` 8, `cluster` 5
(version 1) or 6, `cluster_extra` 5 (version 2), 6, 9 or 11 (version 3), and of v3_extra `cluster_extra_2` 5
and `interaction_extra` 4. Beside a file may lie `<stem>_points.npy`, the number of points of each event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.cloud_reading import (
    CloudReading,
    blank_cloud,
    checked_energy,
    rows_of,
    whole_positions,
)
from nuzoo.datasets_scripts.readers.fragments import MISSING, Fragments
from nuzoo.datasets_scripts.readers.hdf5 import check_written, dataset_in, list_length
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    NotThisFormatError,
    SourceFileError,
    TooLargeError,
    UntrustedVertexError,
    WrongEventError,
)
from nuzoo.files.events.keypoints import keypoints_of
from nuzoo.files.events.point_cloud_events import PARTICLE_TYPES
from nuzoo.simulation.detectors import LARTPC_CUBE

NAME = "pilarnet-m"
ENERGY_THRESHOLD_MEV = 0.13
"""The cut that its users apply."""
MIN_POINTS = 1024
"""Events with fewer points are left out by its users."""

POINT, CLUSTER, EXTRA = "point", "cluster", "cluster_extra"
MOMENTA, INTERACTIONS = "cluster_extra_2", "interaction_extra"
_POINT_WIDTH, _MOMENTA_WIDTH, _INTERACTIONS_WIDTH = 8, 5, 4
_CLUSTER_WIDTHS, _EXTRA_WIDTHS = (6, 5), (5, 6, 9, 11)
_VERSION_2 = 5
_LARGEST_LIST = 256 << 20
"""Bytes of one table of an event; 30,000 points have 1 MB."""
_LOOKED_AT = 50
"""Events that are looked at for the columns of a file."""
_MEV = 1000.0
_NONE = len(PARTICLE_TYPES) - 1


class PILArNetFile:
    """An open file of PILArNet-M.

    Args:
        file: Its path.
        content: What h5py opened of it.
        reading: How it is read.

    Raises:
        SourceFileError: It has no points or clusters, or they are no lists.
        UntrustedVertexError: Vertices are asked for, and its own are not those of its points.
    """

    def __init__(self, file: Path, content: Any, reading: CloudReading) -> None:
        self.file, self.reading = file, reading
        names = (POINT, CLUSTER, EXTRA, MOMENTA, INTERACTIONS)
        self.tables = {name: table for name in names if (table := _table(file, content, name)) is not None}
        for name in (POINT, CLUSTER):
            if name not in self.tables:
                remedy = "copy the file again, or leave it out"
                raise NotThisFormatError(file, f"a dataset {name!r}", ", ".join(content) or "nothing", remedy)
        self.events = len(self.tables[POINT])
        for name, table in self.tables.items():
            if len(table) != self.events:
                expected = f"{self.events} events in {name!r}, as in {POINT!r}"
                raise ArraySizeError(file, expected, f"{len(table)}", "copy or make the file again")
        self.points = _counts_beside(file, self.events, reading)
        self.cluster_width, self.extra_width = self._widths()
        self._decide()

    def rows(self, events: Iterable[int] | None = None) -> Iterator[Row | SourceFileError]:
        """Yield the row of each event, or its error.

        Args:
            events: Their numbers; all by default.
        """
        chosen = range(self.events) if events is None else events
        yield from rows_of(self.file, chosen, "an event of PILArNet-M", self._row)

    def _row(self, index: int, where: str) -> Row:
        if self.points is not None:
            self.reading.check_enough(where, int(self.points[index]))
        points = self._read(POINT, index, where, _POINT_WIDTH)
        self._compare_counts(index, len(points))
        self.reading.check_enough(where, len(points))
        energy = checked_energy(where, points[:, 3])
        kept = self.reading.above(where, energy, ENERGY_THRESHOLD_MEV)
        row = blank_cloud(
            self.reading.numbered_id(self.file, index),
            self.reading.whose(LARTPC_CUBE.name),
            f"{self.reading.source(self.file)}#{index}",
        )
        row |= whole_positions(where, points[kept, :3]) | {"energy": energy[kept]}
        try:
            row |= self._fragments(index, where, len(points)).columns(kept, energy[kept])
            row |= keypoints_of(row) if "interaction_x" in row else {}
        except SourceFileError as error:
            self.reading.go_without(error, where)
        return row

    def _fragments(self, index: int, where: str, points: int) -> Fragments:
        clusters = _whole(where, self._read(CLUSTER, index, where, self.cluster_width))
        hits, number, particle, interaction, motif = clusters[:, :5].T
        if (hits < 0).any() or hits.sum() != points:
            expected = f"clusters of {points} points together, as in {POINT!r}"
            raise ArraySizeError(where, expected, f"{hits.sum()}", "copy or make the file again")
        for column, ids in (("particle", particle), ("interaction", interaction)):
            if len(ids) and ids.min() < MISSING:
                problem = f"expected {MISSING} (none) or more, got {ids.min()}: make the event again"
                raise WrongEventError(where, column, problem)
        fragments = Fragments(hits, number, particle, interaction, motif)
        if self.cluster_width == _CLUSTER_WIDTHS[0]:
            pid = clusters[:, 5]
            fragments = replace(fragments, pid=np.where(pid == MISSING, _NONE, pid))
        return self._with_extra(fragments, index, where) if self.extra_width else fragments

    def _with_extra(self, fragments: Fragments, index: int, where: str) -> Fragments:
        """Return fragments with momenta and, of version 3, vertices and primary particles."""
        rows = len(fragments.hits)
        extra = self._read(EXTRA, index, where, self.extra_width, rows)
        fragments = replace(fragments, momentum=extra[:, 1] * _MEV)
        if self.extra_width == _VERSION_2:
            return fragments
        vertices = self._vertices(fragments, extra[:, 2:5], index, where)
        fragments = replace(fragments, primary=extra[:, 5], vertices=vertices)
        if MOMENTA in self.tables:
            direction = self._read(MOMENTA, index, where, _MOMENTA_WIDTH, rows)[:, :3]
        elif self.extra_width > 6:
            direction = extra[:, 6:9]
        else:
            return fragments
        unknown = (direction == MISSING).all(axis=1)
        return replace(fragments, direction=np.where(unknown[:, None], 0, direction * _MEV))

    def _vertices(self, fragments: Fragments, vertices: NDArray[Any], index: int, where: str) -> NDArray[Any]:
        """Return the vertex of each fragment: from the table of interactions where there is one."""
        if INTERACTIONS not in self.tables:
            return vertices
        table = self._read(INTERACTIONS, index, where, _INTERACTIONS_WIDTH)
        of_id = {int(row[0]): row[1:] for row in table}
        unknown = np.full(3, float(MISSING))
        found = [of_id.get(int(number), unknown) for number in fragments.interaction]
        return np.array(found).reshape(-1, 3)

    def _read(self, name: str, index: int, where: str, width: int, rows: int | None = None) -> NDArray[Any]:
        """Read the table of one event, (rows, width)."""
        flat = self._flat(name, index, where)
        expected = f"{name!r} with {'rows' if rows is None else rows} × {width} numbers"
        if flat.size % width or (rows is not None and flat.size != rows * width):
            raise ArraySizeError(where, expected, f"{flat.size} numbers", "copy or make the file again")
        return flat.reshape(-1, width)

    def _flat(self, name: str, index: int, where: str) -> NDArray[Any]:
        table, numbers = self.tables[name], list_length(self.tables[name], index)
        most = min(_LARGEST_LIST, self.file.stat().st_size) // table.dtype.metadata["vlen"].itemsize
        if numbers is not None and numbers > most:
            remedy = "copy or make the file again"
            raise TooLargeError(where, f"{name!r} of at most {most} numbers", f"{numbers}", remedy)
        return np.asarray(table[index])

    def _compare_counts(self, index: int, points: int) -> None:
        """Count points from here on, if what lies beside the file counts others."""
        if self.points is not None and self.points[index] != points:
            told = (
                f"points are counted from event {index} on: expected {points} of it beside the file, got "
                f"{self.points[index]}; remove these counts, and read again to have all events"
            )
            self.reading.note(told, counts_file(self.file))
            self.points = None

    def _widths(self) -> tuple[int, int]:
        """Return the columns of `cluster` and `cluster_extra`, 0 without it, by the first event that fits."""
        usual = (6, 5) if EXTRA in self.tables else (5, 0)
        for index in range(min(self.events, _LOOKED_AT)):
            with suppress(Exception):
                points = len(self._flat(POINT, index, "")) // _POINT_WIDTH
                clusters = np.nan_to_num(self._flat(CLUSTER, index, ""))
                extra = len(self._flat(EXTRA, index, "")) if EXTRA in self.tables else 0
                for width in _CLUSTER_WIDTHS:
                    rows, rest = divmod(len(clusters), width)
                    fits = rows and not rest and clusters[::width].sum() == points
                    if fits and (not extra or (extra % rows == 0 and extra // rows in _EXTRA_WIDTHS)):
                        return width, extra // rows
        return usual

    def _decide(self) -> None:
        """Say what the file does not tell; refuse it where that is asked for."""
        if not self.events:
            return
        kept = f"hits of more than {self.reading.threshold(ENERGY_THRESHOLD_MEV):g} MeV"
        if self.extra_width > _VERSION_2:
            self.reading.note(f"PILArNet-M version 3: {kept}, vertices in voxels", self.file)
            return
        if self.extra_width:
            version, lacking = 2, "vertices in another frame than that of the points, which are left out"
        else:
            version, lacking = 1, "neither momenta nor vertices"
        self.reading.note(f"PILArNet-M version {version}: {kept}; {lacking}", self.file)
        if self.reading.vertices:
            remedy = "read version 3 of the dataset, or do not ask for vertices"
            raise UntrustedVertexError(self.file, "vertices in the frame of the points", lacking, remedy)


def is_pilarnet_m(content: Any) -> bool:
    """Say whether an HDF5 file is one of PILArNet-M, whole or not."""
    return POINT in content or CLUSTER in content


def read_pilarnet_m(file: Path, content: Any, reading: CloudReading) -> Iterator[Row | SourceFileError]:
    """Read all events of an open file."""
    yield from PILArNetFile(file, content, reading).rows()


def counts_file(file: Path) -> Path:
    """Return the file beside another that counts the points of its events."""
    return file.with_name(f"{file.stem}_points.npy")


def _table(file: Path, content: Any, name: str) -> Any:
    import h5py

    table = dataset_in(file, content, (name,))
    if table is None:
        return None
    entries = h5py.check_vlen_dtype(table.dtype)
    if table.ndim != 1 or entries is None or np.dtype(entries).kind not in "iuf":
        got = f"{table.dtype} of shape {table.shape}"
        remedy = "store one flat list of numbers for each event, as PILArNet-M does"
        raise NotThisFormatError(file, f"{name!r} as lists of any length, one an event", got, remedy)
    if len(table):
        check_written(file, table)
    return table


def _whole(where: str, clusters: NDArray[Any]) -> NDArray[np.int64]:
    """Return the numbers of clusters, which some files store as floating point, as whole ones."""
    if (wrong := np.argwhere(~np.isfinite(clusters) | (clusters != np.rint(clusters)))).size:
        row, column = map(int, wrong[0])
        problem = f"expected whole numbers, got {clusters[row, column]} in row {row}: make the event again"
        raise WrongEventError(where, CLUSTER, problem)
    return clusters.astype(np.int64)


def _counts_beside(file: Path, events: int, reading: CloudReading) -> NDArray[np.int64] | None:
    """Return the number of points of each event; None if nothing usable lies beside the file."""
    beside = counts_file(file)
    if not beside.is_file():
        return None
    try:
        counts = np.load(beside, allow_pickle=False)
        if counts.shape == (events,) and counts.dtype.kind in "iu":
            return counts.astype(np.int64)
        got = f"{counts.dtype} of shape {counts.shape}"
    except (ValueError, EOFError, OSError, MemoryError) as error:
        got = str(error).partition("\n")[0]
    reading.note(f"points are counted: expected {events} whole numbers beside it, got {got}", beside)
    return None
