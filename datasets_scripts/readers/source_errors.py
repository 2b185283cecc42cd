"""The named errors of reading files: which one, what was expected, what came, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SourceFileError(ValueError):
    """Base of every error that a bad detector file raises.

    Attributes:
        file: The file, followed by `#<index>` where one event of many is meant.
        expected: What the file should have held.
        got: What it held.
        remedy: What to do about it.
        passed_over: It is of something that was not wanted, rather than broken.
    """

    passed_over = False

    def __init__(self, file: Path | str, expected: str, got: str, remedy: str) -> None:
        super().__init__(file, expected, got, remedy)
        self.file = str(file)
        self.expected = expected
        self.got = got
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.file}: expected {self.expected}, got {self.got}; {self.remedy}"


class UnreadableFileError(SourceFileError):
    """A path that does not exist, is no ordinary file, or may not be read."""


class UnknownFileTypeError(SourceFileError):
    """A file whose name does not tell a known format."""


class NotThisFormatError(SourceFileError):
    """A file whose contents are not what its name promises."""


class NoEventsError(SourceFileError):
    """A file that is whole and holds no event."""


class TruncatedFileError(SourceFileError):
    """A file that ends early or whose bytes are damaged."""


class TooLargeError(SourceFileError):
    """A file that unpacks to more than an event of its detector can hold."""


class ObjectArrayError(SourceFileError):
    """An array of pickled Python objects, which is never loaded."""


class ArraySizeError(SourceFileError):
    """An array whose shape is not the detector's."""


class MissingViewError(SourceFileError):
    """An event without one of its detector's views."""


class OtherDetectorError(SourceFileError):
    """A row of another detector than its file."""


class TooFewHitsError(SourceFileError):
    """An event with fewer hits than are asked for."""

    passed_over = True


class WrongEventError(SourceFileError):
    """An event with numbers that their column cannot hold; the `EventError` that says so is its cause."""

    def __init__(self, file: Path | str, column: str, problem: str) -> None:
        ValueError.__init__(self, file, column, problem)
        self.file, self.column, self.problem = str(file), column, problem

    def __str__(self) -> str:
        return f"{self.file}, column {self.column}: {self.problem}"


class UntrustedVertexError(SourceFileError):
    """Vertices are asked for that are in another frame than the hits, or are not there."""


class HostilePickleError(SourceFileError):
    """A pickle that asks for more than arrays of numbers; nothing of it is run."""


class OtherOrderError(SourceFileError):
    """Voxels whose numbers count the axes in another order."""


class UnknownScaleError(SourceFileError):
    """Counts without the energy that one of them stands for."""


class UnknownLabelError(SourceFileError):
    """A label that names none of the classes."""


def without_frames(error: SourceFileError) -> SourceFileError:
    """Return an error that can be kept: frames of its traceback would hold on to the maps of its event."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error


_CUT = ("truncated", "unexpected end", "expected chunk of length")
"""Words of libraries on files that end early."""


@contextmanager
def naming_errors(file: Path | str, expected: str) -> Iterator[None]:
    """Turn whatever a library raises on a bad file into a `SourceFileError`.

    Args:
        file: The file that is read.
        expected: What it should be, e.g. "an HDF5 file".

    Raises:
        SourceFileError: The named error; the library's own is its cause.
    """
    try:
        yield
    except SourceFileError:
        raise
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        remedy = "check the path and the permissions"
        raise UnreadableFileError(file, expected, error.strerror or str(error), remedy) from error
    except (MemoryError, OverflowError) as error:
        remedy = "the sizes it declares do not fit in memory; make the file again"
        raise TooLargeError(file, expected, type(error).__name__, remedy) from error
    except Exception as error:
        got = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
        if isinstance(error, EOFError) or any(word in got.lower() for word in _CUT):
            remedy = "copy or download the file again"
            raise TruncatedFileError(file, f"{expected} that is whole", got, remedy) from error
        remedy = "check that the file is what its name says, and whole"
        raise NotThisFormatError(file, expected, got, remedy) from error
