"""Scenes in print: three projections coloured by energy, and again by the classes of the points."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator
from numpy.typing import NDArray

from nuzoo.evaluation.core.style import INK, PALETTE, figure, literal, wrapped
from nuzoo.evaluation.display.energy_scale import energy_colours, scale_of
from nuzoo.evaluation.display.scenes.projection import Projection, project
from nuzoo.evaluation.display.scenes.scene import Colouring, Scene
from nuzoo.evaluation.display.side_panels import draw_facts, draw_scores
from nuzoo.files.events.point_cloud_events import PLANES

PANEL_INCHES, BESIDE_INCHES, SIDE_INCHES = 3.5, 1.3, 3.2
"""Edge of a projection, width of colour bar and legends beside them, and of what is written."""

AXES = "xyz"
MARGIN = 0.05
SMALLEST_WINDOW_CM = 10.0
FINEST = 200
"""Cells along a panel: smaller ones are drawn this large, so that print and screen show each."""

BAR = (0.0, 0.05, 0.13, 0.9)
"""Place of the colour bar in its panel: left, bottom, width, height."""

FACT_LINE_INCHES = 0.165
MOST_SHAPES = 5000
"""Cells that are shapes in a PDF; more are a picture in it."""

LEGEND_WIDTH = 18
SCALE_BAR = 0.3
"""Longest scale bar, in units of the panel's edge."""

ROUND = (1, 2, 5)


def draw_scene(scene: Scene, out: Path) -> list[Path]:
    """Draw a scene as a PNG picture, and beside it as PDF.

    Args:
        scene: With or without points.
        out: PNG file to write.

    Returns:
        Both files.
    """
    low, high = scene.window(MARGIN, SMALLEST_WINDOW_CM)
    views = {name: project(scene, axes) for name, axes in PLANES.items()}
    printed = [colouring for colouring in scene.colourings if colouring.in_figure]
    rows = 1 + len(printed)
    width = len(PLANES) * PANEL_INCHES + SIDE_INCHES + BESIDE_INCHES
    with figure(out, width, rows * (PANEL_INCHES + 0.35) + 0.3, scene.tag) as drawn:
        ratios = [PANEL_INCHES] * len(PLANES) + [BESIDE_INCHES, SIDE_INCHES]
        grid = drawn.add_gridspec(rows, len(ratios), width_ratios=ratios)
        for number in range(rows):
            panels = [drawn.add_subplot(grid[number, column]) for column in range(len(PLANES))]
            for axes, (name, view) in zip(panels, views.items(), strict=True):
                _frame(axes, name, low, high)
                draw_marks(axes, scene, view.axes)
            beside = drawn.add_subplot(grid[number, -2])
            beside.axis("off")
            if number:
                _draw_classes(panels, beside, list(views.values()), scene, printed[number - 1])
            else:
                _draw_energy(panels, beside, list(views.values()), scene)
                draw_scale_bar(panels[0])
        draw_side(drawn, grid[:, -1], scene, rows * PANEL_INCHES)
    return [out, out.with_suffix(".pdf")]


def _frame(axes: Axes, name: str, low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
    right, up = PLANES[name]
    axes.set_title(f"{name} projection")
    axes.set(xlabel=f"{AXES[right]} (cm)", ylabel=f"{AXES[up]} (cm)", aspect="equal")
    axes.set(xlim=(low[right], high[right]), ylim=(low[up], high[up]))
    axes.grid(linewidth=0.4)


def _draw_energy(panels: Sequence[Axes], beside: Axes, views: Sequence[Projection], scene: Scene) -> None:
    norm = LogNorm(*scale_of(np.concatenate([view.energy for view in views])), clip=True)
    for axes, view in zip(panels, views, strict=True):
        draw_cells(axes, view, scene.pitch, energy_colours()(norm(view.energy)))
    draw_bar(beside, norm, BAR, "Energy in a cell (MeV)")


def draw_bar(beside: Axes, norm: LogNorm, place: tuple[float, float, float, float], label: str) -> None:
    """Explain the colours of energies.

    Args:
        beside: Panel in which the bar is.
        norm: Of the energies.
        place: Left, bottom, width and height in the panel.
        label: What has these energies, with their unit.
    """
    assert beside.figure is not None
    bar = beside.figure.colorbar(
        ScalarMappable(norm, energy_colours()),
        cax=beside.inset_axes(place),
        ticks=LogLocator(subs=(1, 2, 5)),
        format="%g",
    )
    bar.minorticks_off()
    bar.set_label(label)


def _draw_classes(
    panels: Sequence[Axes], beside: Axes, views: Sequence[Projection], scene: Scene, colouring: Colouring
) -> None:
    """Colour each cell by the class with most energy in it, and explain the colours."""
    colours = class_colours(colouring, scene.energy)
    for axes, view in zip(panels, views, strict=True):
        main = view.main_class(colouring.codes, scene.energy)
        draw_cells(axes, view, scene.pitch, colours[main].tolist())
    kinds = dict.fromkeys(mark.kind for mark in scene.marks)
    handles = [Line2D([], [], label=kind, **mark_style(kind)) for kind in kinds]
    draw_legend(beside, colouring, scene.energy, handles)


def class_colours(colouring: Colouring, energy: NDArray[np.float64]) -> NDArray[np.str_]:
    """Give the colour of each class, (labels,); see `Colouring.legend`."""
    colours = np.full(len(colouring.labels), "#000000")
    for entry in colouring.legend(energy):
        colours[list(entry.codes)] = entry.colour
    return colours


def draw_legend(
    beside: Axes, colouring: Colouring, energy: NDArray[np.float64], more: Sequence[Line2D] = ()
) -> None:
    """Explain the colours of classes, and other signs below them."""
    handles = [
        Line2D([], [], color=entry.colour, marker="s", linestyle="", label=wrapped(entry.name, LEGEND_WIDTH))
        for entry in colouring.legend(energy)
    ]
    title = literal(colouring.name)
    beside.legend(handles=[*handles, *more], title=title, loc="upper left", borderaxespad=0, alignment="left")


def draw_cells(
    axes: Axes, view: Projection, pitch: NDArray[np.float64], colours: Any, finest: int = FINEST
) -> None:
    """Draw each cell as a rectangle, those with most energy last: nothing hides them.

    Args:
        axes: Panel.
        view: What is drawn.
        pitch: Edges of the cells along x, y and z, cm (3,).
        colours: Of each cell.
        finest: Cells along the panel; smaller ones are drawn that large.
    """
    left, right = axes.get_xlim()
    edges = np.maximum(pitch[list(view.axes)], (right - left) / finest)
    corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]) * edges
    order = np.argsort(view.energy, kind="stable")
    cells = PolyCollection(
        view.middle[order, None] + corners, facecolors=np.asarray(colours)[order], linewidths=0, zorder=2
    )
    cells.set_rasterized(len(order) > MOST_SHAPES)
    axes.add_collection(cells, autolim=False)


MARK: dict[str, Any] = {
    "marker": "*",
    "markersize": 9,
    "markerfacecolor": "white",
    "markeredgecolor": INK,
    "markeredgewidth": 0.8,
    "linestyle": "",
}


FOUND: dict[str, Any] = {
    "marker": "x",
    "markersize": 6,
    "markeredgecolor": PALETTE[1],
    "markeredgewidth": 1.6,
}

OTHER_MARKS: dict[str, dict[str, Any]] = {
    "track end": {"marker": "o", "markersize": 5},
    "found vertex": FOUND,
    "found track end": FOUND | {"marker": "+", "markersize": 8},
}
"""By kind of a mark, what is other than of a vertex."""


def mark_style(kind: str) -> dict[str, Any]:
    """Choose the look of a kind of marks."""
    return MARK | OTHER_MARKS.get(kind, {})


def draw_marks(axes: Axes, scene: Scene, plane: tuple[int, int]) -> None:
    """Draw the places of a scene in the plane of two axes."""
    for mark in scene.marks:
        right, up = mark.position[list(plane)]
        axes.plot(right, up, zorder=4, scalex=False, scaley=False, **mark_style(mark.kind))


def draw_scale_bar(axes: Axes) -> None:
    """Draw a bar above the right end of a panel, where no data are."""
    left, right = axes.get_xlim()
    length = round_below(SCALE_BAR * (right - left))
    above = axes.get_xaxis_transform()
    axes.plot([right - length, right], [1.02, 1.02], color=INK, lw=2.5, transform=above, clip_on=False)
    middle = right - length / 2
    axes.text(middle, 1.035, f"{length:g} cm", ha="center", va="bottom", fontsize=9, transform=above)


def round_below(length: float) -> float:
    """Give the largest of 1, 2 and 5 times a power of ten that is not above a length."""
    power = 10.0 ** np.floor(np.log10(length))
    return float(max((step for step in ROUND if step * power <= length), default=1) * power)


def draw_side(drawn: Figure, place: Any, scene: Scene, height: float) -> None:
    """Write what is known of the event, and draw what a model says of it as a whole.

    Args:
        drawn: Figure.
        place: In its grid.
        scene: The event.
        height: Of the place, inches.
    """
    bars = len(scene.prediction["scores"]) if scene.prediction else 0
    below = (0.28 * bars + 0.4) / height if bars else 0.01
    facts, scores = place.subgridspec(2, 1, height_ratios=(1 - below, below)).subplots()
    draw_facts(facts, scene.name, scene.facts, FACT_LINE_INCHES / height / (1 - below))
    draw_scores(scores, scene.prediction, scene.truth)
