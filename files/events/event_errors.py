"""What can be wrong with the events of a table, by name."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self


class EventError(ValueError):
    """An event cannot be used; the message says what was expected, what came and how to mend it.

    Args:
        message: the whole of it, for people.
        event: position of the first wrong event in what was given, where that is known.
        column: name of its wrong column.
        problem: the message without the place, for those who name it better; all of it by default.
    """

    def __init__(
        self, message: str, event: int | None = None, column: str | None = None, problem: str | None = None
    ):
        super().__init__(message)
        self.event = event
        self.column = column
        self.problem = problem or message

    def named(self, name_of: Callable[[int], Any]) -> Self:
        """Give the same error, which calls the event by its name where it is known, not by its position."""
        if self.event is None or self.column is None or self.problem == str(self):
            return self
        message = f"column {self.column!r} of event {name_of(self.event)}: {self.problem}"
        return type(self)(message, self.event, self.column, self.problem)


@contextmanager
def naming_events(name_of: Callable[[int], Any]) -> Iterator[None]:
    """Have errors call events by their names, where those of a batch are only known by their positions.

    Args:
        name_of: gives the name of the event at a position in the batch.
    """
    try:
        yield
    except EventError as error:
        raise error.named(name_of) from error


class ClassNamesError(ValueError):
    """Names of classes that cannot be told apart, or are those of other columns beside predictions."""


class MissingColumnError(EventError):
    """A column, or the list of an event in it, is not there."""


class ShapeError(EventError):
    """An array has another shape than it should, or columns of the same hits differ in length."""


class DtypeError(EventError):
    """An array has a type that cannot hold what it should."""


class UnitError(EventError):
    """Numbers are not in the unit of their column, and nothing says how to convert them."""


class NonFiniteError(EventError):
    """A number is NaN or infinite."""


class RangeError(EventError):
    """A number is outside of what its column can hold."""


class OrderError(EventError):
    """Positions are not in rising order, or one is there twice."""
