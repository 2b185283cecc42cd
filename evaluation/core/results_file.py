"""The results file: one JSON with a versioned schema, from which reports and cards are made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from nuzoo.evaluation.core.errors import ResultsFileError
from nuzoo.evaluation.core.results import ResultsFile
from nuzoo.files.atomic import write_atomically

R = TypeVar("R", bound=ResultsFile)

EXPECTED = {
    "float_type": "a number",
    "finite_number": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "a text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "names and values",
    "dataclass_type": "names and values",
}
"""What was expected, by pydantic's word for what is wrong."""


def as_json(part: Any) -> Any:
    """Make what is written of a dataclass of results: names, lists, texts and numbers."""
    return TypeAdapter(type(part)).dump_python(part, mode="json", by_alias=True)


def write_results(path: Path, results: ResultsFile) -> None:
    """Write a results file, complete or not at all. NaN is refused: undefined numbers are null."""
    name, version = results.SCHEMA
    content = {"schema": name, "schema_version": version, **as_json(results)}
    write_atomically(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def read_results(path: Path, kind: type[R]) -> R:
    """Read a results file that should hold a kind of results, every number of it checked.

    Raises:
        ResultsFileError: Not JSON, another schema or version, or something is missing or of another type.
    """
    try:
        text = path.read_text(encoding="utf-8")
        header = json.loads(text)
    except (OSError, ValueError) as error:
        raise ResultsFileError(f"{path} should be a results file in JSON: {error}") from error
    found = tuple(header.get(key) for key in ("schema", "schema_version")) if isinstance(header, dict) else ()
    if found != kind.SCHEMA:
        raise ResultsFileError(
            f"{path} should have schema {' version '.join(map(str, kind.SCHEMA))}, it has "
            f"{' version '.join(map(str, found)) or 'none'}; evaluate again with this version of nuzoo"
        )
    try:
        results = TypeAdapter(kind).validate_json(text, strict=True)
        results.check()
    except ValidationError as error:
        raise ResultsFileError(f"{path} {_problem(error)}; run `nuzoo evaluate` again") from error
    except ValueError as error:
        raise ResultsFileError(f"{path} {error}; run `nuzoo evaluate` again") from error
    return results


def _problem(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return f"lacks {place}"
    return f"should have {EXPECTED.get(first['type'], first['msg'])} at {place}, it has {first['input']!r}"
