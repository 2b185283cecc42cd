"""Event displays as one self-contained interactive page: no server, no network, no library.

The page (`event_page.html`) zooms, pans, shows the energy under the pointer, switches views and
changes the colour scale. The event is embedded as JSON in which `<`, `>` and `&` are escaped, and
the page writes it with `textContent` only, so no string of a dataset can become markup; its title is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nuzoo.evaluation.core.provenance import sample_tag
from nuzoo.evaluation.core.style import class_parts
from nuzoo.evaluation.display.energy_scale import colours_on_dark
from nuzoo.evaluation.display.event_summary import true_class, truth_lines
from nuzoo.evaluation.display.page_parts import write_page
from nuzoo.evaluation.display.pixel_maps.event_views import ViewMap, energy_range, event_views

PAGE = "event_page.html"
ENERGY_DIGITS = 3


def write_interactive(
    row: Mapping[str, Any],
    out: Path,
    *,
    prediction: Mapping[str, Any] | None = None,
    sample: str | None = None,
) -> Path:
    """Write the interactive page of one event to `out`, see `nuzoo.evaluation.display.contract`."""
    views = event_views(row)
    low, high = energy_range(views)
    name, truth = str(row.get("event_id", "")), true_class(row)
    scores = {} if prediction is None else prediction["scores"]
    event = {
        "id": name,
        "detector": row["detector"],
        "tag": sample_tag([str(row.get("source", ""))], sample),
        "truth": truth_lines(row),
        "trueClass": truth,
        "prediction": prediction and {"label": prediction["label"], "scores": list(scores.items())},
        "symbols": {name: class_parts(name) for name in (*scores, *filter(None, [truth]))},
        "scale": {"low": low, "high": high},
        "colours": colours_on_dark(),
        "views": [_embedded(view) for view in views],
    }
    return write_page(out, __package__, PAGE, name, event)


def _embedded(of: ViewMap) -> dict[str, Any]:
    """Write a view for the page; indices as steps from one to the next, which are short numbers."""
    view = of.view
    return {
        "name": view.name,
        "rows": view.rows,
        "columns": view.columns,
        "rowPitch": view.row_pitch_mm / 10,
        "columnPitch": view.column_pitch_mm / 10,
        "rowStart": of.extent[2],
        "columnStart": of.extent[0],
        "rowLabel": of.row_label,
        "columnLabel": of.column_label,
        "window": [float(edge) for edge in of.activity()],
        "steps": np.diff(of.index, prepend=0).tolist(),
        "energy": [float(f"{energy:.{ENERGY_DIGITS}g}") for energy in of.energy],
    }
