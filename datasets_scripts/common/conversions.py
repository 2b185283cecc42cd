"""From files that a reader reads to the folder of a dataset: what the conversions of all datasets share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from nuzoo.datasets_scripts.common.converted import Conversion, leavings_of, write_conversion
from nuzoo.datasets_scripts.common.dataset_folder import DatasetRequestError
from nuzoo.datasets_scripts.common.described import digest_of
from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.common.splits import SplitRule, rule_of_fractions, rule_of_lists
from nuzoo.datasets_scripts.readers.read_by_workers import read_by
from nuzoo.datasets_scripts.workers.workers import Workers
from nuzoo.files.events.event_schema import EventSchema
from nuzoo.simulation.detectors import Detector


class Notes(Protocol):
    """What was decided about files."""

    def told(self) -> Iterator[str]:
        """Say what, a line each."""


class Files(Protocol):
    """What reads files, see `nuzoo.registry.Modality.reader`."""

    sink: Any
    lost: int

    @property
    def notes(self) -> Notes:
        """What was decided about them."""

    @property
    def detector(self) -> Detector | None:
        """The detector that was asked for."""

    def schema(self, row: Row) -> EventSchema:
        """Return the columns of a row."""

    def __iter__(self) -> Iterator[Row]:
        """Give their events."""


def asked_splits(
    split_fractions: Mapping[str, float] | None, manifests: Path | None, usual: SplitRule | None = None
) -> SplitRule:
    """Return the rule of splits that is asked for.

    Args:
        split_fractions: Share of each split.
        manifests: Folder with lists of the events of each split, `<split>.txt`.
        usual: The rule where neither is given; by the hash of names by default.

    Raises:
        DatasetRequestError: Both are given.
        SplitError: Fractions that do not add up, or lists that contradict each other.
    """
    if split_fractions is not None and manifests is not None:
        raise DatasetRequestError("expected splits by fractions or by lists, got both: leave one out")
    if split_fractions is not None:
        return rule_of_fractions(split_fractions)
    return (usual or SplitRule()) if manifests is None else rule_of_lists(manifests)


def write_files(
    out: Path,
    dataset: str,
    files: Files,
    finish: Callable[[Row], Row],
    rule: SplitRule,
    options: Mapping[str, Any],
    cluster: Workers | None = None,
) -> Conversion:
    """Write what files hold into a folder that `datasets.load_dataset` reads; see `write_conversion`.

    Args:
        out: Folder.
        dataset: Its name in `nuzoo.registry.DATASETS`.
        files: The files.
        finish: Adds to a row what the dataset stores beside it, such as a picture.
        rule: Which split an event belongs to.
        options: That decide what the rows are; those that are None were not given.
        cluster: Who reads them; this process by default.
    """
    detector = files.detector
    described = {} if detector is None else {"detector": detector.name, **digest_of(detector)}
    given = described | {key: value for key, value in options.items() if value is not None}
    with leavings_of(out) as leavings:
        files.sink = leavings
        with read_by(cluster, files, finish, out) as (rows, finished):
            made = write_conversion(
                out, dataset, rows, files.schema, finished, leavings, splits=rule, options=given
            )
    return replace(made, lost=made.lost + files.lost, notes=tuple(files.notes.told()))
