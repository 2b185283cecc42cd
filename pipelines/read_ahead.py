"""What is read while the network works: a thread reads on, a few pieces ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Piece = TypeVar("Piece")

_END = object()


def read_ahead(pieces: Iterable[Piece], most: int = 2) -> Generator[Piece, None, None]:
    """Yield pieces in their order while a thread reads the next ones.

    What `pieces` raises is raised in its turn. Closed early, the generator waits for the piece that is being
    read, and no other is begun.

    Args:
        pieces: touched by the thread alone.
        most: how many may have been read and not been taken.
    """
    iterator = iter(pieces)
    reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead")
    try:
        waiting = deque(reader.submit(next, iterator, _END) for _ in range(most))
        while (piece := waiting.popleft().result()) is not _END:
            waiting.append(reader.submit(next, iterator, _END))
            yield piece  # type: ignore[misc]
    finally:
        reader.shutdown(cancel_futures=True)
