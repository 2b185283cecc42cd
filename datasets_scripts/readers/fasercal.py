"""Read files of FASERCal events, `.npz` or WebDataset shards of them, past those that are broken."""

from __future__ import annotations

import json
import os
import re
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from nuzoo.datasets_scripts.common.event_values import checked_values
from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.fasercal_arrays import LARGEST_FILE, arrays_of
from nuzoo.datasets_scripts.readers.fasercal_rows import FewHitsError, hits_of_row, row_of
from nuzoo.datasets_scripts.readers.leavings import Leavings, LeftOut
from nuzoo.datasets_scripts.readers.reading import Notes, common_root, plain
from nuzoo.datasets_scripts.readers.source_errors import (
    SourceFileError,
    TooLargeError,
    UnknownFileTypeError,
    UnreadableFileError,
    WrongEventError,
    naming_errors,
    without_frames,
)
from nuzoo.files.events.detector_event_labels import ghosts as find_ghosts
from nuzoo.files.events.detector_events import DetectorEventSchema, detector_event_schema
from nuzoo.files.events.event_errors import EventError
from nuzoo.simulation.detectors import FASERCAL, find_detector
from nuzoo.simulation.errors import UnknownDetectorError
from nuzoo.simulation.response.sub_detectors import SubDetectorReadout

METADATA_FILE = "metadata.json"
MEMBER = "data.npz"
"""Ending of the members of a shard that are events."""
_EXPECTED = "a .npz of an event or a .tar of them"


class FaserCalFiles:
    """The events of files and folders as rows, read one at a time while iterating.

    Nothing is unpickled. Folders are searched with all below them in sorted order; files of other types
    in them are passed over.

    Args:
        paths: Files and folders.
        detector: Name of the detector.
        least_hits: Events with fewer hits of the 3DCal that are no ghosts are left out.
        ghosts: What a ghost is, a name in `GHOST_RULES`.
        strict: Raise the first error instead of leaving the event out.
        truth: Leave out events without labels and truth. Without, they are unknown where they are missing.

    Attributes:
        left_out: What the last iteration left out.
        sink: Takes what is left out; None makes a new list for each iteration.
        notes: What the last iteration decided about files, and about which.
        lost: How many files the last iteration had nothing of, those passed over apart.

    Raises:
        UnknownDetectorError: No such detector, or one without sub-detectors.
        GhostRuleError: No such rule for ghosts.
        ValueError: A negative number of hits.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        *,
        detector: str = FASERCAL.name,
        least_hits: int = 0,
        ghosts: str = "status",
        strict: bool = False,
        truth: bool = True,
    ) -> None:
        if least_hits < 0:
            raise ValueError(f"least_hits: expected 0 or more, got {least_hits}: leave it out for all events")
        find_ghosts(np.zeros(0, np.int64), ghosts)
        self.paths, self.strict, self.truth = [*map(Path, paths)], strict, truth
        self.least_hits, self.ghosts = least_hits, ghosts
        found = find_detector(detector)
        if not isinstance(found.readout, SubDetectorReadout):
            raise UnknownDetectorError(
                f"detector: expected one with sub-detectors such as {FASERCAL.name}, got {detector!r}"
            )
        self.detector = found
        self._schema = detector_event_schema(found.geometry())
        self._root = common_root(self.paths)
        self.sink: Leavings | None = None
        self.left_out: Leavings = []
        self.notes = Notes()
        self.lost = 0

    def schema(self, row: Row) -> DetectorEventSchema:
        """Return the columns of a row."""
        return self._schema

    def __iter__(self) -> Iterator[Row]:
        self.left_out = [] if self.sink is None else self.sink
        self.lost = 0
        self.notes.clear()
        for path in self.paths:
            if path.is_dir():
                for file in sorted(each for each in path.rglob("*") if not each.name.startswith(".")):
                    if not file.is_dir():
                        yield from self._read(file, found=True)
            else:
                yield from self._read(path, found=False)

    def _read(self, file: Path, *, found: bool) -> Iterator[Row]:
        before, events = len(self.left_out), 0
        try:
            with naming_errors(file, _EXPECTED):
                kind = file.suffix.lower()
                _check_ordinary(file)
                if kind not in (".npz", ".tar"):
                    raise UnknownFileTypeError(file, _EXPECTED, repr(kind), "leave it out, or convert it")
                for row in self._npz(file) if kind == ".npz" else self._tar(file):
                    events += 1
                    yield row
        except UnknownFileTypeError as error:
            self.lost += not found
            self._leave_out(file, error, strict=self.strict and not found, passed_over=found)
            return
        except SourceFileError as error:
            self._leave_out(file, error, strict=self.strict)
        self.lost += not events and len(self.left_out) > before

    def _npz(self, file: Path) -> Iterator[Row]:
        if file.stat().st_size > LARGEST_FILE:
            raise TooLargeError(file, f"at most {LARGEST_FILE} bytes of an event", "more", "check the file")
        yield self._row(file, file.read_bytes(), self._source(file))

    def _tar(self, file: Path) -> Iterator[Row]:
        """Read a shard as a stream; a member that is broken costs its event alone."""
        self._compare_with_metadata(file)
        with tarfile.open(file, "r|") as archive:
            for member in archive:
                if not member.isfile() or not member.name.endswith(MEMBER):
                    continue
                where = f"{file}#{plain(member.name)}"
                try:
                    if member.size > LARGEST_FILE:
                        remedy = "check the file"
                        raise TooLargeError(
                            where, f"at most {LARGEST_FILE} bytes of an event", "more", remedy
                        )
                    stream = archive.extractfile(member)
                    content = b"" if stream is None else stream.read()
                    yield self._row(where, content, f"{self._source(file)}#{plain(member.name)}")
                except tarfile.ReadError:
                    raise
                except SourceFileError as error:
                    self._leave_out(file, error, strict=self.strict)

    def _row(self, where: Path | str, content: bytes, source: str) -> Row:
        with naming_errors(Path(where), "arrays of an event"):
            arrays = arrays_of(where, content)
        row = row_of(where, arrays, truth=self.truth)
        row |= {"detector": self.detector.name, "source": source}
        try:
            row = checked_values(row, self._schema)
            self._schema.check(hits_of_row(row, self._schema))
        except EventError as error:
            raise WrongEventError(where, str(error.column), error.problem) from error
        if row.pop("is_local"):
            self.notes.add("layers are numbered in each module, and were numbered through", source)
        real = int((~find_ghosts(row["cal_status"], self.ghosts)).sum()) if self.least_hits else 0
        if real < self.least_hits:
            expected = f"at least {self.least_hits} hits that are no ghosts"
            raise FewHitsError(where, expected, str(real), "nothing is wrong with it: it is too small")
        return row

    def _source(self, file: Path) -> str:
        return plain(os.path.relpath(file.absolute(), self._root))

    def _compare_with_metadata(self, file: Path) -> None:
        """Note shards that are not there, by what stands beside them."""
        metadata, name = file.with_name(METADATA_FILE), re.fullmatch(r"(.+)-\d+", file.stem)
        if not metadata.is_file() or name is None:
            return
        try:
            said = int(json.loads(metadata.read_text())["splits"][name[1]]["num_shards"])
        except (ValueError, KeyError, TypeError):
            self.notes.add(
                f"expected the shards of each split in {METADATA_FILE}, got something else", str(file)
            )
            return
        there = len([*file.parent.glob(f"{name[1]}-*.tar")])
        if there != said:
            self.notes.add(
                f"{METADATA_FILE} says {said} shards of {name[1]}, {there} are there", self._source(file)
            )

    def _leave_out(
        self, path: Path, error: SourceFileError, *, strict: bool, passed_over: bool = False
    ) -> None:
        if strict:
            raise error
        self.left_out.append(LeftOut(path, without_frames(error), passed_over))


def _check_ordinary(file: Path) -> None:
    if not file.is_file():
        got = "something else" if file.exists() else "nothing there"
        raise UnreadableFileError(file, _EXPECTED, got, "check the path")
