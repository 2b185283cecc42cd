"""When the kernels of a simulation are compiled: only where no cache holds them, and then it takes long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from numba.core.event import Event, Listener, install_listener


class _FirstCompilation(Listener):
    def __init__(self, tell: Callable[[], None]) -> None:
        self.tell, self.told = tell, False

    def on_start(self, event: Event) -> None:
        if not self.told:
            self.told = True
            self.tell()

    def on_end(self, event: Event) -> None:
        pass


@contextmanager
def telling_of_compilation(tell: Callable[[], None]) -> Iterator[None]:
    """Call a function before the first kernel is compiled in this process, if any is."""
    with install_listener("numba:compile", _FirstCompilation(tell)):
        yield
