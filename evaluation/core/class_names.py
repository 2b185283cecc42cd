"""Classes of a dataset as the classes of a model: matched by their names, never by their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError

if TYPE_CHECKING:
    from datasets import Dataset


def labels_by_name(rows: Dataset, names: Sequence[str], target: str = "label") -> Dataset:
    """Renumber the classes of events as a model does.

    Args:
        rows: Events; `target` is a column of names, or of numbers that its feature has names for. Numbers
            without names are left as they are, nothing is known of them.
        names: Of the classes of the model, in its order.
        target: The column with the truth.

    Raises:
        UnusableDatasetError: Events of a class that the model does not have.
    """
    from datasets import ClassLabel, Value

    feature = rows.features.get(target)
    own = getattr(feature, "names", None)
    if own == list(names) or (own is None and feature != Value("string")):
        return rows
    known = [_name_of(label, own) for label in rows[target]]
    if others := sorted({name for name in known if name is not None} - set(names)):
        count = sum(name in others for name in known)
        raise UnusableDatasetError(
            f"split {rows.split}, column {target}: expected events of the classes of the model "
            f"({', '.join(names)}), got {count:,} of {', '.join(others)}: leave them "
            "out, or use a model of these classes"
        )
    numbers = [None if name is None else list(names).index(name) for name in known]
    return rows.remove_columns(target).add_column(target, numbers, feature=ClassLabel(names=list(names)))


def _name_of(label: str | int | None, names: Sequence[str] | None) -> str | None:
    if label is None or isinstance(label, str):
        return label
    return names[label] if names is not None and label >= 0 else None
