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
from typing import Any

Submit = Callable[..., "Future[Any]"]
"""`ProcessPoolExecutor.submit`: takes a function and its arguments."""


@contextmanager
def worker_pool(num_proc: int) -> Iterator[Submit]:
    """Start processes for the block; an error in it or the end of this process ends them at once.

    Interrupts from the terminal, which go to every process, are left to this one.

    Args:
        num_proc: How many.
    """
    context = multiprocessing.get_context("spawn")
    of_worker, lifeline = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(num_proc, context, initializer=_hold_on_to, initargs=(of_worker,))

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


def _hold_on_to(lifeline: Connection) -> None:
    """End this process when the other end of a pipe closes: by that process, or with it."""

    def wait() -> None:
        lifeline.poll(None)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
