"""The results file: one JSON with a versioned schema, from which reports and cards are made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nuzoo.evaluation.core.errors import ResultsFileError
from nuzoo.files.atomic import write_atomically

SCHEMA = "nuzoo-event-classification-results"
SCHEMA_VERSION = 1


def write_results(path: Path, results: dict[str, Any]) -> None:
    """Write a results file, complete or not at all. NaN is refused: undefined numbers are null."""
    write_atomically(path, json.dumps(results, indent=2, allow_nan=False) + "\n")


def read_results(path: Path) -> dict[str, Any]:
    """Read a results file.

    Raises:
        ResultsFileError: Not JSON, another schema, or another version of it.
    """
    try:
        results = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ResultsFileError(f"{path} should be a results file in JSON: {error}") from error
    header = results if isinstance(results, dict) else {}
    found = (header.get("schema"), header.get("schema_version"))
    if found != (SCHEMA, SCHEMA_VERSION):
        raise ResultsFileError(
            f"{path} should have schema {SCHEMA} version {SCHEMA_VERSION}, it has {found}; "
            "evaluate again with this version of nuzoo"
        )
    return results
