"""Columns of labels: what their values mean is decided once for a whole column, by names where there are any.

Names of classes are compared without case, blanks and underscores. Whole numbers, also as text or floating
point, are positions in the names that the file declares; without such names they are PDG codes where one is
that of a neutrino (12, 14, 16, or negative), else numbers of the classes. Beside PDG codes, or alone in a
column `pids`, 1 may be a neutral current as in the DUNE files: the user says what it is. None, NaN, -1 and
empty texts are no label.
"""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nuzoo.datasets_scripts.readers.reading import Reading
from nuzoo.datasets_scripts.readers.source_errors import SourceFileError, UnknownLabelError
from nuzoo.files.events.event_classes import spelling

LABEL_NAMES = ("pids", "labels", "label")
"""What a column of labels may be called in a file."""

CODINGS = ("index", "pdg")
"""What whole numbers without names may be: numbers of classes, or PDG codes of the neutrino."""

NC_CODE = 1
NEUTRINOS = {12: "nue_cc", 14: "numu_cc", 16: "nutau_cc"}
"""The charged currents, by the PDG code of the neutrino without its sign."""

_MISSING = ("", "nan", "none", "null", "-1")
_WHOLE = re.compile(r"[+-]?\d+(\.0*)?")

NAMES_OF_LABELS = ("label_names", "class_names")
"""What the list of names may be called that the numbers of a column count."""

Known = int | str
Label = Known | None


@dataclass(frozen=True)
class LabelColumn:
    """A column of labels as a file holds it.

    Attributes:
        name: Of the column.
        values: One for each event.
        names: What its numbers count, if the file says so.
    """

    name: str
    values: Any
    names: tuple[str, ...] | None = None


def label_column(name: str, values: Any, names: Any = None) -> LabelColumn:
    """Return a column of labels of an array, with the array of names that it counts if there is one."""
    return LabelColumn(name, values, texts_of(names) or None)


def labels_in(file: Path, present: Container[str], reading: Reading) -> str:
    """Choose the column with labels of a file, "" where it has none; that it has others is noted."""
    found = [name for name in LABEL_NAMES if name in present]
    if len(found) > 1:
        reading.note(f"labels are those of {found[0]}; {', '.join(found[1:])} beside it is not read", file)
    return found[0] if found else ""


def texts_of(names: Any) -> tuple[str, ...]:
    """Return the texts in an array of names, or its only one; none where there is no array."""
    listed: Iterable[Any] = [] if names is None else np.ravel(names[()])
    return tuple(each.decode("utf-8", "replace") if isinstance(each, bytes) else str(each) for each in listed)


def class_number(name: str, classes: Sequence[str]) -> int | None:
    """Return the number of the class of a name, None if there is none."""
    return {spelling(each): number for number, each in enumerate(classes)}.get(spelling(name))


def class_of_pdg(code: int) -> str | None:
    """Return the class that a PDG code in a column of labels means, None if it means none."""
    return "nc" if code == NC_CODE else NEUTRINOS.get(abs(code))


def read_labels(
    file: Path | str, column: str, values: Iterable[Any], reading: Reading, names: Sequence[str] | None = None
) -> list[int | None]:
    """Read a whole column.

    Args:
        file: Where it is.
        column: Its name.
        values: One for each event.
        reading: Gives the classes.
        names: What the file says its numbers count.

    Returns:
        The number of the class of each event, None for no label; all None if the column cannot be read and
        `reading` does not ask for truth.

    Raises:
        UnknownLabelError: A value that is no class; the whole column is refused.
    """
    values = list(values)
    try:
        return _numbers(file, column, [_label(file, column, value) for value in values], reading, names)
    except SourceFileError as error:
        reading.go_without(error)
        return [None] * len(values)


def _label(file: Path | str, column: str, value: Any) -> Label:
    """Return the text or whole number of a value, None for no label."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        value = value.strip()
        if value.lower() in _MISSING:
            return None
        return int(value.partition(".")[0]) if _WHOLE.fullmatch(value) else value
    if value is None or value == -1 or (isinstance(value, float) and math.isnan(value)):
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value != int(value):
        raise UnknownLabelError(
            file, f"names of classes or whole numbers in {column!r}", repr(value)[:80], "correct the column"
        )
    return int(value)


def _numbers(
    file: Path | str, column: str, labels: list[Label], reading: Reading, names: Sequence[str] | None
) -> list[int | None]:
    found = list(dict.fromkeys(label for label in labels if label is not None))
    meaning = _meaning(file, column, found, reading, names)
    unknown = [label for label in found if label not in meaning]
    if unknown:
        raise _unknown(file, column, labels, unknown, reading, names)
    return [None if label is None else class_number(meaning[label], reading.classes) for label in labels]


def _meaning(
    file: Path | str, column: str, found: list[Known], reading: Reading, names: Sequence[str] | None
) -> dict[Known, str]:
    """Return the name of the class that each value means; those that mean none are missing."""
    texts = [label for label in found if isinstance(label, str)]
    numbers = [label for label in found if isinstance(label, int)]
    if texts:
        return {name: name for name in texts if class_number(name, reading.classes) is not None}
    if not numbers:
        return {}
    if names:
        reading.note(f"labels are numbers of the names in the file: {_counted(names)}", file)
        return {
            number: name
            for number, name in enumerate(names)
            if class_number(name, reading.classes) is not None
        }
    if _coding(file, column, numbers, reading) == "pdg":
        return _of_pdg(file, numbers, reading)
    reading.note(f"labels are numbers of classes: {_counted(reading.counted)}", file)
    return dict(enumerate(reading.counted))


def _counted(names: Sequence[str]) -> str:
    return ", ".join(f"{number} {name}" for number, name in enumerate(names))


def _coding(file: Path | str, column: str, numbers: list[int], reading: Reading) -> str:
    if reading.labels is not None:
        return reading.labels
    are_classes = all(0 <= number < len(reading.counted) for number in numbers)
    are_codes = not are_classes and any(abs(number) in NEUTRINOS for number in numbers)
    if NC_CODE in numbers and (are_codes or (column == "pids" and numbers == [NC_CODE])):
        beside = ", ".join(str(number) for number in numbers[:6] if number != NC_CODE)
        raise UnknownLabelError(
            file,
            f"in {column!r} numbers of classes, or PDG codes of neutrinos",
            f"{NC_CODE}{f' beside {beside}' if beside else ' alone'}, which may be the class of this number "
            "or, as in the DUNE files, NC",
            "say which: --labels pdg or --labels index",
        )
    return "pdg" if are_codes else "index"


def _of_pdg(file: Path | str, numbers: list[int], reading: Reading) -> dict[Known, str]:
    meaning: dict[Known, str] = {n: name for n in numbers if (name := class_of_pdg(n)) is not None}
    told = ", ".join(f"{n} {name}" for n, name in sorted(meaning.items(), key=str))
    reading.note(f"labels are PDG codes of the neutrino, 1 for NC: {told}", file)
    for name in dict.fromkeys(meaning.values()):
        if class_number(name, reading.classes) is None:
            reading.note(unlabelled(name, reading.classes), file)
    return meaning


def unlabelled(name: str, classes: Sequence[str]) -> str:
    """Say that events of a class that is not asked for stay without a label, and how to ask for it."""
    return f"events of {name} stay without a label: to keep it, {_asking_for([name], classes)}"


def _asking_for(names: Sequence[str], classes: Sequence[str]) -> str:
    return f"--classes {','.join([*classes, *names])}"


def _unknown(
    file: Path | str,
    column: str,
    labels: list[Label],
    unknown: list[Known],
    reading: Reading,
    names: Sequence[str] | None,
) -> UnknownLabelError:
    first = labels.index(unknown[0])
    expected = f"in {column!r} one of {', '.join(reading.classes)} or their numbers, for every event"
    more = f" and {len(unknown) - 1} other values" if len(unknown) > 1 else ""
    own = [names[u] if names and isinstance(u, int) and 0 <= u < len(names) else u for u in unknown]
    got = f"{str(own[0])[:80]!r} in event {first}{more}"
    remedy = "correct the column or leave it out"
    if all(isinstance(name, str) for name in own):
        remedy += f"; if these are classes of your own, {_asking_for([*map(str, own)][:6], reading.classes)}"
    return UnknownLabelError(file, expected, got, remedy)
