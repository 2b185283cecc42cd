"""Datasets that are read from files of detectors."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nuzoo.datasets_scripts.common.dataset_folder import DatasetRequestError, write_dataset
from nuzoo.datasets_scripts.common.rows import Row, row_features
from nuzoo.datasets_scripts.common.samples import find_sample, schema_of
from nuzoo.simulation.detectors import find_detector


def write_conversion(
    out: Path, dataset: str, rows: Sequence[Row], finish: Callable[[Row], Mapping[str, Any]]
) -> dict[str, Any]:
    """Write rows that were read from files into a folder; see `write_dataset`.

    Args:
        out: Folder.
        dataset: Its name in `nuzoo.registry.DATASETS`.
        rows: The events, all of one detector.
        finish: Adds to a row what the dataset stores beside it, such as a picture.

    Returns:
        The manifest.

    Raises:
        DatasetRequestError: No events, events of several detectors, or two of one name.
        DatasetFolderError: `out` holds another dataset.
    """
    detectors = {row["detector"] for row in rows}
    if len(detectors) != 1:
        raise DatasetRequestError(
            f"expected events of one detector, got {', '.join(sorted(detectors)) or 'no readable event'}"
        )
    _refuse_repeated(row["event_id"] for row in rows)
    return write_dataset(
        out,
        {row["event_id"]: row for row in rows},
        row_features(schema_of(find_sample(dataset).modality, find_detector(detectors.pop()))),
        finish,
        {"dataset": dataset, "events": len(rows), "sha256": _digest(rows)},
    )


def _digest(rows: Sequence[Row]) -> str:
    """SHA-256 of all that the rows hold, so that other files or another scale are another dataset."""
    digest = hashlib.sha256()
    for row in rows:
        for name, value in sorted(row.items()):
            digest.update(name.encode())
            digest.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
    return digest.hexdigest()


def _refuse_repeated(event_ids: Iterable[str]) -> None:
    repeated = [event_id for event_id, times in Counter(event_ids).items() if times > 1]
    if repeated:
        raise DatasetRequestError(
            f"expected one event of each name, got {len(repeated)} names more than once (for example "
            f"{repeated[0]}): convert the folders one by one, or rename them"
        )
