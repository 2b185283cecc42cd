"""Compiled code that no signal interrupts: an exception raised while it is entered crashes the process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)

PATIENCE = 5.0
"""Seconds after which a command that was told to stop ends without its event: kernels may be compiling."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold back signals that are handled in Python until the end of the block.

    A handler that can end the process (`at_once`) does so at a second signal, or where the block takes long.
    """
    told: list[int] = []
    last: list[Timer] = []

    def hold(number: int, frame: FrameType | None) -> None:
        at_once = getattr(before[signal.Signals(number)], "at_once", None)
        if at_once is not None and told:
            at_once(number)
        elif at_once is not None:
            last.append(Timer(PATIENCE, at_once, (number,)))
            last[0].daemon = True
            last[0].start()
        told.append(number)

    before = {number: handler for number in SIGNALS if callable(handler := signal.getsignal(number))}
    try:
        for number in before:
            signal.signal(number, hold)
    except ValueError:  # not the main thread, which alone is told
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for timer in last:
            timer.cancel()
        for each in told[:1]:
            signal.raise_signal(each)
