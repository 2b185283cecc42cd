"""What a card needs of a results file, and what of it is missing or is something else."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from nuzoo.hub.errors import MissingResultsError
from nuzoo.hub.model.event_classifier_card import HEADLINE

NUMBER, WHOLE, TEXT, UNDEFINED = "a number", "a whole number", "a text", "a number or null"
NAME_OR_NULL = "a text or null"

MEASURED = {"value": NUMBER, "error": UNDEFINED}
MAYBE_MEASURED = {"value": UNDEFINED, "error": UNDEFINED}
NEEDED: Mapping[str, Any] = {
    "created": TEXT,
    "class_names": [TEXT],
    "dataset": {
        "sample": TEXT,
        "split": NAME_OR_NULL,
        "events": WHOLE,
        "events_per_class": {},
        "event_ids_sha256": TEXT,
    },
    "model": {"model_type": TEXT, "parameters": WHOLE, "dtype": TEXT},
    "metrics": dict.fromkeys(HEADLINE, MEASURED),
    "calibration": {
        "temperature": {**MEASURED, "fitted_on": TEXT},
        **dict.fromkeys(("ece_before", "ece_after", "ece_if_perfect"), MAYBE_MEASURED),
    },
    "cost": {
        "batch_size": WHOLE,
        "ms_per_event": {"total": MAYBE_MEASURED, "model": MAYBE_MEASURED},
        "peak_memory": {"mib": NUMBER, "counts": TEXT},
    },
    "machine": {"processor": TEXT, "threads": WHOLE},
}


def check_shape(results: Mapping[str, Any], file: object, remedy: str) -> None:
    """Refuse results from which no card can be made.

    Args:
        results: Contents of a results file.
        file: Its name, for the message.
        remedy: What to do, for the message.

    Raises:
        MissingResultsError: With the first number or text that is missing, or is something else.
    """
    problem = next(_problems(results, NEEDED, ""), None) or next(_of_classes(results), None)
    if problem:
        raise MissingResultsError(f"{file} {problem}; {remedy}")


def _of_classes(results: Mapping[str, Any]) -> Iterator[str]:
    names = results["class_names"]
    counts = dict.fromkeys(names, WHOLE)
    yield from _problems(results["dataset"]["events_per_class"], counts, "dataset.events_per_class")
    per_class = dict.fromkeys(("recall", "precision", "auc"), dict.fromkeys(names, MAYBE_MEASURED))
    yield from _problems(results["metrics"], per_class, "metrics")
    halves = results.get("half_resolution") or {}
    modes = halves if isinstance(halves, Mapping) else ()
    changed = dict.fromkeys(("accuracy", "accuracy_change"), MAYBE_MEASURED)
    yield from _problems(halves, dict.fromkeys(modes, changed), "half_resolution")


def _problems(found: Any, needed: Any, place: str) -> Iterator[str]:
    if isinstance(needed, Mapping):
        if not isinstance(found, Mapping):
            yield _other("names and values", place, found)
            return
        for name, inner in needed.items():
            where = f"{place}.{name}".lstrip(".")
            if name in found:
                yield from _problems(found[name], inner, where)
            else:
                yield f"lacks {where}"
    elif isinstance(needed, list):
        if not isinstance(found, list) or not found or not all(_is(each, needed[0]) for each in found):
            yield _other("a list of texts", place, found)
    elif not _is(found, needed):
        yield _other(needed, place, found)


def _is(found: object, needed: str) -> bool:
    if found is None:
        return needed in (UNDEFINED, NAME_OR_NULL)
    if needed in (TEXT, NAME_OR_NULL):
        return isinstance(found, str)
    if isinstance(found, bool) or not isinstance(found, int if needed == WHOLE else (int, float)):
        return False
    return math.isfinite(found)


def _other(expected: str, place: str, found: object) -> str:
    return f"should have {expected} at {place}, it has {found!r}"
