"""Which events of a dataset are explained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from nuzoo.evaluation.core.errors import ExplanationError
from nuzoo.evaluation.display.draw_events import named_row
from nuzoo.files.nearest_names import did_you_mean

if TYPE_CHECKING:
    from datasets import Dataset


def choose_events(
    rows: Dataset, event_ids: Sequence[str] | None, number: int, target: str = "label"
) -> list[dict[str, Any]]:
    """Choose the events that are named, or a number of each class in turn, in the order of the dataset.

    Args:
        rows: Events.
        event_ids: Names.
        number: How many, without names.
        target: Column of the classes, if there is one.

    Raises:
        ExplanationError: A named event is not there.
    """
    known = list(rows["event_id"])
    if event_ids:
        if missing := [name for name in event_ids if name not in known]:
            raise ExplanationError(
                f"no event {', '.join(missing)} there: expected the name of an event such as {known[0]}"
                f"{did_you_mean(missing, known)}"
            )
        return [named_row(rows[known.index(name)], rows.features) for name in event_ids]
    labels = list(rows[target]) if target in rows.column_names else 0
    classes = pd.Series(labels, index=range(len(rows)))
    order = pd.DataFrame({"turn": classes.groupby(classes, dropna=False).cumcount(), "label": classes})
    places = order.sort_values(["turn", "label"], kind="stable").index[:number]
    return [named_row(rows[place], rows.features) for place in places]
