"""Scenes as self-contained interactive pages: no server, no network, one file that can be sent by mail.

Each page carries plotly.js, compressed: 2.0 MB of base64 instead of 4.8 MB of text, which the browser unpacks
(`DecompressionStream`: every browser since May 2023). A Content-Security-Policy forbids it all connections.
Points are embedded as columns, and `scene_page.html` makes what plotly draws of them; texts of an event are
written with `textContent`, and escaped where plotly would read them as markup.
"""

from __future__ import annotations

import gzip
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.style import class_parts
from nuzoo.evaluation.display.energy_scale import colours_on_dark, scale_of
from nuzoo.evaluation.display.page_parts import write_page
from nuzoo.evaluation.display.scenes.scene import Box, Colouring, Scene

PAGE = "scene_page.html"
PLOTLY_PLACE = "PACKED_PLOTLY"
MARGIN = 0.05
SMALLEST_WINDOW_CM = 10.0

MOST_POINTS = 30_000
"""Points on a page: with many more a browser turns them slowly or not at all."""


def write_scene_page(scene: Scene, out: Path) -> Path:
    """Write the interactive page of a scene."""
    return write_page(out, __package__, PAGE, scene.name, _embedded(scene), **{PLOTLY_PLACE: packed_plotly()})


@cache
def packed_plotly() -> str:
    """Give plotly.js as base64 of its gzip; the same bytes each time."""
    from plotly.offline import get_plotlyjs

    return b64encode(gzip.compress(get_plotlyjs().encode(), mtime=0)).decode("ascii")


def thinned(energy: NDArray[np.float64], most: int = MOST_POINTS) -> NDArray[np.int64]:
    """Choose the points of a page, the same each time.

    Half of the places go to the most energetic points, which carry the tracks and cores of showers; the other
    half to a random choice of the rest, all with the same chance, so that faint parts keep their shape.

    Args:
        energy: Of all points (n,).
        most: Points to keep.

    Returns:
        Their numbers, ascending; all if there are no more than `most`.
    """
    if len(energy) <= most:
        return np.arange(len(energy))
    order = np.argsort(-energy, kind="stable")
    best, rest = order[: most // 2], order[most // 2 :]
    chosen = np.random.default_rng(0).choice(rest, most - len(best), replace=False)
    return np.sort(np.concatenate([best, chosen]))


def shown_text(all_points: int, shown: int) -> str:
    """Say how many points of how many a page shows, and which."""
    if shown == all_points:
        return f"All {all_points:,} are shown."
    return (
        f"{shown:,} of {all_points:,} are shown: the {shown // 2:,} most energetic, and "
        f"{shown - shown // 2:,} of the others at random. Numbers and sums are of all."
    )


def _embedded(scene: Scene) -> dict[str, Any]:
    kept = thinned(scene.energy)
    low, high = scale_of(scene.energy)
    window = scene.window(MARGIN, SMALLEST_WINDOW_CM)
    return {
        "id": scene.name,
        "about": f"{scene.detector} · {scene.tag}",
        "facts": [(title, _parts(title, value)) for title, value in scene.facts],
        "prediction": _scores(scene),
        "verdict": _verdict(scene),
        "shown": shown_text(len(scene.energy), len(kept)),
        "position": _base64(scene.position[kept], "<f4"),
        "energy": _base64(scene.energy[kept], "<f4"),
        "scale": {"low": low, "high": high},
        "colours": colours_on_dark(),
        "colourings": [_colouring(colouring, scene.energy, kept) for colouring in scene.colourings],
        "marks": [
            {"name": mark.name, "kind": mark.kind, "position": mark.position.tolist()} for mark in scene.marks
        ],
        "boxes": [_box(box) for box in scene.boxes],
        "trails": [{"name": trail.name, "places": trail.places.tolist()} for trail in scene.trails],
        "window": [corner.tolist() for corner in window],
        "detector": [scene.low.tolist(), scene.high.tolist()],
    }


def _box(box: Box) -> dict[str, Any]:
    return {"name": box.name, "colour": box.colour, "corners": [box.low.tolist(), box.high.tolist()]}


def _parts(title: str, value: str) -> list[tuple[str, bool]]:
    return class_parts(value) if title == "class" else [(value, False)]


def _scores(scene: Scene) -> list[dict[str, Any]] | None:
    if scene.prediction is None:
        return None
    best = scene.prediction["label"]
    scores = scene.prediction["scores"].items()
    return [{"parts": class_parts(name), "score": score, "isBest": name == best} for name, score in scores]


def _verdict(scene: Scene) -> str:
    """Say whether a model is right about the whole event; nothing where that is not known."""
    if scene.prediction is None or scene.truth is None:
        return ""
    return "correct" if scene.prediction["label"] == scene.truth else "wrong"


def _colouring(of: Colouring, energy: NDArray[np.float64], kept: NDArray[np.int64]) -> dict[str, Any]:
    """Write a colouring for the page, with labels of shown points alone: their numbers fit 16 bits."""
    used, codes = np.unique(of.codes[kept], return_inverse=True)
    number = {int(code): position for position, code in enumerate(used)}
    legend = [
        {
            "name": entry.name,
            "colour": entry.colour,
            "codes": [number[code] for code in entry.codes if code in number],
            "hits": int(np.isin(of.codes, entry.codes).sum()),
        }
        for entry in of.legend(energy)
    ]
    labels = [of.labels[code] for code in used]
    return {"name": of.name, "labels": labels, "codes": _base64(codes, "<u2"), "legend": legend}


def _base64(values: NDArray[Any], kind: str) -> str:
    return b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode("ascii")
