"""Event displays as pictures: every view, what is true, and what the model says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator
from numpy.typing import NDArray

from nuzoo.evaluation.core.provenance import sample_tag
from nuzoo.evaluation.core.style import GREY, LETTERS_PER_INCH, PALETTE, figure, literal, wrapped
from nuzoo.evaluation.display.energy_scale import energy_colours
from nuzoo.evaluation.display.event_summary import true_class, truth_lines
from nuzoo.evaluation.display.pixel_maps.event_views import ViewMap, energy_range, event_views
from nuzoo.evaluation.display.side_panels import draw_facts, draw_scores

PANEL_INCHES = 4.4
CAPTION_INCHES = 0.8
INSET_PIXELS = 96
INSET_SIZE = 0.22
"""Side of the inset in units of the panel's."""


def draw_event(
    row: Mapping[str, Any],
    out: Path,
    *,
    prediction: Mapping[str, Any] | None = None,
    sample: str | None = None,
    full_view: bool = False,
    caption: str | None = None,
) -> Path:
    """Draw one event as a PNG picture, and beside it as PDF.

    Args:
        row: Pixel-map row.
        out: File to write.
        prediction: Output of the classification pipeline: {"label", "score", "scores"}.
        sample: What the events are, in the corner; needed unless the event is our simulation.
        full_view: Show the whole maps instead of the active window with an inset.
        caption: Text below the maps.

    Returns:
        `out`.

    Raises:
        UnknownDetectorError: There is no such detector.
        EventError: The hits are not those of it.
        EvaluationError: An event of another origin without `sample`.
    """
    views = event_views(row)
    tag = sample_tag([str(row.get("source", ""))], sample)
    norm = LogNorm(*energy_range(views), clip=True)
    width = PANEL_INCHES * len(views) + 2.9
    with figure(out, width, PANEL_INCHES + 0.5 + (CAPTION_INCHES if caption else 0), tag) as drawn:
        bars = len(prediction["scores"]) if prediction else 0
        grid = drawn.add_gridspec(
            2,
            len(views) + 1,
            width_ratios=[PANEL_INCHES] * len(views) + [2.5],
            height_ratios=(3, max(1.0, bars / 3)),
        )
        panels = [drawn.add_subplot(grid[:, i]) for i in range(len(views))]
        side = max(map(_side, [view for view in views if view.energy.size] or views))
        for axes, view in zip(panels, views, strict=True):
            _draw_view(axes, view, norm, view.extent if full_view else _window(view, side))
        colours = ScalarMappable(norm, energy_colours())
        bar = drawn.colorbar(
            colours, ax=panels, ticks=LogLocator(subs=(1, 2, 5)), format="%g", pad=0.01, shrink=0.82
        )
        bar.minorticks_off()
        bar.set_label("Energy per pixel (MeV)")
        facts = truth_lines(row) or [("truth", "not known")]
        draw_facts(drawn.add_subplot(grid[0, -1]), str(row.get("event_id", "")), facts)
        draw_scores(drawn.add_subplot(grid[1, -1]), prediction, true_class(row))
        if caption:
            text = "\n".join(wrapped(line, int(LETTERS_PER_INCH * width)) for line in caption.splitlines())
            drawn.supxlabel(text, x=0.01, ha="left", fontsize=10)
    return out


def _draw_view(axes: Axes, shown: ViewMap, norm: LogNorm, window: tuple[float, float, float, float]) -> None:
    image = shown.dense()
    style: dict[str, Any] = {"norm": norm, "cmap": energy_colours(), "origin": "lower", "aspect": "equal"}
    axes.imshow(image, extent=shown.extent, interpolation="nearest", zorder=1, **style)  # the grid is below
    axes.set_title(literal(f"{shown.view.name} view"))
    axes.set(xlabel=literal(f"{shown.column_label} (cm)"), ylabel=literal(f"{shown.row_label} (cm)"))
    axes.grid(linewidth=0.4)
    axes.set(xlim=window[:2], ylim=window[2:])
    if window == shown.extent:
        return
    corner = _emptiest_corner(shown, window)
    inset = axes.inset_axes((*corner, INSET_SIZE, INSET_SIZE))
    inset.imshow(brightest_of_blocks(image, INSET_PIXELS), extent=shown.extent, **style)
    left, right, bottom, top = window
    inset.add_patch(
        Rectangle((left, bottom), right - left, top - bottom, fill=False, edgecolor=PALETTE[0], lw=0.8)
    )
    inset.set(xticks=[], yticks=[])
    inset.spines[:].set(visible=True, color=GREY, linewidth=0.6)


def _emptiest_corner(view: ViewMap, window: tuple[float, float, float, float]) -> tuple[float, float]:
    """Find the lower left corner, in panel units, of the inset that hides the least energy."""
    left, right, bottom, top = window
    x, y = (view.x - left) / (right - left), (view.y - bottom) / (top - bottom)
    near, far, half = 0.01, 0.99 - INSET_SIZE, INSET_SIZE / 2

    def hidden(corner: tuple[float, float]) -> float:
        across, up = abs(x - corner[0] - half), abs(y - corner[1] - half)
        return float(view.energy[(across < half) & (up < half)].sum())

    return min([(far, far), (near, far), (far, near), (near, near)], key=hidden)


def _side(view: ViewMap) -> float:
    """Measure the longer side of the activity of a view, cm."""
    left, right, bottom, top = view.activity()
    return max(right - left, top - bottom)


def _window(view: ViewMap, side: float) -> tuple[float, float, float, float]:
    """Choose the square around the activity, as far as the map goes; all views of an event have one scale."""
    window, extent = view.activity(), view.extent
    return *_widen(window[:2], side, extent[:2]), *_widen(window[2:], side, extent[2:])


def _widen(window: tuple[float, float], side: float, limits: tuple[float, float]) -> tuple[float, float]:
    low, high = limits
    side = min(side, high - low)
    start = min(max(low, (sum(window) - side) / 2), high - side)
    return start, start + side


def brightest_of_blocks(image: NDArray[np.float64], pixels: int) -> NDArray[np.float64]:
    """Shrink an image to about `pixels` a side by the maximum of blocks: thin tracks stay seen."""
    block = max(1, -(-max(image.shape) // pixels))
    rows, columns = (-(-size // block) for size in image.shape)
    padded = np.full((rows * block, columns * block), -np.inf)
    padded[: image.shape[0], : image.shape[1]] = np.nan_to_num(image, nan=-np.inf)
    brightest = padded.reshape(rows, block, columns, block).max(axis=(1, 3))
    return np.where(np.isfinite(brightest), brightest, np.nan)
