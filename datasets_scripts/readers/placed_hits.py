"""From hits with places in a detector to the pixels of its maps."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.readers.reading import MapDetector, Reading
from nuzoo.datasets_scripts.readers.source_errors import OtherDetectorError
from nuzoo.simulation.response.pixel_maps import Anchor, View, in_window, placed

Places = NDArray[np.int64]


@dataclass(frozen=True)
class PlacedHits:
    """The pixels of one view that hits lie in.

    Attributes:
        index: uint32 (k,), row * columns + column, increasing.
        energy: float32 (k,), MeV, of all hits of a pixel.
        outside: Hits that the window does not show.
        lost: Their energy, MeV.
    """

    index: NDArray[np.uint32]
    energy: NDArray[np.float32]
    outside: int
    lost: float


def detector_with_views(
    where: Path | str, reading: Reading, known: Collection[str], usual: MapDetector
) -> MapDetector:
    """Return the detector that was asked for, or the usual one.

    Args:
        where: The file or the event.
        reading: What was asked for.
        known: Names of the views that the file can be seen in.
        usual: The detector unless another is asked for.

    Raises:
        OtherDetectorError: It has a view that the file cannot be seen in.
    """
    detector = reading.detector or usual
    views = [view.name for view in detector.readout.views]
    if others := [name for name in views if name not in known]:
        raise OtherDetectorError(
            where,
            f"a detector of the views {', '.join(known)}, such as {usual.name}",
            f"{detector.name} with {', '.join(others)}",
            "give another --detector, or none",
        )
    return detector


def place_hits(
    where: Path | str,
    view: View,
    pixels: tuple[Places, Places],
    energy: NDArray[np.float64],
    vertex: tuple[int, int] | None = None,
) -> PlacedHits:
    """Add the energies of hits up in the pixels of a view.

    Args:
        where: The event.
        view: Whose window they are placed in, by its anchors.
        pixels: Rows and columns (n,), in pixels of the view from zero of the coordinates.
        energy: MeV (n,).
        vertex: Row and column of the vertex, counted alike, if it is known.

    Raises:
        OtherDetectorError: The window is placed at a vertex, which is not known.
    """
    anchors, held = (view.row_anchor, view.column_anchor), vertex or (0, 0)
    if vertex is None and Anchor.VERTEX in anchors:
        raise OtherDetectorError(
            where,
            "a vertex to place the window of each event at, as the anchors of the detector say",
            "none",
            "take a detector whose maps have the anchors origin, mean or first",
        )
    row, column = (
        placed(of - (at if anchor is Anchor.VERTEX else 0) + shift, anchor, shift)
        if anchor.is_fixed
        else placed(of, anchor, shift)
        for of, at, anchor, shift in zip(pixels, held, anchors, view.anchor_pixel, strict=True)
    )
    inside, index, total = in_window(view, row, column, energy)
    return PlacedHits(
        index.astype(np.uint32),
        total.astype(np.float32),
        int(np.count_nonzero(~inside)),
        float(energy[~inside].sum()),
    )


def in_pixels(mm: NDArray[np.floating[Any]], pitch_mm: float) -> Places:
    """Return the numbers of the pixels of a pitch that positions lie in, from zero on."""
    return np.floor(mm / pitch_mm).astype(np.int64)
