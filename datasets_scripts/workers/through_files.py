"""Pieces and results that are large go by files that all workers see, and never through a scheduler."""

from __future__ import annotations

import pickle
import secrets
import shutil
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from nuzoo.datasets_scripts.workers.workers import Piece, Result, Tell, Work, Workers
from nuzoo.files.atomic import PARTIAL, replacing


class ThroughFiles:
    """Workers that are handed the file of a piece and hand back the file of its result.

    Files are there as long as somebody needs them: no more than pieces are away at a time.

    Args:
        workers: Who does the work; all see `folder`.
        folder: Where the files lie.
    """

    are_many = True

    def __init__(self, workers: Workers, folder: Path) -> None:
        self.workers, self.folder = workers, folder

    def do(
        self, work: Work[Piece, Result], pieces: Iterable[Piece], tell: Tell
    ) -> Generator[Result, None, None]:
        """Do pieces of work; see `Workers`."""
        done = self.workers.do(partial(_from_file, work), self._written(pieces), tell)
        with closing(done):
            for file in done:
                result: Result = pickle.loads(_result_of(file).read_bytes())
                file.unlink()
                _result_of(file).unlink()
                yield result

    def _written(self, pieces: Iterable[Piece]) -> Iterator[Path]:
        for number, piece in enumerate(pieces):
            file = self.folder / f"{number:08d}.piece"
            _write(file, piece)
            yield file


@contextmanager
def through_files(workers: Workers, beside: Path) -> Iterator[ThroughFiles]:
    """Let workers hand on work by a folder beside a file, which is gone after the block."""
    folder = beside.absolute().with_name(f".{beside.name}.{secrets.token_hex(4)}{PARTIAL}")
    folder.mkdir(parents=True)
    try:
        yield ThroughFiles(workers, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _from_file(work: Work[Piece, Result], tell: Tell, file: Path) -> Path:
    """Do the piece in a file, in a worker."""
    _write(_result_of(file), work(tell, pickle.loads(file.read_bytes())))
    return file


def _result_of(file: Path) -> Path:
    return file.with_suffix(".result")


def _write(file: Path, content: object) -> None:
    with replacing(file) as partial_file:
        partial_file.write_bytes(pickle.dumps(content, pickle.HIGHEST_PROTOCOL))
