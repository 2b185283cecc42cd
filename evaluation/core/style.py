"""One look for all figures: restrained, readable in print, safe for colour-blind readers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's colours, https://jfly.uni-koeln.de/color/ (2008)."""

MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = ("-", (0, (5, 1.5)), (0, (1, 1)), "-.", (0, (3, 1, 1, 1)), (0, (8, 2)))
INK, GREY, PALE = "#222222", "#6b6b6b", "#d9d9d9"

STYLE: dict[Any, Any] = {
    "figure.dpi": 150,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.labelsize": 10,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": PALE,
    "grid.linewidth": 0.5,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "errorbar.capsize": 2,
}

CLASS_TITLES = {"nue_cc": r"$\nu_e$ CC", "numu_cc": r"$\nu_\mu$ CC", "nutau_cc": r"$\nu_\tau$ CC", "nc": "NC"}


def class_title(name: str) -> str:
    """Write a class name as the field does; unknown names are returned as they are."""
    return CLASS_TITLES.get(name, name.replace("_", " "))


@contextmanager
def figure(path: Path, width: float, height: float, tag: str) -> Iterator[Figure]:
    """Give a figure in our style, and save it as PNG when the block ends.

    Args:
        path: File to write; its folder is made if absent.
        width: Inches.
        height: Inches.
        tag: What kind of events are shown, printed in the upper right corner.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context(STYLE):
        drawn = Figure(figsize=(width, height))
        drawn.suptitle(tag, x=0.99, ha="right", fontsize=8, style="italic", color=GREY)
        yield drawn
        drawn.savefig(path, metadata={"Software": None})


def note(axes: Axes, text: str) -> None:
    """Write a short remark in the lower right corner of a plot."""
    axes.text(0.97, 0.04, text, transform=axes.transAxes, ha="right", va="bottom", fontsize=9)
