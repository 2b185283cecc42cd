"""Values that users write, checked against the types of what they become."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from huggingface_hub.dataclasses import type_validator

from nuzoo.files.nearest_names import did_you_mean

T = TypeVar("T")

LISTED = 12
"""Known fields are named in a message up to so many."""


class RecipeError(ValueError):
    """A recipe, or an override of one, that cannot be followed."""


Count = Annotated[int, "a whole number of 1 or more", lambda value: value >= 1]
Positive = Annotated[float, "a number above 0", lambda value: value > 0]
NotNegative = Annotated[float, "a number of 0 or more", lambda value: value >= 0]
Probability = Annotated[float, "a probability, from 0 to 1", lambda value: 0 <= value <= 1]
"""A type that is annotated with what it is in words, and whether a value of it is allowed."""

WORDS = {float: "a number", int: "a whole number", bool: "true or false", str: "a text", NoneType: "null"}


def types_of(kind: Callable[..., Any]) -> dict[str, Any]:
    """Return the types of a constructor's arguments by name; a text where one is not evaluated."""
    items = inspect.signature(kind).parameters.values()
    return {
        item.name: Any if item.annotation is item.empty else item.annotation
        for item in items
        if item.kind is not item.VAR_KEYWORD
    }


def checked_fields(section: str, given: Any, types: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a section, each of its type.

    Args:
        section: its name, for messages.
        given: its fields.
        types: of the fields that it may have.

    Raises:
        RecipeError: It is no section, or has an unknown field or a value of another type.
    """
    if not isinstance(given, Mapping):
        raise RecipeError(f"{section}: expected fields, got {given!r}")
    refuse_unknown(section, given, types)
    return {name: checked(f"{section}.{name}", value, types[name]) for name, value in given.items()}


def made_of(kind: Callable[..., T], section: str, given: Any) -> T:
    """Make an object of the fields of a section, which are its arguments.

    Args:
        kind: its class.
        section: name, for messages.
        given: its fields.

    Raises:
        RecipeError: See `checked_fields`; or a field is missing that has no default.
    """
    fields = checked_fields(section, given, types_of(kind))
    needed = {item.name for item in inspect.signature(kind).parameters.values() if item.default is item.empty}
    if lacking := sorted(needed - fields.keys()):
        raise RecipeError(f"{section}: expected also {', '.join(lacking)}")
    return kind(**fields)


def refuse_unknown(section: str, given: Iterable[Any], known: Iterable[str]) -> None:
    """Raise `RecipeError` for names that a section does not know, with the nearest ones that it does."""
    known = list(known)
    if unknown := [str(name) for name in given if name not in known]:
        expected = f"fields among {', '.join(known)}" if len(known) <= LISTED else "fields that it has"
        raise RecipeError(
            f"{section}: expected {expected}, got {', '.join(unknown)}{did_you_mean(unknown, known)}"
        )


def checked(name: str, value: Any, expected: Any) -> Any:
    """Return a value of a type; a whole number is a float where one is wanted.

    Args:
        name: of the field, for messages.
        value: as it was given.
        expected: type or union of types; one may be `Annotated` as `Count` is.

    Raises:
        RecipeError: It is of another type, or out of its limits.
    """
    options = get_args(expected) if get_origin(expected) in (Union, UnionType) else (expected,)
    for option in options:
        kind, _, allows = _parts(option)
        for given in (value, _with_floats(value)):
            if _is(given, kind) and allows(given):
                return given
    quoted = (
        f""": in quotes it is a text, '{name}="{value}"'""" if str in options and _is_plain(value) else ""
    )
    words = ", or ".join(_parts(one)[1] for one in options)
    raise RecipeError(f"{name}: expected {words}, got {value!r}{quoted}")


def _is_plain(value: Any) -> bool:
    return isinstance(value, bool | int | float)


def _parts(option: Any) -> tuple[Any, str, Callable[[Any], bool]]:
    """Return a type, its words, and whether a value of it is allowed."""
    if get_origin(option) is Annotated:
        kind, words, allows = get_args(option)
        return kind, words, allows
    if get_origin(option) is Literal:
        return option, " or ".join(map(repr, get_args(option))), lambda value: True
    return option, WORDS.get(option, getattr(option, "__name__", str(option))), lambda value: True


def _is(value: Any, kind: Any) -> bool:
    try:
        type_validator("", value, kind)
    except (TypeError, ValueError):
        return False
    return True


def _with_floats(value: Any) -> Any:
    """Return a number, or lists of numbers, as floats."""
    if isinstance(value, list):
        return [_with_floats(item) for item in value]
    return float(value) if type(value) is int else value
