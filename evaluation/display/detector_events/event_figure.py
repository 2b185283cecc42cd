"""Detector events in print: the whole detector from above and from the side, and its parts along the beam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from nuzoo.evaluation.core.style import GREY, INK, PALE, figure
from nuzoo.evaluation.display.detector_events.detector_parts import CUBES, PLATES, TILES
from nuzoo.evaluation.display.detector_events.event_columns import ECAL_ENERGY, EventColumns
from nuzoo.evaluation.display.detector_events.event_facts import MEV_PER_GEV
from nuzoo.evaluation.display.detector_events.event_scene import CATEGORY, PREDICTION, STATUS
from nuzoo.evaluation.display.energy_scale import energy_colours, scale_of
from nuzoo.evaluation.display.scenes.projection import Projection
from nuzoo.evaluation.display.scenes.scene import Box, Colouring, Positions, Scene
from nuzoo.evaluation.display.scenes.scene_figure import (
    AXES,
    class_colours,
    draw_bar,
    draw_cells,
    draw_legend,
    draw_marks,
    draw_side,
    mark_style,
)
from nuzoo.files.events.detector_event_columns import CAL_STATUS, MATCHED
from nuzoo.files.events.point_cloud_events import PLANES

SIDE_INCHES, ACROSS_INCHES, BESIDE_INCHES, FACTS_INCHES, NAMES_INCHES = 9.4, 1.75, 1.75, 3.0, 1.2
"""Width of a view from the side, of one along the beam, of what explains them, of what is written, and of the
names of classes with scores below that."""
ROW_INCHES, HEAD_INCHES = 2.45, 0.3
MARGIN_CM, HEADROOM_CM = 4.0, 12.0
"""Beside the parts, and above them in views from the side, for their names."""
FINEST = 600
"""Cells along a view from the side: a cube is drawn as large as it is."""
BAR = (0.0, 0.05, 0.1, 0.9)
SIDE_VIEWS, ALONG = ("zx", "zy"), "xy"
TRACK: dict[str, Any] = {"color": INK, "linestyle": (0, (4, 2)), "linewidth": 1.0}


@dataclass(frozen=True)
class Cells:
    """Hits of a part.

    Attributes:
        position: Middle of each, cm (n, 3).
        energy: MeV (n,).
        pitch: Edges of the cells, cm (3,).
    """

    position: Positions
    energy: NDArray[np.float64]
    pitch: Positions

    def project(self, plane: str) -> Projection:
        """Project onto a plane: energies of cells that lie behind each other add up."""
        axes = PLANES[plane]
        place = self.position[:, list(axes)]
        _, first, cell = np.unique(
            np.rint(place * 1e3).astype(np.int64), axis=0, return_index=True, return_inverse=True
        )
        energy = np.bincount(cell, weights=self.energy, minlength=len(first)).astype(np.float64)
        return Projection(axes, place[first], energy, cell)

    def taken(self, which: NDArray[np.bool_]) -> Cells:
        """Take some of them."""
        return Cells(self.position[which], self.energy[which], self.pitch)


def draw_event(columns: EventColumns, scene: Scene, out: Path) -> list[Path]:
    """Draw an event as a PNG picture, and beside it as PDF.

    Args:
        columns: Of the event.
        scene: Of it.
        out: PNG file to write.

    Returns:
        Both files.
    """
    cubes, tiles = _cells_of(columns, scene)
    classes = _printed(scene, len(cubes.energy))
    rows = 2 + len(classes)
    widths = [SIDE_INCHES, ACROSS_INCHES, BESIDE_INCHES, facts_inches(scene)]
    height = rows * ROW_INCHES
    with figure(out, sum(widths), height + HEAD_INCHES, scene.tag) as drawn:
        grid = drawn.add_gridspec(rows, len(widths), width_ratios=widths)
        _draw_energies(drawn, grid, scene, cubes, tiles, columns)
        for number, (title, colouring, which) in enumerate(classes, start=2):
            chosen = Colouring(
                title, colouring.labels, colouring.codes[: len(which)][which], colouring.colours
            )
            _draw_classes(drawn, grid, number, scene, cubes.taken(which), chosen)
        draw_side(drawn, grid[:, -1], scene, height)
    return [out, out.with_suffix(".pdf")]


def facts_inches(scene: Scene) -> float:
    """Give the width of what is written beside an event."""
    return FACTS_INCHES + (NAMES_INCHES if scene.prediction else 0.0)


def _cells_of(columns: EventColumns, scene: Scene) -> tuple[Cells, Cells]:
    """Give the hits of the 3DCal, the first points of a scene, and those of the AHCAL, the last ones."""
    cal, tiles = len(columns.known["cal_x"]), len(columns.known["ahcal_x"])
    last = slice(len(scene.energy) - tiles, None)
    return (
        Cells(scene.position[:cal], scene.energy[:cal], columns.parts.cube),
        Cells(scene.position[last], scene.energy[last], columns.parts.tile),
    )


def _printed(scene: Scene, cubes: int) -> list[tuple[str, Colouring, NDArray[np.bool_]]]:
    """Choose what hits of the 3DCal are coloured by, and which: title, colouring, bool (cubes,).

    A ghost lies behind true hits in each projection, as that is what makes one: it is drawn apart.
    """
    by = {colouring.name: colouring for colouring in scene.colourings}
    everything, found = np.ones(cubes, dtype=bool), []
    if STATUS in by:
        matched = by[STATUS].codes[:cubes] == MATCHED
        if CATEGORY in by:
            found.append(("matched hits", by[CATEGORY], matched))
        names = " and ".join(f"{name}" for name in CAL_STATUS[1:])
        found.append((f"{names} hits", by[STATUS], ~matched))
    if PREDICTION in by:
        found.append((PREDICTION, by[PREDICTION], everything))
    return found


def _draw_energies(
    drawn: Figure, grid: Any, scene: Scene, cubes: Cells, tiles: Cells, columns: EventColumns
) -> None:
    """Draw all parts from above and from the side; along the beam 3DCal, AHCAL and ECAL."""
    views = {
        (part, plane): cells.project(plane)
        for part, cells in ((CUBES, cubes), (TILES, tiles))
        for plane in PLANES
    }
    norm = LogNorm(*scale_of(np.concatenate([view.energy for view in views.values()])), clip=True)
    pitches = {CUBES: cubes.pitch, TILES: tiles.pitch}
    for row, plane in enumerate(SIDE_VIEWS):
        axes = side_view(drawn.add_subplot(grid[row, 0]), plane, scene)
        for part, pitch in pitches.items():
            view = views[part, plane]
            draw_cells(axes, view, pitch, energy_colours()(norm(view.energy)), FINEST)
        _draw_rows_of_towers(axes, plane, columns)
    for row, part in enumerate((CUBES, TILES)):
        axes = _view_along(drawn.add_subplot(grid[row, 1]), part, scene)
        view = views[part, ALONG]
        draw_cells(axes, view, pitches[part], energy_colours()(norm(view.energy)))
    beside = drawn.add_subplot(grid[1, 2])
    beside.axis("off")
    draw_bar(beside, norm, BAR, "3DCal, AHCAL: energy\nin a cell (MeV)")
    _draw_towers(drawn.add_subplot(grid[0, 2]), columns)


def _draw_towers(axes: Axes, columns: EventColumns) -> None:
    """Draw the ECAL as a map, each tower with its energy in GeV."""
    shape, pitch = columns.parts.size.ecal_towers, columns.parts.tower
    energy = columns.known[ECAL_ENERGY].astype(np.float64) / MEV_PER_GEV
    low = columns.parts.towers()[0] - pitch / 2
    high = low[:2] + np.array(shape) * pitch[:2]
    shades = _shades(energy)
    picture = shades.reshape(*shape, 4).swapaxes(0, 1)
    axes.imshow(picture, origin="lower", extent=(low[0], high[0], low[1], high[1]), interpolation="nearest")
    for (x, y, _), value, shade in zip(columns.parts.towers(), energy, shades, strict=True):
        dark = shade[:3].mean() < 0.5
        axes.text(x, y, _short(value), color="white" if dark else INK, ha="center", va="center", fontsize=6)
    axes.set_title("ECAL (GeV)")
    axes.set(xlabel="x (cm)", ylabel="y (cm)")
    axes.grid(False)


def _draw_rows_of_towers(axes: Axes, plane: str, columns: EventColumns) -> None:
    """Draw the ECAL from the side, its towers in the scale of their map."""
    cells = Cells(columns.parts.towers(), columns.known[ECAL_ENERGY].astype(np.float64), columns.parts.tower)
    view = cells.project(plane)
    draw_cells(axes, view, cells.pitch, _shades(view.energy))


def _shades(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the colours (n, 4) of energies on a scale of their own; white of none."""
    norm = LogNorm(*scale_of(energy), clip=True)
    return np.where(energy[:, None] > 0, energy_colours()(norm(energy)), (1.0, 1.0, 1.0, 1.0))


def _short(gev: float) -> str:
    """Write an energy in few letters."""
    return "0" if gev < 0.005 else f"{gev:.2f}" if gev < 1 else f"{gev:.1f}" if gev < 10 else f"{gev:.0f}"


def _draw_classes(
    drawn: Figure, grid: Any, row: int, scene: Scene, cubes: Cells, colouring: Colouring
) -> None:
    """Draw hits of the 3DCal from above and along the beam, each cell by the class of most energy in it."""
    colours = class_colours(colouring, cubes.energy)
    panels = {
        SIDE_VIEWS[0]: side_view(drawn.add_subplot(grid[row, 0]), SIDE_VIEWS[0], scene),
        ALONG: _view_along(drawn.add_subplot(grid[row, 1]), CUBES, scene),
    }
    for plane, axes in panels.items():
        view = cubes.project(plane)
        main = view.main_class(colouring.codes, cubes.energy)
        draw_cells(axes, view, cubes.pitch, colours[main].tolist(), FINEST)
        axes.set_title(f"{axes.get_title()}, {colouring.name}" if plane != ALONG else axes.get_title())
    beside = drawn.add_subplot(grid[row, 2])
    beside.axis("off")
    kinds = dict.fromkeys(mark.kind for mark in scene.marks)
    signs = [Line2D([], [], label=kind, **mark_style(kind)) for kind in kinds]
    signs += [Line2D([], [], label="muon track", **TRACK)] if scene.trails else []
    draw_legend(beside, colouring, cubes.energy, signs)


def side_view(axes: Axes, plane: str, scene: Scene) -> Axes:
    """Frame a view of all parts from above or from the side."""
    right, up = PLANES[plane]
    axes.set_title(f"{plane} projection")
    _frame(axes, (right, up), scene.low, scene.high, scene.boxes, scene)
    axes.set_ylim(top=scene.high[up] + HEADROOM_CM)
    for name in (CUBES, *dict.fromkeys(box.name for box in scene.boxes if box.name not in (CUBES, PLATES))):
        of = [box for box in scene.boxes if box.name == name]
        middle = (of[0].low[right] + of[-1].high[right]) / 2
        top = max(box.high[up] for box in of)
        axes.text(middle, top + 1, name, ha="center", va="bottom", fontsize=7, color=GREY)
    return axes


def _view_along(axes: Axes, part: str, scene: Scene) -> Axes:
    """Frame a view of one part along the beam."""
    of = [box for box in scene.boxes if box.name == part]
    axes.set_title(f"{part} {ALONG}")
    _frame(axes, PLANES[ALONG], of[0].low, of[0].high, of[:1], scene)
    return axes


def _frame(
    axes: Axes, plane: tuple[int, int], low: Positions, high: Positions, boxes: Sequence[Box], scene: Scene
) -> None:
    """Set the limits of a panel, and draw in it the parts, the vertex and the muon tracks."""
    right, up = plane
    axes.set(xlabel=f"{AXES[right]} (cm)", ylabel=f"{AXES[up]} (cm)", aspect="equal")
    axes.set(xlim=(low[right] - MARGIN_CM, high[right] + MARGIN_CM))
    axes.set(ylim=(low[up] - MARGIN_CM, high[up] + MARGIN_CM))
    axes.grid(False)
    for is_plate in (False, True):
        shapes = [
            Rectangle((box.low[right], box.low[up]), *(box.high - box.low)[[right, up]])
            for box in boxes
            if (box.name == PLATES) == is_plate
        ]
        face = GREY if is_plate else "none"
        axes.add_collection(
            PatchCollection(
                shapes, facecolors=face, edgecolors="none" if is_plate else PALE, linewidths=0.8, zorder=1
            ),
            autolim=False,
        )
    for trail in scene.trails:
        axes.plot(*trail.places[:, [right, up]].T, scalex=False, scaley=False, zorder=1.5, **TRACK)
    draw_marks(axes, scene, plane)
