"""Read files of detector events, whatever their format, and go on past those that are broken."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from nuzoo.datasets_scripts.common.described import know_detectors, known_by_geometry
from nuzoo.datasets_scripts.common.event_values import checked_values
from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.arrays import names_in_npz, read_npy, read_npz
from nuzoo.datasets_scripts.readers.dense_maps import map_detectors, schema_counting
from nuzoo.datasets_scripts.readers.dune_cvn import read_dune_cvn, read_dune_truth
from nuzoo.datasets_scripts.readers.event_files import EventFiles, Format
from nuzoo.datasets_scripts.readers.folder_files import files_of_folders, is_folder, special_file
from nuzoo.datasets_scripts.readers.hdf5 import names_in_hdf5, read_hdf5
from nuzoo.datasets_scripts.readers.image_folder import image_event, read_image_folder, read_image_label
from nuzoo.datasets_scripts.readers.labels import CODINGS, class_number
from nuzoo.datasets_scripts.readers.parquet import declared_names, read_parquet
from nuzoo.datasets_scripts.readers.reading import MapDetector, Reading, beside, common_root
from nuzoo.datasets_scripts.readers.wirecell import read_frame_tar
from nuzoo.files.events.event_classes import EVENT_CLASSES, spelling
from nuzoo.files.events.event_schema import EventSchema
from nuzoo.simulation.detectors import find_detector
from nuzoo.simulation.errors import UnknownDetectorError
from nuzoo.simulation.response.pixel_maps import PixelMapReadout

_IMAGES = Format[Reading](
    read_image_folder, "an event as PNG images", read_image_label, many=False, ordinary=False
)
_HDF5 = Format[Reading](read_hdf5, "an HDF5 file", names=names_in_hdf5)
_FRAMES = Format[Reading](read_frame_tar, "a tar archive of Wire-Cell frames")
_FORMATS = {
    ".tar": _FRAMES,
    ".bz2": _FRAMES,
    ".tgz": _FRAMES,
    ".gz": Format[Reading](read_dune_cvn, "a DUNE CVN pixel map", read_dune_truth, many=False),
    ".h5": _HDF5,
    ".hdf5": _HDF5,
    ".npy": Format[Reading](read_npy, "a .npy array"),
    ".npz": Format[Reading](read_npz, "an .npz archive", names=names_in_npz),
    ".parquet": Format[Reading](read_parquet, "a Parquet file", names=declared_names),
}


class DetectorFiles(EventFiles[Reading]):
    """The events of files and folders as pixel-map rows, read one at a time while iterating.

    Formats, told by the names: DUNE CVN (`.gz`, with `.info`), images (`<event>_<view>.png`, with
    `<event>_pid.txt`), HDF5 (`.h5`, `.hdf5`), arrays (`.npy`, `.npz`), Parquet; endings may be in capitals.
    What an `.npz` holds tells maps, hits of OPERA and frames of Wire-Cell, which also come as tar archives.
    Files of one event count once, whichever of them is named. Folders are searched with all below them in
    sorted order, links too; hidden files are passed over. Files of other types in a folder are listed as left
    out and never raise.

    Args:
        paths: Files and folders. Files come first.
        detector: Name of the detector, or the file that describes it; None infers it, file by file, from the
            number, names and size of the views.
        mev_per_count: MeV of one count, of all files: floating-point maps, which are in MeV, are refused.
        usual_mev_per_count: MeV of one count of integer maps, where there are any. Without either they have
            the scale of `detector`, DUNE CVN files their own, and others are refused.
        classes: Names of the classes that labels count in rows.
        labels: What whole numbers as labels are, "index" (of a class) or "pdg"; None decides it for each
            column, see `nuzoo.datasets_scripts.readers.labels`.
        strict: Raise the first error instead of leaving the event out.
        truth: Leave out events whose labels and truth cannot be read. Without, they are unknown, and classes
            that files declare by name are known beside `classes`.
        usual_detector: What the events of the detector look like that is tried first, see
            `nuzoo.processors.contract.EventProcessor.reading_options`; it needs no description then.

    Attributes:
        left_out: What the last iteration left out.
        sink: Takes what is left out; None makes a new list for each iteration.
        notes: What the last iteration decided about files, and about which.
        lost: How many files the last iteration had nothing of, those passed over apart.

    Raises:
        DetectorError: No such detector, or one without pixel maps.
        ValueError: An energy of a count that is not a positive number, or no such kind of labels.
    """

    formats = _FORMATS

    def __init__(
        self,
        paths: Iterable[Path],
        *,
        detector: str | None = None,
        mev_per_count: float | None = None,
        usual_mev_per_count: float | None = None,
        classes: Sequence[str] = EVENT_CLASSES,
        labels: str | None = None,
        strict: bool = False,
        truth: bool = True,
        usual_detector: Mapping[str, Any] | None = None,
    ) -> None:
        for scale in (mev_per_count, usual_mev_per_count):
            if scale is not None and not (math.isfinite(scale) and scale > 0):
                raise ValueError(f"mev_per_count must be a positive number of MeV, got {scale}")
        if labels is not None and labels not in CODINGS:
            raise ValueError(f"labels: expected one of {', '.join(CODINGS)}, got {labels!r}")
        paths, counted = [*map(Path, paths)], tuple(classes)
        for folder in filter(is_folder, paths):
            know_detectors(folder)
        reading = Reading(
            root=common_root(paths),
            detector=None if detector is None else _with_maps(detector),
            mev_per_count=mev_per_count,
            usual_mev_per_count=usual_mev_per_count,
            usual_detector=None if detector or not usual_detector else known_by_geometry(usual_detector),
            classes=counted if truth else _with_named(counted, paths),
            numbered=len(counted),
            labels=labels,
            truth=truth,
        )
        super().__init__(paths, reading, strict=strict)

    @property
    def detector(self) -> MapDetector | None:
        """The detector that was asked for."""
        return self.reading.detector

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that labels count."""
        return self.reading.classes

    def schema(self, row: Row) -> EventSchema:
        """Return the columns of a row."""
        return schema_counting(self.detector or _with_maps(row["detector"]), self.classes)

    def checked(self, row: Row) -> Row:
        """Return a row as it is stored; its hits were checked where they were read."""
        return checked_values(row, self.schema(row))

    def event_of(self, file: Path) -> tuple[Path, Format[Reading] | None]:
        """Return the path that stands for the event of a file (the `.gz` of an `.info`), and its format."""
        if images := image_event(file, map_detectors(self.reading)):
            return images, _IMAGES
        if file.name.lower().endswith(".tar.gz"):
            return file, _FRAMES
        is_info = file.suffix.lower() == ".info"
        event = (beside(file, f"{file.stem}.gz") or file.with_suffix(".gz")) if is_info else file
        return super().event_of(event)

    @property
    def endings(self) -> str:
        """What names of files end in, for people."""
        return f".info, _<view>.png, _pid.txt, {super().endings}"


def declared_classes(paths: Iterable[Path]) -> tuple[str, ...]:
    """Return the names of the classes that Parquet files among paths declare, the usual ones if none do.

    Files that cannot be read declare nothing. Names that are the usual ones keep the usual order.
    """
    names = {spelling(name): name for name in _declared(paths, (".parquet",))}
    usual = {spelling(name) for name in EVENT_CLASSES}
    return EVENT_CLASSES if names.keys() <= usual else tuple(names.values())


def _with_named(classes: tuple[str, ...], paths: Iterable[Path]) -> tuple[str, ...]:
    """Return classes, and those beside them that files declare by name."""
    for name in _declared(paths, _FORMATS):
        if class_number(name, classes) is None:
            classes = (*classes, name)
    return classes


def _declared(paths: Iterable[Path], endings: Collection[str]) -> Iterator[str]:
    for path in paths:
        for files in files_of_folders(path) if is_folder(path) else [iter([path])]:
            for file in files:
                form = _FORMATS.get(file.suffix.lower())
                if form and form.names and file.suffix.lower() in endings and special_file(file) is None:
                    with suppress(Exception):
                        yield from form.names(file) or ()


def _with_maps(name: str) -> MapDetector:
    detector = find_detector(name)
    if not isinstance(detector.readout, PixelMapReadout):
        names = ", ".join(each.name for each in map_detectors())
        raise UnknownDetectorError(f"detector: expected one with pixel maps ({names}), got {name!r}")
    return detector
