"""Told to stop, by Ctrl-C or by SIGTERM as batch systems send it, a command says so in one line and ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SECONDS_TO_DIE = 1.0
"""A killed process that the system holds up is not waited for any longer."""


class Stopped(KeyboardInterrupt):
    """The process was told to stop."""


class Stop:
    """Whether a command was told to stop.

    Attributes:
        signal: The signal that told so, if one did.
    """

    def __init__(self) -> None:
        self.signal: int | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: the first one lets the command tidy up, the next one ends the process."""
        if self.signal is not None:
            end_at_once(number)
        self.signal = number
        raise Stopped

    def at_once(self, number: int) -> None:
        """End the process without tidying up, where there is code that may not be interrupted."""
        end_at_once(number)


def end_at_once(number: int, frame: FrameType | None = None) -> None:
    """Say so and end the process, after those that work for it."""
    os.write(2, b"nuzoo: stopped\n")
    if (multiprocessing := sys.modules.get("multiprocessing")) is not None:
        for worker in multiprocessing.active_children():
            worker.kill()
            worker.join(SECONDS_TO_DIE)
    os._exit(128 + number)


def handle(handler: Any) -> dict[signal.Signals, Any]:
    """Handle the signals that are not ignored; return what handled them before."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, earlier in before.items():
        if earlier is not signal.SIG_IGN:
            signal.signal(number, handler)
    return before


@contextmanager
def stopping() -> Iterator[Stop]:
    """Raise `Stopped` in the block when the process is told to stop.

    An error after that is a consequence of it: what was being imported may raise one of its own.
    """
    stop = Stop()
    try:
        before, hook = handle(stop), sys.unraisablehook
    except ValueError:  # not the main thread, which alone is told
        yield stop
        return
    sys.unraisablehook = lambda lost: end_at_once(stop.signal or 0) if stop.signal else hook(lost)
    try:
        yield stop
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)
