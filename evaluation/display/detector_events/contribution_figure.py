"""Detector events in print with what the hits of the 3DCal contribute to an answer."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from nuzoo.evaluation.core.style import figure
from nuzoo.evaluation.display.detector_events.detector_parts import CUBES
from nuzoo.evaluation.display.detector_events.event_columns import EventColumns
from nuzoo.evaluation.display.detector_events.event_figure import (
    BAR,
    BESIDE_INCHES,
    FINEST,
    HEAD_INCHES,
    ROW_INCHES,
    SIDE_INCHES,
    SIDE_VIEWS,
    Cells,
    facts_inches,
    side_view,
)
from nuzoo.evaluation.display.scenes.scene import Scene
from nuzoo.evaluation.display.scenes.scene_figure import draw_cells, draw_side

COLOURS = "RdBu_r"
LABEL_INCHES = 0.3
"""Of the axis of each view."""


def draw_contributions(
    columns: EventColumns, scene: Scene, contribution: NDArray[np.float64], label: str, out: Path
) -> Path:
    """Draw the hits of the 3DCal from above and from the side by their contribution, red above 0, blue below.

    Hits that lie behind each other are drawn by the mean of theirs, weighted by energy.

    Args:
        columns: Of the event.
        scene: Of it.
        contribution: Of each hit (hits,).
        label: What it is.
        out: PNG file to write; a PDF stands beside it.

    Returns:
        The PNG file.
    """
    hits = len(contribution)
    cubes = Cells(scene.position[:hits], scene.energy[:hits], columns.parts.cube)
    most = float(np.abs(contribution).max(initial=0.0)) or 1.0
    norm, colours = Normalize(-most, most), matplotlib.colormaps[COLOURS]
    widths, height = [SIDE_INCHES, BESIDE_INCHES, facts_inches(scene)], 2 * (ROW_INCHES + LABEL_INCHES)
    with figure(out, sum(widths), height + HEAD_INCHES, scene.tag) as drawn:
        grid = drawn.add_gridspec(2, len(widths), width_ratios=widths)
        for row, plane in enumerate(SIDE_VIEWS):
            axes = side_view(drawn.add_subplot(grid[row, 0]), plane, scene)
            view = cubes.project(plane)
            summed = np.bincount(view.cell, scene.energy[:hits] * contribution, len(view.energy))
            mean = summed / np.maximum(view.energy, np.finfo(float).tiny)
            draw_cells(axes, view, cubes.pitch, colours(norm(mean)), FINEST)
        beside = drawn.add_subplot(grid[:, 1])
        beside.axis("off")
        bar = drawn.colorbar(ScalarMappable(norm, colours), cax=beside.inset_axes(BAR))
        bar.set_label(f"{CUBES}: {label}")
        draw_side(drawn, grid[:, -1], scene, height)
    return out
