"""Pixel maps of one detector laid out as those of another, for a model that reads only these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from datasets import Dataset, Features
from numpy.typing import NDArray

from nuzoo.simulation.detectors import find_detector
from nuzoo.simulation.errors import DetectorError
from nuzoo.simulation.response.pixel_maps import View


def maps_laid_out_as(rows: Dataset, detector: str, views: Mapping[str, str]) -> Dataset:
    """Give events the views and the size of maps that another detector has; pixels stay what they are.

    The anchor pixels, at the vertex for most detectors, come to lie on each other. What does not fit in is
    lost.

    Args:
        rows: Events of one detector.
        detector: The other one.
        views: For each view of the other detector that is not one of theirs by name, which of theirs takes
            its place; one may take the place of several.

    Raises:
        DetectorError: A view without any in its place, or a name that is none of their views.
    """
    own = {view.name: view for view in find_detector(rows[0]["detector"]).readout.views}
    wanted = {view.name: view for view in find_detector(detector).readout.views}
    chosen = {name: views.get(name, name) for name in wanted}
    if missing := sorted(name for name in chosen.values() if name not in own):
        raise DetectorError(
            f"events of {rows[0]['detector']} for a model of {detector}: expected for each of its views "
            f"{', '.join(wanted)} one of {', '.join(own)}, got {', '.join(missing)}"
        )
    moves = {name: (own[theirs], wanted[name]) for name, theirs in chosen.items()}
    features = {name: kind for name, kind in rows.features.items() if name.partition("_")[0] not in own}
    for name, theirs in chosen.items():
        features |= {f"{name}_{what}": rows.features[f"{theirs}_{what}"] for what in ("index", "energy")}

    def laid_out(row: dict[str, Any]) -> dict[str, Any]:
        moved = {name: _moved(row, view, to) for name, (view, to) in moves.items()}
        columns = {f"{name}_index": index for name, (index, _) in moved.items()}
        return (
            columns
            | {f"{name}_energy": energy for name, (_, energy) in moved.items()}
            | {"detector": detector}
        )

    gone = [name for name in rows.column_names if name not in features]
    return rows.map(laid_out, remove_columns=gone, features=Features(features), keep_in_memory=True)


def _moved(row: Mapping[str, Any], view: View, to: View) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Give the flat indices (k,) and energies (k,) of a view's pixels in a map of another size."""
    index = np.asarray(row[f"{view.name}_index"], dtype=np.int64)
    energy = np.asarray(row[f"{view.name}_energy"], dtype=np.float32)
    across = [index // view.columns, index % view.columns]
    line, column = (
        place + there - here
        for place, here, there in zip(across, view.anchor_pixel, to.anchor_pixel, strict=True)
    )
    kept = (line >= 0) & (line < to.rows) & (column >= 0) & (column < to.columns)
    return (line * to.columns + column)[kept].astype(np.uint32), energy[kept]
