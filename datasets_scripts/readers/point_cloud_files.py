"""Read files of point clouds, whatever their format, and go on past those that are broken."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from nuzoo.datasets_scripts.common.described import know_detectors
from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers import bee, flow, larcv, pilarnet_m, scintillator
from nuzoo.datasets_scripts.readers.cloud_arrays import read_cloud_npz
from nuzoo.datasets_scripts.readers.cloud_parquet import read_cloud_parquet
from nuzoo.datasets_scripts.readers.cloud_reading import (
    CloudReading,
    checked_cloud,
    cloud_detector,
    cloud_schema,
    truth_columns,
)
from nuzoo.datasets_scripts.readers.event_files import EventFiles, Format
from nuzoo.datasets_scripts.readers.folder_files import is_folder
from nuzoo.datasets_scripts.readers.hdf5 import described
from nuzoo.datasets_scripts.readers.known_files import without_points
from nuzoo.datasets_scripts.readers.reading import common_root
from nuzoo.datasets_scripts.readers.source_errors import SourceFileError
from nuzoo.files.events.event_errors import EventError
from nuzoo.files.events.event_schema import EventSchema
from nuzoo.simulation.detectors import Detector


def read_cloud_hdf5(file: Path, reading: CloudReading) -> Iterator[Row | SourceFileError]:
    """Read one HDF5 file, of PILArNet-M, larcv3 or ndlar_flow by what it holds; it stays open meanwhile."""
    import h5py

    with h5py.File(file, "r") as content:
        if flow.is_flow(content):
            reading.check_wanted(file, "a file of ndlar_flow", bee.NAME)
            yield from flow.read_flow(file, content, reading)
            return
        reading.check_charge(file)
        if pilarnet_m.is_pilarnet_m(content):
            reading.check_wanted(file, "a file of PILArNet-M", pilarnet_m.NAME)
            yield from pilarnet_m.read_pilarnet_m(file, content, reading)
        elif larcv.is_larcv(content):
            reading.check_wanted(file, "a file of larcv3", larcv.NAME)
            yield from larcv.read_larcv(file, content, reading)
        else:
            raise without_points(file, described(content))


_HDF5 = Format[CloudReading](read_cloud_hdf5, "an HDF5 file")
_FORMATS = {
    ".h5": _HDF5,
    ".hdf5": _HDF5,
    ".npz": Format[CloudReading](read_cloud_npz, "an .npz archive", many=False),
    ".parquet": Format[CloudReading](read_cloud_parquet, "a Parquet file"),
    ".pt": Format[CloudReading](scintillator.read_scintillator, "a scintillator event", many=False),
    ".zip": Format[CloudReading](bee.read_bee_zip, "a zip archive of Bee"),
    ".json": Format[CloudReading](bee.read_bee_json, "points of Bee", many=False),
}


class PointCloudFiles(EventFiles[CloudReading]):
    """The events of files and folders as point-cloud rows, read one at a time while iterating.

    Formats, told by the names and what is in the files: PILArNet-M and larcv3 as HDF5 (`.h5`, `.hdf5`),
    hits of ndlar_flow (`.h5`), points of Bee (`.json`, and `.zip` of these), scintillator events of Zenodo
    7347562 (`.pt`), an event as `.npz`, Parquet as nuzoo stores it; endings may be in capitals. See
    `EventFiles` for folders.

    Args:
        paths: Files and folders. Files come first.
        detector: Name of the detector, or the file that describes it; None for that of the format.
        energy_threshold: Hits of this many MeV or less are left out; 0.13 of PILArNet-M and 0 of others by
            default; of Parquet and `.npz` all are taken unless it is given.
        min_points: Events with fewer points than this, before the threshold, are passed over.
        vertices: Refuse files of PILArNet-M whose vertices are not in the frame of their points.
        mev_per_charge: MeV of one unit of charge in scintillator events, of an electron of Bee, and of a
            thousand electrons of ndlar_flow, whose energies are then not taken.
        formats: Names of datasets whose files are wanted, see `nuzoo.registry.DATASETS`; none for all.
        strict: Raise the first error instead of leaving the event out.
        truth: Leave out events whose labels and truth cannot be read. They are unknown otherwise.

    Raises:
        DetectorError: No such detector, or one that is not seen as point clouds.
        ValueError: A number that is no threshold, number of points or energy.
    """

    formats = _FORMATS

    def __init__(
        self,
        paths: Iterable[Path],
        *,
        detector: str | None = None,
        energy_threshold: float | None = None,
        min_points: int = 0,
        vertices: bool = False,
        mev_per_charge: float | None = None,
        formats: Sequence[str] = (),
        strict: bool = False,
        truth: bool = True,
    ) -> None:
        for name, value, positive in (
            ("energy_threshold", energy_threshold, False),
            ("min_points", min_points, False),
            ("mev_per_charge", mev_per_charge, True),
        ):
            if value is not None and not (math.isfinite(value) and (value > 0 if positive else value >= 0)):
                least = "above 0" if positive else "of at least 0"
                raise ValueError(
                    f"{name}: expected a number {least}, got {value}: leave it out for the usual one"
                )
        paths = [*map(Path, paths)]
        for folder in filter(is_folder, paths):
            know_detectors(folder)
        reading = CloudReading(
            root=common_root(paths),
            detector=None if detector is None else cloud_detector(detector),
            formats=tuple(formats),
            energy_threshold=energy_threshold,
            min_points=min_points,
            vertices=vertices,
            mev_per_charge=mev_per_charge,
            truth=truth,
        )
        super().__init__(paths, reading, strict=strict)

    @property
    def detector(self) -> Detector | None:
        """The detector that was asked for."""
        return self.reading.detector

    def schema(self, row: Row) -> EventSchema:
        """Return the columns of a row."""
        return cloud_schema(self.detector or cloud_detector(row["detector"]))

    def checked(self, row: Row) -> Row:
        """Return a row as it is stored; truth that cannot be is unknown, unless truth is asked for."""
        schema = self.schema(row)
        try:
            return checked_cloud(row, schema)
        except EventError as error:
            truth = truth_columns(schema)
            if self.reading.truth or error.column not in truth:
                raise
            self.notes.add(f"truth stays unknown: column {error.column}: {error.problem}", row["source"])
            return checked_cloud({name: row[name] for name in row if name not in truth}, schema)

    def event_of(self, file: Path) -> tuple[Path, Format[CloudReading] | None]:
        """Return the path that a file belongs to (that whose points it counts), and its format."""
        counted = (
            file.with_name(f"{file.stem.removesuffix('_points')}{ending}") for ending in (".h5", ".hdf5")
        )
        if file.name.endswith("_points.npy") and (found := next(filter(Path.is_file, counted), None)):
            return super().event_of(found)
        return super().event_of(file)
