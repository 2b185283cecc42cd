"""Events as pixel maps: one sparse projection for each view of a detector."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.files.events.event_errors import RangeError
from nuzoo.files.events.event_schema import Bound, Column, EventSchema
from nuzoo.files.events.event_truth import IDENTITY_COLUMNS, LABEL_COLUMN, ORIGIN_COLUMNS, TRUTH_COLUMNS

MAX_PIXEL_ENERGY_MEV = 1e6
"""1 TeV in one pixel. Beam neutrinos bring a few GeV and those of the LHC some TeV in all; of a 1 TeV
shower a pixel of 5 mm in argon holds at most about 3 GeV (3000 particles at its maximum, 2.1 MeV/cm each).
More is no energy in MeV, but a number in eV or the rubbish of a broken file."""

MAX_VIEW_ENERGY_MEV = 1e6
"""1 TeV in one view: more than any event of a detector with pixel maps, but soon reached by a pedestal."""

DUST_MEV = 0.1
"""Less is below every threshold: 7000 electrons, that of pixels, are about 0.17 MeV."""

MOST_LIT = 0.5
"""Largest share of the pixels of a view that an event lights; the fullest simulated events light 5 %."""

DISPLAY_FULL_SCALE_MEV = 20.0
"""What is white in the picture `display`; grey grows as log(1 + E / MeV)."""

DISPLAY_COLUMN = Column(
    "display",
    "picture",
    "8-bit PNG of all views side by side, for people: log(1 + E / MeV), white at "
    f"{DISPLAY_FULL_SCALE_MEV:g} MeV",
)


@dataclass(frozen=True)
class PixelMapGeometry:
    """What the maps of a detector look like.

    Attributes:
        detector: its name; None of maps that any detector may have made.
        views: names of the views, in their order.
        height: rows of a map.
        width: columns of a map.
    """

    detector: str | None
    views: tuple[str, ...]
    height: int
    width: int

    @property
    def num_pixels(self) -> int:
        """Pixels of one map."""
        return self.height * self.width

    @classmethod
    def of(cls, geometry: Mapping[str, Any]) -> "PixelMapGeometry":
        """Take from a detector's geometry what decides the columns of its events.

        Args:
            geometry: with `detector`, `views`, `height` and `width`.
        """
        return cls(geometry["detector"], tuple(geometry["views"]), geometry["height"], geometry["width"])


def pixel_map_schema(geometry: Mapping[str, Any]) -> EventSchema:
    """Return the columns of an event: for each view the pixels with energy, a picture of them, and the truth.

    Args:
        geometry: see `PixelMapGeometry.of`.

    Returns:
        Of hits, `<view>_index` and `<view>_energy` for each view.
    """
    layout = PixelMapGeometry.of(geometry)
    hits = (column for view in layout.views for column in _columns_of(view, layout.num_pixels))
    columns = (*IDENTITY_COLUMNS, *hits, LABEL_COLUMN, DISPLAY_COLUMN, *TRUTH_COLUMNS, *ORIGIN_COLUMNS)
    return EventSchema(columns, whose=layout.detector or "")


def check_plausible(view: str, energy: NDArray[Any], num_pixels: int) -> None:
    """Refuse the map of an event that no neutrino can have made, though each of its pixels might be one.

    Args:
        view: its name.
        energy: (k,) MeV, of the pixels that are not zero.
        num_pixels: of the whole map.

    Raises:
        RangeError: more than half of the pixels are lit, or the view holds more than 1 TeV.
    """
    lit = int(np.count_nonzero(energy > DUST_MEV))
    total = float(np.sum(energy, dtype=np.float64))
    if lit > MOST_LIT * num_pixels:
        raise _implausible(
            view,
            f"at most {MOST_LIT:.0%} of the pixels lit, got {lit} of {num_pixels} above {DUST_MEV:g} MeV, "
            f"{total / 1000:.3g} GeV in all",
            "this looks like raw counts: subtract the pedestal and apply a threshold before",
        )
    if total > MAX_VIEW_ENERGY_MEV:
        raise _implausible(
            view,
            f"at most {MAX_VIEW_ENERGY_MEV / 1e6:g} TeV in a view, got {total / 1e6:.3g} TeV",
            "check the energy of one count (--mev-per-count) and the unit, and subtract the pedestal",
        )


def _implausible(view: str, problem: str, remedy: str) -> RangeError:
    name = f"{view}_energy"
    problem = f"expected {problem}: {remedy}"
    return RangeError(f"column {name!r}: {problem}", column=name, problem=problem)


def _columns_of(view: str, num_pixels: int) -> tuple[Column, Column]:
    larger = "the event was made for a larger map, or rows and columns are given instead of the flat index"
    return (
        Column(
            name=f"{view}_index",
            dtype="uint32",
            text=f"pixels with energy in view {view}: row × width + column",
            per=f"pixel of {view}",
            low=Bound(0, larger),
            high=Bound(num_pixels - 1, larger),
            ascending=True,
            required=True,
        ),
        Column(
            name=f"{view}_energy",
            dtype="float32",
            text="their energies",
            unit="MeV",
            per=f"pixel of {view}",
            low=Bound(0, "subtract the pedestal and apply a threshold; zero is no energy"),
            high=Bound(MAX_PIXEL_ENERGY_MEV, "convert to MeV, or look for an overflow upstream"),
            required=True,
        ),
    )
