"""Event displays as one self-contained interactive page: no server, no network, no library.

The page (`event_page.html`) zooms, pans, shows the energy under the pointer, switches views and
changes the colour scale. The event is embedded as JSON in which `<`, `>` and `&` are escaped, and
the page writes it with `textContent` only, so no string of a dataset can become markup; its title is escaped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import to_hex

from nuzoo.evaluation.core.provenance import sample_tag
from nuzoo.evaluation.core.style import class_parts
from nuzoo.evaluation.display.event_summary import true_class, truth_lines
from nuzoo.evaluation.display.pixel_maps.event_views import ViewMap, energy_range, event_views
from nuzoo.files.atomic import write_atomically

PAGE = "event_page.html"
PLACEHOLDER, TITLE = "EVENT_DATA", "EVENT_TITLE"
COLOURS = 64
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
    shades = matplotlib.colormaps["inferno"](np.linspace(0.25, 1, COLOURS))
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
        "colours": [to_hex(shade) for shade in shades],
        "views": [_embedded(view) for view in views],
    }
    page = files("nuzoo.evaluation.display.pixel_maps").joinpath(PAGE).read_text(encoding="utf-8")
    out.parent.mkdir(parents=True, exist_ok=True)
    head, body = page.split(PLACEHOLDER)
    head = head.replace(TITLE, escape(" ".join(name.split())))
    write_atomically(out, head + json_for_html(event) + body)
    return out


def json_for_html(data: Any) -> str:
    """Write JSON that is safe inside a script element: no tag, comment or entity can appear in it."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


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
