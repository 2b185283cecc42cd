"""The predictions file of any task: a Parquet table whose columns are there, and that gives the results."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from nuzoo.evaluation.core.errors import ResultsFileError
from nuzoo.evaluation.core.evaluator import Headline


def read_columns(path: Path, columns: Iterable[str]) -> pa.Table:
    """Read the table of a predictions file.

    Raises:
        ResultsFileError: Not such a file, or without one of these columns.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise ResultsFileError(
            f"{path} should be a Parquet file that `nuzoo evaluate` wrote: {error}"
        ) from error
    if missing := sorted(set(columns) - set(table.column_names)):
        raise ResultsFileError(f"{path} lacks the columns {missing}; run the evaluation again")
    return table


def check_headline(stated: Iterable[Headline], found: Mapping[str, Any], file: Path) -> None:
    """Refuse results whose headline is not what their predictions give.

    Args:
        stated: Of the results.
        found: The same numbers by key, computed from the predictions.
        file: Of the predictions.

    Raises:
        ResultsFileError: With the first number that differs.
    """
    for one in stated:
        again = float(found[one.key])
        if not math.isclose(one.value, again, rel_tol=1e-6, abs_tol=1e-9):
            raise ResultsFileError(
                f"the results say {one.key} {one.value}, {file} gives {again:.6g}: run `nuzoo evaluate` again"
            )
