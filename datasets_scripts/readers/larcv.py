"""PILArNet of 2020 as larcv3 writes it into HDF5: voxels with energies and groups, and a table of particles.

`Data/sparse3d_data_group` and `Data/sparse3d_group_group` hold `voxels` (id, value) and, of each event, where
its own begin, `voxel_extents`; `Data/particle_mcst_group` holds `particles` and `extents`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.cloud_reading import (
    AXES,
    CloudReading,
    blank_cloud,
    checked_energy,
    rows_of,
)
from nuzoo.datasets_scripts.readers.hdf5 import dataset_in
from nuzoo.datasets_scripts.readers.larcv_order import VoxelGrid, decoded, told_order
from nuzoo.datasets_scripts.readers.larcv_particles import particle_columns
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    NotThisFormatError,
    OtherOrderError,
    SourceFileError,
    WrongEventError,
)
from nuzoo.simulation.detectors import LARTPC_CUBE

NAME = "pilarnet-2020"

ENERGY, GROUP = "Data/sparse3d_data_group", "Data/sparse3d_group_group"
PARTICLES = "Data/particle_mcst_group"
_TABLES = {
    "energy": f"{ENERGY}/voxels",
    "energy_extents": f"{ENERGY}/voxel_extents",
    "group": f"{GROUP}/voxels",
    "group_extents": f"{GROUP}/voxel_extents",
    "particles": f"{PARTICLES}/particles",
    "particle_extents": f"{PARTICLES}/extents",
}
_META = f"{ENERGY}/image_meta"
_MOST_PARTICLES = 2**31
_LOOKED_AT = 50
"""Events that are looked at for the order of voxels."""


class LarcvFile:
    """An open file of larcv3.

    Args:
        file: Its path.
        content: What h5py opened of it.
        reading: How it is read.

    Raises:
        SourceFileError: A table is missing, or of another cube.
        OtherOrderError: Its voxels are numbered as larcv 1 and 2 do.
    """

    def __init__(self, file: Path, content: Any, reading: CloudReading) -> None:
        self.file, self.reading = file, reading
        self.tables = {name: _table(file, content, path) for name, path in _TABLES.items()}
        self.events = len(self.tables["energy_extents"])
        for name in ("group_extents", "particle_extents"):
            if len(self.tables[name]) != self.events:
                expected = f"{self.events} events in {_TABLES[name]!r}, as of energies"
                remedy = "copy or make the file again"
                raise ArraySizeError(file, expected, f"{len(self.tables[name])}", remedy)
        self.detector = reading.whose(LARTPC_CUBE.name)
        self.grid = self._grid(content)
        self._check_order()
        threshold = reading.threshold()
        reading.note(f"larcv3: hits of more than {threshold:g} MeV; momenta are taken as MeV/c", file)

    def rows(self, events: Iterable[int] | None = None) -> Iterator[Row | SourceFileError]:
        """Yield the row of each event, or its error.

        Args:
            events: Their numbers; all by default.
        """
        chosen = range(self.events) if events is None else events
        yield from rows_of(self.file, chosen, "an event of larcv3", self._row)

    def _row(self, index: int, where: str) -> Row:
        voxels = self._part("energy", index, where)
        energy = checked_energy(where, voxels["value"])
        ids = voxels["id"].astype(np.int64)
        if (wrong := np.flatnonzero((ids < 0) | (ids >= self.grid.size))).size:
            problem = f"expected voxels below {self.grid.size}, got {ids[wrong[0]]} at entry {wrong[0]}"
            raise WrongEventError(where, "x", f"{problem}: the file is of another cube")
        kept = self.reading.above(where, energy)
        row = blank_cloud(
            self.reading.numbered_id(self.file, index),
            self.detector,
            f"{self.reading.source(self.file)}#{index}",
        )
        row |= dict(zip(AXES, decoded(ids[kept], self.grid.shape).T, strict=True)) | {"energy": energy[kept]}
        try:
            group = self._groups(ids, index, where)
            particles = self._part("particles", index, where)
            self._tell_strays(group, len(particles), where)
            row |= particle_columns(group, kept, energy[kept], particles, self.grid)
        except SourceFileError as error:
            self.reading.go_without(error, where)
        return row

    def _groups(self, ids: NDArray[np.int64], index: int, where: str) -> NDArray[np.int64]:
        """Return the row of the particle of each voxel, below 0 for none."""
        voxels = self._part("group", index, where)
        known, value = voxels["id"].astype(np.int64), voxels["value"]
        if (wrong := np.flatnonzero(value != np.rint(value))).size:
            problem = f"expected groups that are whole, got {value[wrong[0]]} at entry {wrong[0]}"
            raise WrongEventError(where, "particle", f"{problem}: make the event again")
        order = np.argsort(known, kind="stable")
        place = np.searchsorted(known[order], ids).clip(max=max(len(known) - 1, 0))
        found = known[order][place] == ids if len(known) else np.zeros(len(ids), bool)
        if not found.all():
            self.reading.note("hits without a group are of no particle", where)
        group = np.full(len(ids), -1)
        group[found] = _rows(value)[order][place[found]]
        return group

    def _tell_strays(self, group: NDArray[np.int64], particles: int, where: str) -> None:
        if (group >= particles).any():
            self.reading.note("hits of groups that are no particle of their event are of none", where)

    def _part(self, name: str, index: int, where: str) -> NDArray[Any]:
        """Read the entries of one event."""
        extents = self.tables[f"{name if name != 'particles' else 'particle'}_extents"][index : index + 2]
        first, number = int(extents[0]["first"]), int(extents[0]["N"])
        table = self.tables[name]
        remedy = "copy or make the file again"
        if not 0 <= first <= first + number <= len(table):
            expected = f"{number} entries from {first} in {_TABLES[name]!r}"
            raise ArraySizeError(where, expected, f"{len(table)} in all", remedy)
        following = int(extents[1]["first"]) if len(extents) > 1 else len(table)
        if first + number != following:
            expected = f"{number} entries from {first} in {_TABLES[name]!r}, and then the next event"
            raise ArraySizeError(where, expected, f"what follows from {following}", remedy)
        part: NDArray[Any] = table[first : first + number]
        return part

    def _grid(self, content: Any) -> VoxelGrid:
        shape = tuple(self.detector.geometry()["shape"])
        meta = dataset_in(self.file, content, (_META,))
        if meta is None or not len(meta):
            return VoxelGrid(shape)
        first = meta[0]
        sizes = tuple(map(int, first["number_of_voxels"]))
        if sizes != shape:
            remedy = "give --detector FILE of a detector with such voxels"
            raise ArraySizeError(self.file, f"{shape} voxels of {self.detector.name}", f"{sizes}", remedy)
        pitch = np.asarray(first["image_sizes"]) / np.asarray(sizes)
        return VoxelGrid(shape, np.asarray(first["origin"], np.float64), pitch)

    def _check_order(self) -> None:
        """Refuse voxels that are numbered in the order of larcv 1 and 2, where particles tell."""
        events = range(min(self.events, _LOOKED_AT))
        reversed_order = told_order(self.grid, self._starts(events))
        if reversed_order is None:
            told = "the order of voxel numbers cannot be told (no first steps of particles, or no image_meta)"
            self.reading.note(f"{told}; it is taken as that of larcv3, x slowest", self.file)
        elif reversed_order:
            got = "voxels at which particles begin only if z is (the order of larcv 1 and 2)"
            remedy = "convert the file with larcv3, or exchange x and z of its voxels"
            raise OtherOrderError(self.file, "voxel numbers whose x is slowest", got, remedy)

    def _starts(
        self, events: Iterable[int]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[Any]]]:
        """Yield voxels, the row of the particle of each, and the particles of events that can be read."""
        for index in events:
            try:
                voxels, particles = (self._part(name, index, "") for name in ("group", "particles"))
            except (SourceFileError, OSError):
                continue
            yield voxels["id"].astype(np.int64), _rows(voxels["value"]), particles


def _rows(groups: NDArray[Any]) -> NDArray[np.int64]:
    """Return groups, which are stored as numbers of any kind, as rows of particles; below 0 for none."""
    return np.where((groups >= 0) & (groups < _MOST_PARTICLES), groups, -1).astype(np.int64)


def is_larcv(content: Any) -> bool:
    """Say whether an HDF5 file is one of larcv3, whole or not."""
    return any(group in content for group in (ENERGY, GROUP, PARTICLES))


def read_larcv(file: Path, content: Any, reading: CloudReading) -> Iterator[Row | SourceFileError]:
    """Read all events of an open file."""
    yield from LarcvFile(file, content, reading).rows()


def _table(file: Path, content: Any, path: str) -> Any:
    found = dataset_in(file, content, (path,))
    if found is None:
        raise NotThisFormatError(file, f"a dataset {path!r}", "none", "make the file again with larcv3")
    return found
