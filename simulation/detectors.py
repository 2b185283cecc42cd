"""Detectors as data: geometry, drift, electronics and views. Another detector is another instance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from nuzoo.simulation.errors import SimulationError
from nuzoo.simulation.materials import LAR, Material

Vector = tuple[float, float, float]


class DetectorError(SimulationError):
    """A detector whose parts contradict each other."""


class Anchor(Enum):
    """Where a view's window is placed on an axis.

    VERTEX: The anchor pixel holds the interaction vertex.
    MEAN: The anchor pixel holds the mean position of the active pixels.
    FIRST: The anchor pixel holds the first active pixel that others follow closely, so that a stray hit
        far upstream does not move the window.
    """

    VERTEX = "vertex"
    MEAN = "mean"
    FIRST = "first"


class Readout(Enum):
    """What one entry of a pixel map is.

    CHARGE: The charge that a pixel collected.
    HITS: The charge of a pulse, at the pulse's time: the picture that hit finding on wires leaves.
    """

    CHARGE = "charge"
    HITS = "hits"


@dataclass(frozen=True)
class View:
    """A projection onto a plane of pixels.

    Attributes:
        name: Name of the view, and prefix of its columns in a dataset.
        row_axis: Unit vector along which rows count up.
        column_axis: Unit vector along which columns count up.
        row_pitch_mm: Edge of a pixel along the rows' axis.
        column_pitch_mm: Edge of a pixel along the columns' axis.
        rows: Height of the window in pixels.
        columns: Width of the window in pixels.
        row_anchor: How the window is placed along the rows.
        column_anchor: How the window is placed along the columns.
        anchor_pixel: Row and column that the anchors name.
    """

    name: str
    row_axis: Vector
    column_axis: Vector
    row_pitch_mm: float
    column_pitch_mm: float
    rows: int
    columns: int
    row_anchor: Anchor
    column_anchor: Anchor
    anchor_pixel: tuple[int, int]


@dataclass(frozen=True)
class Drift:
    """How charge gets from the deposit to the anode.

    Attributes:
        anodes: x of the anode planes in cm; charge drifts to the nearest.
        field: kV/cm.
        velocity: mm/µs.
        lifetime: Electron lifetime, ms.
        transverse_diffusion: Standard deviation after one metre of drift, mm; it grows as the square
            root of the drift length.
        longitudinal_diffusion: The same along the drift.
    """

    anodes: tuple[float, ...]
    field: float
    velocity: float
    lifetime: float
    transverse_diffusion: float
    longitudinal_diffusion: float


@dataclass(frozen=True)
class Electronics:
    """From collected charge to what is stored.

    Attributes:
        noise: Standard deviation of a pixel's noise, electrons.
        threshold: Smallest charge that is stored, electrons.
        saturation_mev: Largest stored energy; None where the range is not limited.
        readout: What one entry is.
    """

    noise: float
    threshold: float
    saturation_mev: float | None
    readout: Readout


@dataclass(frozen=True)
class Detector:
    """A time projection chamber.

    Attributes:
        name: Identifier that datasets and processors carry.
        material: What it is filled with.
        low: Lower corner of the active volume (x, y, z), cm.
        high: Upper corner, cm.
        vertex_low: Lower corner of the box in which interactions happen, uniformly.
        vertex_high: Its upper corner.
        drift: Transport of the charge.
        electronics: Noise, threshold, range.
        views: The projections.

    Raises:
        DetectorError: Diffusion wider than a pixel, or vertices outside the volume.
    """

    name: str
    material: Material
    low: Vector
    high: Vector
    vertex_low: Vector
    vertex_high: Vector
    drift: Drift
    electronics: Electronics
    views: tuple[View, ...]

    def __post_init__(self) -> None:
        anodes = sorted(self.drift.anodes)
        between = [(right - left) / 2 for left, right in pairwise(anodes)]
        longest = max(abs(self.low[0] - anodes[0]), abs(self.high[0] - anodes[-1]), *between)
        widest = max(self.drift.transverse_diffusion, self.drift.longitudinal_diffusion)
        finest = min(min(view.row_pitch_mm, view.column_pitch_mm) for view in self.views)
        if widest * math.sqrt(longest / 100) > 0.75 * finest:
            raise DetectorError(
                f"{self.name}: diffusion must stay below 0.75 pixels, charge is shared with the next "
                "pixels only; use a coarser pitch"
            )
        inside = all(
            low <= vertex_low <= vertex_high <= high
            for low, vertex_low, vertex_high, high in zip(
                self.low, self.vertex_low, self.vertex_high, self.high, strict=True
            )
        )
        if not inside:
            raise DetectorError(f"{self.name}: the box of vertices must lie inside the active volume")


_PIXELS = Electronics(noise=1030.0, threshold=7000.0, saturation_mev=None, readout=Readout.CHARGE)
"""Reset noise of 900 e and uncorrelated noise of 500 e in quadrature, 7 ke threshold: larnd-sim."""


def _pixel_view(name: str, row_axis: Vector) -> View:
    return View(
        name=name,
        row_axis=row_axis,
        column_axis=(0.0, 0.0, 1.0),
        row_pitch_mm=5.0,
        column_pitch_mm=5.0,
        rows=512,
        columns=512,
        row_anchor=Anchor.VERTEX,
        column_anchor=Anchor.VERTEX,
        anchor_pixel=(256, 256),
    )


MODULAR_LARTPC = Detector(
    name="modular-2x2x7",
    material=LAR,
    low=(-100.0, -100.0, 0.0),
    high=(100.0, 100.0, 700.0),
    vertex_low=(-90.0, -90.0, 10.0),
    vertex_high=(90.0, 90.0, 500.0),
    drift=Drift(
        anodes=(-90.0, -30.0, 30.0, 90.0),
        field=0.5,
        velocity=1.648,
        lifetime=3.0,
        transverse_diffusion=1.3,
        longitudinal_diffusion=0.9,
    ),
    electronics=_PIXELS,
    views=(_pixel_view("xz", (1.0, 0.0, 0.0)), _pixel_view("yz", (0.0, 1.0, 0.0))),
)
"""The modular 2 × 2 × 7 m LArTPC of arXiv:2509.08461: 5 mm pixels, 0.3 m drift to anodes at ±0.9 and ±0.3 m.

The outermost 10 cm drift inwards to the anodes at ±0.9 m.
"""


def _wire_view(name: str, angle: float, pitch_mm: float) -> View:
    return View(
        name=name,
        row_axis=(1.0, 0.0, 0.0),
        column_axis=(0.0, math.sin(math.radians(angle)), math.cos(math.radians(angle))),
        row_pitch_mm=5.1,
        column_pitch_mm=pitch_mm,
        rows=500,
        columns=500,
        row_anchor=Anchor.MEAN,
        column_anchor=Anchor.FIRST,
        anchor_pixel=(250, 0),
    )


DUNE_LIKE = Detector(
    name="dune-like-3view",
    material=LAR,
    low=(-360.0, -600.0, 0.0),
    high=(360.0, 600.0, 1390.0),
    vertex_low=(-310.0, -550.0, 50.0),
    vertex_high=(310.0, 550.0, 1240.0),
    drift=Drift(
        anodes=(0.0,),
        field=0.5,
        velocity=1.648,
        lifetime=10.0,
        transverse_diffusion=1.3,
        longitudinal_diffusion=0.9,
    ),
    electronics=Electronics(noise=500.0, threshold=6000.0, saturation_mev=8.4, readout=Readout.HITS),
    views=(_wire_view("u", 35.7, 4.67), _wire_view("v", -35.7, 4.67), _wire_view("z", 0.0, 4.79)),
)
"""Like the DUNE far detector's 1 × 2 × 6 geometry (Phys. Rev. D 102, 092003): three wire planes, 3.6 m drift.

Pulses in 3.2 µs of drift time make one row of 5.1 mm, so that rows and wires have about one pitch. Noise,
threshold and lifetime are estimates; the largest energy is 255 counts of the 8-bit CVN files at 0.033 MeV.
"""

DETECTORS: dict[str, Detector] = {detector.name: detector for detector in (MODULAR_LARTPC, DUNE_LIKE)}
