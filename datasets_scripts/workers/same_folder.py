"""Pieces of work that are done in the folder of whoever asks for them, so that their paths mean the same."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import chdir
from functools import partial
from pathlib import Path

from nuzoo.datasets_scripts.workers.workers import Piece, Result, Tell, Work


def in_this_folder(work: Callable[[Piece], Result]) -> Work[Piece, Result]:
    """Make work for `Workers` of a picklable function of a piece, which tells of no events."""
    return partial(_done_in, Path.cwd(), work)


def _done_in(folder: Path, work: Callable[[Piece], Result], tell: Tell, piece: Piece) -> Result:
    with chdir(folder):
        return work(piece)
