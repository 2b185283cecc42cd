"""Who does pieces of work: this process, others of this machine, or those of a cluster.

Whoever gives work away asks none of them which it is: results come in the order of the pieces, and a piece
depends on nothing but itself, so that the bytes of what is made are the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Protocol, TypeVar

from nuzoo.datasets_scripts.common.worker_pool import SharedCount, worker_pool

Piece = TypeVar("Piece")
Result = TypeVar("Result")
Pending = TypeVar("Pending", bound="Awaited")

Tell = Callable[[int], object]
"""Is called with the number of events that were done."""

Work = Callable[[Tell, Piece], Result]
"""Does a piece, and tells of its events; picklable unless this process does it."""

IN_FLIGHT = 4
"""Pieces that are given away for each worker: enough that none waits, and never all of them."""

SECONDS_BETWEEN_LOOKS = 0.5


class WorkerLostError(ValueError):
    """A process that worked for this one is gone."""


class Workers(Protocol):
    """Those who do pieces of work."""

    @property
    def are_many(self) -> bool:
        """Whether there may be more than this process."""

    def do(
        self, work: Work[Piece, Result], pieces: Iterable[Piece], tell: Tell
    ) -> Generator[Result, None, None]:
        """Do pieces of work, and yield their results in the order of the pieces.

        Args:
            work: What to do with each.
            pieces: Taken as workers get free; results that are not yet taken hold up those after them.
            tell: Called in this process with the numbers of events that were done.

        Raises:
            WorkerLostError: A worker is gone, and nobody does what it was doing.
        """


class ThisProcess:
    """Does everything itself, one piece after the other."""

    are_many = False

    def do(
        self, work: Work[Piece, Result], pieces: Iterable[Piece], tell: Tell
    ) -> Generator[Result, None, None]:
        """Do pieces of work; see `Workers`."""
        return (work(tell, piece) for piece in pieces)


@dataclass(frozen=True)
class Processes:
    """Other processes of this machine; a single piece is done here.

    Attributes:
        number: How many.
    """

    number: int
    are_many = True

    def do(
        self, work: Work[Piece, Result], pieces: Iterable[Piece], tell: Tell
    ) -> Generator[Result, None, None]:
        """Do pieces of work; see `Workers`."""
        iterator = iter(pieces)
        first = list(islice(iterator, 2))
        if len(first) < 2:
            yield from ThisProcess().do(work, first, tell)
            return
        count, told = SharedCount(), 0

        def look(awaited: Future[Any]) -> int:
            nonlocal told
            wait([awaited], SECONDS_BETWEEN_LOOKS)
            tell((counted := count.value) - told)
            told = counted
            return self.number * IN_FLIGHT

        with worker_pool(self.number, count) as submit:
            submitted = (submit(_counted, work, piece) for piece in chain(first, iterator))
            try:
                for future in in_order(submitted, self.number * IN_FLIGHT, look):
                    yield future.result()
            except BrokenProcessPool as error:
                raise WorkerLostError(
                    "a process was killed, by want of memory perhaps: run it again"
                ) from error


class Awaited(Protocol):
    """Work that was given away."""

    def done(self) -> bool:
        """Say whether it has ended."""


def in_order(submitted: Iterator[Pending], most: int, look: Callable[[Pending], int]) -> Iterator[Pending]:
    """Yield work that was given away as it ends, in the order in which it was given.

    Args:
        submitted: Gives away one more piece whenever it is asked.
        most: How many may be away.
        look: Waits for one a while; returns how many may be away from then on.
    """
    away: deque[Pending] = deque()
    while True:
        away.extend(islice(submitted, max(0, most - len(away))))
        if not away:
            return
        most = look(away[0])
        while not away[0].done():
            most = look(away[0])
        yield away.popleft()


def processes(number: int) -> Workers:
    """Return so many processes of this machine; this one alone where it is one."""
    return ThisProcess() if number == 1 else Processes(number)


def _counted(work: Work[Piece, Result], piece: Piece) -> Result:
    """Do a piece in a process of a pool."""
    return work(SharedCount.of_pool().add, piece)
