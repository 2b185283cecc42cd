"""Files of events that workers read: a file a piece, whose rows wait in a folder that all see for their turn.

What comes out, and in which order, is what the files themselves give.
"""

from __future__ import annotations

import pickle
import secrets
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, closing, contextmanager, nullcontext
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.event_files import EventFiles, Format
from nuzoo.datasets_scripts.readers.leavings import LeftOut
from nuzoo.datasets_scripts.readers.reading import Notes
from nuzoo.datasets_scripts.workers.workers import Tell, Workers
from nuzoo.files.atomic import replacing
from nuzoo.files.names import READING_FOLDER
from nuzoo.simulation.detectors import DETECTORS, OWN, Detector, enter_detector

Finish = Callable[[Row], Row]


@dataclass(frozen=True)
class FoundFile:
    """One file of events.

    Attributes:
        number: Among all that were found.
        event: What stands for it.
        form: How it is read.
        is_alike: Another one differs from it in its ending alone.
    """

    number: int
    event: Path
    form: Format[Any]
    is_alike: bool


@contextmanager
def read_by(
    workers: Workers | None, files: Any, finish: Finish, out: Path
) -> Iterator[tuple[Iterator[Row] | Any, Finish]]:
    """Let workers read files, and finish their rows, if there are any.

    Args:
        workers: Who reads; this process if None.
        files: An `EventFiles`.
        finish: Adds to a row what is stored beside it; picklable.
        out: Folder that is kept for this run, where rows wait.

    Yields:
        What gives the rows one at a time, and what finishes the row that was given last.
    """
    if workers is None:
        yield files, finish
        return
    waiting = out / READING_FOLDER
    shutil.rmtree(waiting, ignore_errors=True)
    folder = (waiting / secrets.token_hex(4)).absolute()  # another than that of workers of a run before
    folder.mkdir(parents=True)
    try:
        rows = _RowsByWorkers(files, workers, finish, folder)
        yield rows, rows.finished
    finally:
        shutil.rmtree(waiting, ignore_errors=True)


class _RowsByWorkers:
    """The rows of files that workers read.

    Args:
        files: The files; what is left out, noted and lost is told to them.
        workers: Who reads.
        finish: See `read_by`.
        folder: Where rows wait.
    """

    def __init__(self, files: EventFiles[Any], workers: Workers, finish: Finish, folder: Path) -> None:
        self.files, self.workers, self.finish, self.folder = files, workers, finish, folder
        self._finished: Row = {}

    def finished(self, row: Row) -> Row:
        """Return the row that was given last with what is stored beside it."""
        return self._finished

    def __iter__(self) -> Iterator[Row]:
        files, others = self.files, list[LeftOut]()
        before: deque[list[LeftOut]] = deque()

        def found() -> Iterator[FoundFile]:
            for number, (event, form) in enumerate(files.found(others)):
                before.append([*others])
                others.clear()
                yield FoundFile(number, event, form, event in files.reading.alike)

        owned = [detector for detector in DETECTORS.values() if detector.name not in OWN]
        read = partial(_read, _empty_copy(files), owned, self.finish, self.folder, Path.cwd())
        with closing(self.workers.do(read, found(), lambda events: None)) as done:
            for rows, notes, lost in done:
                self._leave_out(before.popleft())
                yield from self._rows(rows)
                files.notes.take(notes)
                files.lost += lost
        self._leave_out(others)

    def _leave_out(self, others: Sequence[LeftOut]) -> None:
        for item in others:
            if self.files.sink is not None:
                self.files.sink.append(item)

    def _rows(self, file: Path) -> Iterator[Row]:
        with file.open("rb") as stream:
            while (item := _next(stream)) is not None:
                if isinstance(item, LeftOut):
                    self._leave_out([item])
                else:
                    row, self._finished = item
                    yield row
        file.unlink()


def _next(stream: BinaryIO) -> Any:
    try:
        return pickle.load(stream)
    except EOFError:
        return None


def _empty_copy(files: EventFiles[Any]) -> EventFiles[Any]:
    """Return files as they are read, without any of them and without what was found out."""
    empty = copy(files)
    empty.paths, empty.sink, empty.left_out = [], None, []
    empty.reading = replace(files.reading, alike=set(), notes=Notes())
    return empty


def _read(
    files: EventFiles[Any],
    detectors: Sequence[Detector],
    finish: Finish,
    folder: Path,
    here: Path,
    tell: Tell,
    found: FoundFile,
) -> tuple[Path, Notes, int]:
    """Read a file in a worker, an event at a time; return where its rows are, and what was noted and lost."""
    for detector in detectors:
        enter_detector(detector)
    files, rows = _empty_copy(files), folder / f"{found.number:08d}.rows"
    files.reading.alike.update([found.event] if found.is_alike else [])
    place = nullcontext() if found.event.is_absolute() else chdir(here)  # names are told as they were given
    with place, replacing(rows) as unfinished, unfinished.open("wb") as stream:
        files.left_out, files.lost = _Dumped(stream), 0
        for row in files.read_event(found.event, found.form):
            pickle.dump((row, finish(row)), stream, pickle.HIGHEST_PROTOCOL)
            tell(1)
    return rows, files.notes, files.lost


class _Dumped:
    """Takes what is left out into the stream of rows, in its place among them."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.number = stream, 0

    def append(self, item: LeftOut, /) -> None:
        pickle.dump(item, self.stream, pickle.HIGHEST_PROTOCOL)
        self.number += 1

    def __iter__(self) -> Iterator[LeftOut]:
        return iter(())

    def __len__(self) -> int:
        return self.number
