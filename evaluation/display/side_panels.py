"""What stands beside an event in a picture: what is known of it, and what a model says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from nuzoo.evaluation.core.style import GREY, PALE, PALETTE, class_title, wrapped

NAME_WIDTH, LONGEST_NAME = 26, 78
"""Letters of the name of an event in a line, and in all."""

LINE_HEIGHT = 0.05
"""Of text, in units of its panel's height."""

VALUE_WIDTH, VALUE_PLACE = 14, 0.6
"""Letters of a value in a line, and where it begins, in units of its panel's width."""


def draw_facts(
    axes: Axes, name: str, facts: Sequence[tuple[str, str]], line_height: float = LINE_HEIGHT
) -> None:
    """Write the name of an event, and what is known of it.

    Args:
        axes: Panel.
        name: Of the event.
        facts: Titles and values; the value of "class" is the name of one.
        line_height: Of text, in units of the panel's height.
    """
    axes.axis("off")
    name = wrapped(name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…", NAME_WIDTH)
    _write(axes, 0, 1, name, family="monospace")
    height = 1 - line_height * (name.count("\n") + 2)
    texts = [
        class_title(value, VALUE_WIDTH) if title == "class" else wrapped(value, VALUE_WIDTH)
        for title, value in facts
    ]
    broken = sum(text.count("\n") for text in texts)
    step = min(2 * line_height, (height - broken * line_height) / max(1, len(facts)))
    for (title, _), text in zip(facts, texts, strict=True):
        _write(axes, 0, height, title, color=GREY)
        _write(axes, VALUE_PLACE, height, text)
        height -= step + line_height * text.count("\n")


def draw_scores(axes: Axes, prediction: Mapping[str, Any] | None, truth: str | None) -> None:
    """Draw the scores {"label", "scores"} that a model gives an event; nothing without them."""
    if prediction is None:
        axes.axis("off")
        return
    scores = prediction["scores"]
    names = list(scores)
    chosen = PALETTE[0] if truth in (None, prediction["label"]) else PALETTE[1]
    colours = [chosen if name == prediction["label"] else PALE for name in names]
    axes.barh(range(len(names)), list(scores.values()), color=colours)
    for i, score in enumerate(scores.values()):
        axes.text(score + 0.02, i, f"{score:.2f}", va="center", fontsize=9)
    verdict = "" if truth is None else " (correct)" if truth == prediction["label"] else " (wrong)"
    axes.set_title(f"prediction{verdict}", loc="left", fontsize=9)
    axes.set_yticks(range(len(names)), [class_title(name, VALUE_WIDTH) for name in names])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.18), xticks=[])
    axes.grid(False)
    axes.spines[["bottom"]].set_visible(False)
    axes.tick_params(length=0)


def _write(axes: Axes, x: float, y: float, text: str, **style: Any) -> None:
    """Write beside the event, whose panels keep their place whatever is written."""
    axes.text(x, y, text, fontsize=9, va="top", **style).set_in_layout(False)
