"""Read files of FASERCal events, `.npz`, WebDataset shards of them or Parquet, past broken ones."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nuzoo.datasets_scripts.common.event_values import checked_values
from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.event_files import EventFiles, Format
from nuzoo.datasets_scripts.readers.fasercal_arrays import LARGEST_FILE, arrays_of
from nuzoo.datasets_scripts.readers.fasercal_parquet import read_fasercal_parquet
from nuzoo.datasets_scripts.readers.fasercal_rows import USED, FewHitsError, hits_of_row, row_of
from nuzoo.datasets_scripts.readers.known_files import known_kind
from nuzoo.datasets_scripts.readers.reading import FileReading, common_root, plain
from nuzoo.datasets_scripts.readers.source_errors import (
    NotThisFormatError,
    SourceFileError,
    TooLargeError,
    TruncatedFileError,
    WrongEventError,
    naming_errors,
)
from nuzoo.files.events.detector_event_labels import ghosts as find_ghosts
from nuzoo.files.events.detector_events import DetectorEventSchema, detector_event_schema
from nuzoo.files.events.event_errors import EventError
from nuzoo.files.left_out import NAMES_SHOWN
from nuzoo.simulation.detectors import FASERCAL, Detector, find_detector
from nuzoo.simulation.errors import UnknownDetectorError
from nuzoo.simulation.response.sub_detectors import SubDetectorReadout

METADATA_FILE = "metadata.json"
MEMBER = "data.npz"
"""Ending of the members of a shard that are events."""


@dataclass(frozen=True, kw_only=True)
class FaserCalReading(FileReading):
    """How files of FASERCal are to be read.

    Attributes:
        detector: Whose events these are.
        least_hits: Events with fewer hits of the 3DCal that are no ghosts are passed over.
        ghosts: What a ghost is, a name in `GHOST_RULES`.
    """

    detector: Detector[SubDetectorReadout]
    least_hits: int = 0
    ghosts: str = "status"

    @property
    def schema(self) -> DetectorEventSchema:
        """The columns of a row."""
        return detector_event_schema(self.detector.geometry())

    def row(self, where: Path | str, content: bytes, source: str) -> Row:
        """Return the row of an event.

        Args:
            where: The file, for messages.
            content: Bytes of the `.npz`.
            source: Where it is, for the row.
        """
        with naming_errors(where, "arrays of an event"):
            row = row_of(where, arrays_of(where, content, USED), truth=self.truth)
        is_local = row.pop("is_local")
        row = self.checked_row(where, row | {"detector": self.detector.name, "source": source})
        if is_local:
            self.notes.add("layers are numbered in each module, and were numbered through", source)
        return row

    def checked_row(self, where: Path | str, row: Row) -> Row:
        """Return a row whose hits are as their columns say, or refuse it.

        Args:
            where: The file, for messages.
            row: Of an event.
        """
        try:
            self.schema.check(hits_of_row(row, self.schema))
        except EventError as error:
            raise WrongEventError(where, str(error.column), error.problem) from error
        if not self.least_hits:
            return row
        real = int((~find_ghosts(row["cal_status"], self.ghosts)).sum())
        if real < self.least_hits:
            expected = f"at least {self.least_hits} hits that are no ghosts"
            raise FewHitsError(where, expected, str(real), "nothing is wrong with it: it is too small")
        return row


def read_fasercal_npz(file: Path, reading: FaserCalReading) -> Iterator[Row | SourceFileError]:
    """Read the `.npz` of one event."""
    if file.stat().st_size > LARGEST_FILE:
        raise _too_large(file)
    try:
        yield reading.row(file, file.read_bytes(), reading.source(file))
    except FewHitsError as error:
        yield error


def read_fasercal_tar(file: Path, reading: FaserCalReading) -> Iterator[Row | SourceFileError]:
    """Read a shard as a stream; a member that is broken costs its event alone. No file is unpacked."""
    _compare_with_metadata(file, reading)
    others: list[str] = []
    with _opened(file) as archive:
        events = 0
        for member in archive:
            name = plain(member.name)
            _check_within(file, name, member)
            if not member.name.endswith(MEMBER):
                others = [*others, name][:NAMES_SHOWN]
                continue
            events += 1
            try:
                yield _row_of_member(f"{file}#{name}", archive, member, reading)
            except SourceFileError as error:
                yield error
        _check_ended(file, archive.offset)
    if not events:
        got = ", ".join(others) or "none"
        raise NotThisFormatError(
            file, f"members whose names end in {MEMBER}", got, "name each <event>.data.npz"
        )


def _opened(file: Path) -> tarfile.TarFile:
    """Open an archive as a stream, or say what the file is instead."""
    try:
        return tarfile.open(file, "r|")
    except tarfile.ReadError as error:
        if "invalid header" in str(error) and (kind := known_kind(file)):
            remedy = kind.remedy_for(_FORMATS)
            raise NotThisFormatError(file, "a tar archive", kind.text, remedy) from error
        raise


def _row_of_member(
    where: str, archive: tarfile.TarFile, member: tarfile.TarInfo, reading: FaserCalReading
) -> Row:
    if member.size > LARGEST_FILE:
        raise _too_large(where)
    stream = archive.extractfile(member) if member.isfile() else None
    if stream is None:
        raise NotThisFormatError(where, "the .npz of an event", "a link or a folder", "store the file itself")
    source = reading.source(Path(where))
    return reading.row(where, stream.read(), source)


def _check_within(file: Path, name: str, member: tarfile.TarInfo) -> None:
    """Refuse a member that is said to end after its archive: to look for its end might take for ever."""
    there = file.stat().st_size - member.offset_data
    if not 0 <= member.size <= there and member.isfile():
        expected = f"a whole archive with {member.size} bytes of {name!r}"
        raise TruncatedFileError(file, expected, f"{there}", "copy or make the file again")


def _check_ended(file: Path, offset: int) -> None:
    """Refuse an archive that does not end where reading ended: tarfile stops at a damaged header unasked."""
    with file.open("rb") as stream:
        stream.seek(offset)
        block = stream.read(tarfile.BLOCKSIZE)
    if block != bytes(tarfile.BLOCKSIZE):
        got = "a damaged header" if block else "the end of the file"
        expected = f"a block of zeros after the last member, at byte {offset}"
        raise TruncatedFileError(file, expected, got, "copy or make the file again")


def _too_large(where: Path | str) -> TooLargeError:
    return TooLargeError(where, f"at most {LARGEST_FILE} bytes of an event", "more", "check the file")


def _compare_with_metadata(file: Path, reading: FaserCalReading) -> None:
    """Note shards that are not there, by what stands beside them."""
    metadata, name = file.with_name(METADATA_FILE), re.fullmatch(r"(.+)-\d+", file.stem)
    if not metadata.is_file() or name is None:
        return
    try:
        said = int(json.loads(metadata.read_text())["splits"][name[1]]["num_shards"])
    except (ValueError, KeyError, TypeError):
        reading.note("expected num_shards of each split, got something else", metadata)
        return
    there = len(
        [each for each in file.parent.glob("*.tar") if re.fullmatch(rf"{re.escape(name[1])}-\d+", each.stem)]
    )
    if there != said:
        reading.note(f"{said} shards of {name[1]} are told of, {there} are there", metadata)


_FORMATS = {
    ".npz": Format[FaserCalReading](read_fasercal_npz, "an .npz archive of an event", many=False),
    ".parquet": Format[FaserCalReading](read_fasercal_parquet, "a Parquet file"),
    ".tar": Format[FaserCalReading](read_fasercal_tar, "a .tar archive of events"),
}


class FaserCalFiles(EventFiles[FaserCalReading]):
    """The events of files and folders as rows, read one at a time while iterating; see `EventFiles`.

    Formats: an event as the public converter writes it (`.npz`), WebDataset shards of such events (`.tar`),
    and Parquet as nuzoo stores it. Nothing is unpickled.

    Args:
        paths: Files and folders. Files come first.
        detector: Name of the detector.
        least_hits: Events with fewer hits of the 3DCal that are no ghosts are passed over.
        ghosts: What a ghost is, a name in `GHOST_RULES`.
        strict: Raise the first error instead of leaving the event out.
        truth: Leave out events without labels and truth. They are unknown where they are missing otherwise.

    Raises:
        UnknownDetectorError: No such detector, or one without sub-detectors.
        GhostRuleError: No such rule for ghosts.
        ValueError: A negative number of hits.
    """

    formats = _FORMATS

    def __init__(
        self,
        paths: Iterable[Path],
        *,
        detector: str | None = None,
        least_hits: int = 0,
        ghosts: str = "status",
        strict: bool = False,
        truth: bool = True,
    ) -> None:
        if least_hits < 0:
            raise ValueError(f"least_hits: expected 0 or more, got {least_hits}: leave it out for all events")
        find_ghosts(np.zeros(0, np.int64), ghosts)
        found = find_detector(detector or FASERCAL.name)
        if not isinstance(found.readout, SubDetectorReadout):
            raise UnknownDetectorError(
                f"detector: expected one with sub-detectors such as {FASERCAL.name}, got {detector!r}: "
                "take that one"
            )
        paths = [*map(Path, paths)]
        reading = FaserCalReading(
            root=common_root(paths), truth=truth, detector=found, least_hits=least_hits, ghosts=ghosts
        )
        super().__init__(paths, reading, strict=strict)

    @property
    def detector(self) -> Detector:
        """Whose events they are."""
        return self.reading.detector

    def schema(self, row: Row) -> DetectorEventSchema:
        """Return the columns of a row."""
        return self.reading.schema

    def checked(self, row: Row) -> Row:
        """Return the row with the numbers per event as their columns store them."""
        return checked_values(row, self.reading.schema)
