"""What is read ahead comes as it would have come, is bounded, and ends when nobody wants more of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from nuzoo.pipelines.read_ahead import read_ahead


def threads() -> int:
    return sum(thread.name.startswith("read-ahead") for thread in threading.enumerate())


def test_pieces_come_in_order_and_the_thread_ends():
    assert list(read_ahead(range(50))) == list(range(50))
    assert list(read_ahead([])) == []
    assert threads() == 0


def test_no_more_are_read_than_may_wait():
    read: list[int] = []

    def pieces() -> Iterator[int]:
        for number in range(20):
            read.append(number)
            yield number

    taken = read_ahead(pieces(), most=3)
    for number in range(5):
        assert next(taken) == number
        time.sleep(0.02)
        assert len(read) <= number + 1 + 3
    taken.close()


def test_reading_goes_on_while_nobody_asks():
    second = threading.Event()

    def pieces() -> Iterator[int]:
        yield 1
        second.set()
        yield 2

    taken = read_ahead(pieces())
    assert next(taken) == 1
    assert second.wait(5)
    assert list(taken) == [2]


def test_an_error_comes_in_its_turn():
    def pieces() -> Iterator[int]:
        yield from range(3)
        raise ValueError("broken file")

    taken, seen = read_ahead(pieces()), []
    with pytest.raises(ValueError, match="broken file"):
        for piece in taken:
            seen.append(piece)
    assert seen == [0, 1, 2]
    assert threads() == 0


def test_closed_early_it_begins_no_other_piece():
    begun: list[int] = []

    def pieces() -> Iterator[int]:
        for number in range(100):
            begun.append(number)
            time.sleep(0.01)
            yield number

    taken = read_ahead(pieces())
    next(taken)
    taken.close()
    after = len(begun)
    time.sleep(0.05)
    assert len(begun) == after < 10
    assert threads() == 0
