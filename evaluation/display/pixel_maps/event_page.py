"""Event displays as one self-contained interactive page: no server, no network, no library.

The page (`event_page.html`) zooms, pans, shows the energy under the pointer, switches views and
changes the colour scale. The event is embedded as JSON in which `<`, `>` and `&` are escaped, and
the page writes it with `textContent` only, so no string of a dataset can become markup.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.colors import to_hex

from nuzoo.datasets_scripts.pixel_map_rows import LABELS
from nuzoo.evaluation.core.provenance import sample_tag
from nuzoo.evaluation.display.pixel_maps.event_summary import true_class, truth_lines
from nuzoo.evaluation.display.pixel_maps.event_views import ViewMap, energy_range, event_views
from nuzoo.files.atomic import write_atomically

if TYPE_CHECKING:
    from nuzoo.simulation.detectors import Detector

PAGE = "event_page.html"
PLACEHOLDER = "EVENT_DATA"
COLOURS = 64
ENERGY_DIGITS = 3


def write_interactive(
    row: Mapping[str, Any],
    detector: Detector,
    out_html: Path,
    *,
    prediction: Mapping[str, Any] | None = None,
    class_names: Sequence[str] = LABELS,
    sample: str | None = None,
) -> Path:
    """Write the interactive page of one event.

    Args:
        row: Pixel-map row.
        detector: Its geometry, `DETECTORS[row["detector"]]`.
        out_html: File to write.
        prediction: Output of the classification pipeline: {"label", "score", "scores"}.
        class_names: Of the labels.
        sample: What the events are; needed unless the event is our simulation.

    Returns:
        `out_html`.

    Raises:
        DisplayError: The row cannot be drawn with this detector.
        EvaluationError: An event of another origin without `sample`.
    """
    views = event_views(row, detector)
    low, high = energy_range(views)
    shades = matplotlib.colormaps["inferno"](np.linspace(0.25, 1, COLOURS))
    event = {
        "id": str(row.get("event_id", "")),
        "detector": detector.name,
        "tag": sample_tag([str(row.get("source", ""))], sample),
        "truth": truth_lines(row, class_names),
        "trueClass": true_class(row, class_names),
        "prediction": prediction
        and {"label": prediction["label"], "scores": list(prediction["scores"].items())},
        "scale": {"low": low, "high": high},
        "colours": [to_hex(shade) for shade in shades],
        "views": [_embedded(view) for view in views],
    }
    page = files("nuzoo.evaluation.display.pixel_maps").joinpath(PAGE).read_text(encoding="utf-8")
    out_html.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out_html, page.replace(PLACEHOLDER, json_for_html(event)))
    return out_html


def json_for_html(data: Any) -> str:
    """JSON that is safe inside a script element: no tag, comment or entity can appear in it."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _embedded(view: ViewMap) -> dict[str, Any]:
    """A view for the page; indices as steps from one to the next, which are short numbers."""
    index = view.row * view.columns + view.column
    return {
        "name": view.name,
        "rows": view.rows,
        "columns": view.columns,
        "rowPitch": view.row_pitch,
        "columnPitch": view.column_pitch,
        "rowStart": view.row_start,
        "columnStart": view.column_start,
        "rowLabel": view.row_label,
        "columnLabel": view.column_label,
        "window": [float(edge) for edge in view.activity()],
        "steps": np.diff(index, prepend=0).tolist(),
        "energy": [float(f"{energy:.{ENERGY_DIGITS}g}") for energy in view.energy],
    }
