"""Processes that work for this one and never outlive it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, ClassVar

CONTEXT = multiprocessing.get_context("spawn")

Submit = Callable[..., "Future[Any]"]
"""`ProcessPoolExecutor.submit`: takes a function and its arguments."""


class SharedCount:
    """A count that the processes of a pool add to and the one that started them reads."""

    _of_pool: ClassVar[SharedCount]

    def __init__(self) -> None:
        self._shared = CONTEXT.Value("Q", 0)

    def add(self, number: int) -> None:
        """Add to it, in a process of the pool."""
        with self._shared.get_lock():
            self._shared.value += number

    @property
    def value(self) -> int:
        """Read it without its lock, which a process that is killed would keep."""
        return int(self._shared.get_obj().value)

    @classmethod
    def of_pool(cls) -> SharedCount:
        """Return the one that the pool of this process was given."""
        return cls._of_pool

    def enter(self) -> None:
        """Be what `of_pool` returns in this process."""
        SharedCount._of_pool = self


@contextmanager
def worker_pool(num_proc: int, count: SharedCount | None = None) -> Iterator[Submit]:
    """Start processes for the block; an error in it or the end of this process ends them at once.

    Interrupts from the terminal, which go to every process, are left to this one.

    Args:
        num_proc: How many.
        count: What they find as `SharedCount.of_pool()`.
    """
    of_worker, lifeline = CONTEXT.Pipe(duplex=False)
    pool = ProcessPoolExecutor(num_proc, CONTEXT, initializer=_begin, initargs=(of_worker, count))

    def submit(function: Callable[..., Any], *args: Any) -> Future[Any]:
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
        try:
            return pool.submit(function, *args)  # starts a process, which inherits the mask
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    try:
        yield submit
    except BaseException:
        lifeline.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        lifeline.close()


def _begin(lifeline: Connection, count: SharedCount | None) -> None:
    _hold_on_to(lifeline)
    if count is not None:
        count.enter()


def _hold_on_to(lifeline: Connection) -> None:
    """End this process when the other end of a pipe closes: by that process, or with it."""

    def wait() -> None:
        lifeline.poll(None)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
