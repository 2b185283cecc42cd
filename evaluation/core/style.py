"""One look for all figures: restrained, readable in print, safe for colour-blind readers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from textwrap import fill
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
    "pdf.fonttype": 42,
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

NEUTRINOS = {
    "nue_cc": ("e", "e", ""),
    "numu_cc": ("μ", r"\mu", ""),
    "nutau_cc": ("τ", r"\tau", ""),
    "nutau_cc_e": ("τ", r"\tau", "τ → e"),
    "nutau_cc_mu": ("τ", r"\tau", "τ → μ"),
    "nutau_cc_had": ("τ", r"\tau", "τ → hadrons"),
}
"""The index of the ν of a charged current, as a letter and in a formula, and how its lepton decays."""

LETTERS_PER_INCH = 12
SMALL = 8
"""Size of what stands around a figure, points."""

NO_DATES = {".png": {"Software": None}, ".pdf": {"Creator": None, "Producer": None, "CreationDate": None}}
"""Metadata of each format of a figure: the same events give the same bytes."""


def class_parts(name: str) -> list[tuple[str, bool]]:
    """Write a class name as the field does, as pieces of text and whether each is an index."""
    if name in NEUTRINOS:
        letter, _, decay = NEUTRINOS[name]
        return [("ν", False), (letter, True), (f" CC, {decay}" if decay else " CC", False)]
    return [("NC" if name == "nc" else name.replace("_", " "), False)]


def class_title(name: str, width: int = 24) -> str:
    """Write a class name as the field does for a figure; other names as they are, in lines of a width."""
    if name in NEUTRINOS:
        _, index, decay = NEUTRINOS[name]
        return rf"$\nu_{{{index}}}$ CC" + (f"\n{decay}" if decay else "")
    return wrapped(class_parts(name)[0][0], width)


def literal(text: str) -> str:
    """Make any text safe for a figure: nothing of it is read as a formula, and all of it can be drawn."""
    return "".join(sign for sign in text if sign.isprintable() or sign == "\n").replace("$", r"\$")


def wrapped(text: str, width: int) -> str:
    """Break any text into lines of a width in letters, safe for a figure."""
    return literal(fill(" ".join(text.split()), width))


def look(number: int) -> dict[str, Any]:
    """Choose colour and line of one of several curves; any number of them can be told apart for a while."""
    turn = number // len(PALETTE)
    return {"color": PALETTE[number % len(PALETTE)], "linestyle": LINES[(number + turn) % len(LINES)]}


def marker(number: int) -> str:
    """Choose the marker of one of several sets of points."""
    return MARKERS[(number + number // len(PALETTE)) % len(MARKERS)]


_FORMATS = ContextVar("formats of figures", default=tuple(NO_DATES))


@contextmanager
def png_alone() -> Iterator[None]:
    """Save the figures of the block as PNG without the PDF beside it, which takes as long again."""
    token = _FORMATS.set((".png",))
    try:
        yield
    finally:
        _FORMATS.reset(token)


@contextmanager
def figure(path: Path, width: float, height: float, tag: str, remark: str = "") -> Iterator[Figure]:
    """Give a figure in our style, and save it when the block ends: as PNG, and beside it as PDF.

    Args:
        path: PNG file to write; its folder is made if absent.
        width: Inches.
        height: Inches.
        tag: What kind of events are shown, printed in the upper right corner.
        remark: What a reader must know of the figure, printed below it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    letters = int(LETTERS_PER_INCH * 1.15 * width)
    with matplotlib.rc_context(STYLE):
        drawn = Figure(figsize=(width, height))
        drawn.suptitle(wrapped(tag, letters), x=0.99, ha="right", fontsize=SMALL, style="italic", color=GREY)
        if remark:
            drawn.supxlabel(wrapped(remark, letters), x=0.01, ha="left", fontsize=SMALL, color=GREY)
        yield drawn
        for suffix in _FORMATS.get():
            drawn.savefig(path.with_suffix(suffix), metadata=NO_DATES[suffix])
            drawn.set_layout_engine("none")  # it is laid out once, for all formats


def legend_below(axes: Axes, **options: Any) -> None:
    """Explain the curves of a plot below it, where no data are."""
    style: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.17), "borderaxespad": 0}
    axes.legend(**style | options)
