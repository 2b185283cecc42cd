"""The liquid-argon time projection chambers, all with pixel maps."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from nuzoo.simulation.detectors.detector import Detector
from nuzoo.simulation.event_types import Vector
from nuzoo.simulation.materials import LAR
from nuzoo.simulation.response.charge import Drift
from nuzoo.simulation.response.pixel_maps import Anchor, DriftReadout, Electronics, Entry, View

_PIXELS = Electronics(noise=1030.0, threshold=7000.0, saturation_mev=None, entry=Entry.CHARGE)
"""Reset noise of 900 e and uncorrelated noise of 500 e in quadrature, 7 ke threshold: larnd-sim."""


def _pixel_view(
    name: str, row_axis: Vector, column_axis: Vector = (0.0, 0.0, 1.0), pitch_mm: float = 5.0
) -> View:
    return View(
        name=name,
        row_axis=row_axis,
        column_axis=column_axis,
        row_pitch_mm=pitch_mm,
        column_pitch_mm=pitch_mm,
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
    readout=DriftReadout(
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
    ),
)
"""The modular 2 × 2 × 7 m LArTPC of arXiv:2509.08461: 5 mm pixels, 0.3 m drift to anodes at ±0.9 and ±0.3 m.

The outermost 10 cm drift inwards to the anodes at ±0.9 m.
"""


def _altered(name: str, **readout: Any) -> Detector[DriftReadout]:
    """Alter the readout of the modular detector."""
    return replace(MODULAR_LARTPC, name=name, readout=replace(MODULAR_LARTPC.readout, **readout))


def _pitched(pitch_mm: float) -> tuple[View, ...]:
    return tuple(
        _pixel_view(view.name, view.row_axis, pitch_mm=pitch_mm) for view in MODULAR_LARTPC.readout.views
    )


def _wires(angle: float) -> Vector:
    return (0.0, math.sin(math.radians(angle)), math.cos(math.radians(angle)))


ALTERED_LARTPCS = (
    _altered("modular-2x2x7-3mm", views=_pitched(3.0)),
    _altered("modular-2x2x7-10mm", views=_pitched(10.0)),
    _altered(
        "modular-2x2x7-3view",
        views=tuple(
            _pixel_view(name, (1.0, 0.0, 0.0), _wires(angle))
            for name, angle in (("u", 35.7), ("v", -35.7), ("z", 0.0))
        ),
    ),
    _altered("single-2x2x7", drift=replace(MODULAR_LARTPC.readout.drift, anodes=(-100.0,))),
)
"""The modular detector with other pixels; with the three views of `DUNE_LIKE` in its pixels; as a single
volume of 2 m drift. Each differs in one thing, to see what a model of one is worth in another."""

MEV_PER_COUNT = 0.033
"""MeV of one count of an 8-bit map of the DUNE CVN.

Set so that the median hit of muon-neutrino events (minimum-ionising, 27 to 38 counts by view) and the total
of all classes agree with simulated events of the same energies in `DUNE_LIKE`; they ask for 0.031 and 0.034.
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
    readout=DriftReadout(
        drift=Drift(
            anodes=(0.0,),
            field=0.5,
            velocity=1.648,
            lifetime=10.0,
            transverse_diffusion=1.3,
            longitudinal_diffusion=0.9,
        ),
        electronics=Electronics(noise=500.0, threshold=6000.0, saturation_mev=8.4, entry=Entry.HITS),
        mev_per_count=MEV_PER_COUNT,
        views=(_wire_view("u", 35.7, 4.67), _wire_view("v", -35.7, 4.67), _wire_view("z", 0.0, 4.79)),
    ),
)
"""Like the DUNE far detector's 1 × 2 × 6 geometry (Phys. Rev. D 102, 092003): three wire planes, 3.6 m drift.

Pulses in 3.2 µs of drift time make one row of 5.1 mm, so that rows and wires have about one pitch. Noise,
threshold and lifetime are estimates; the largest energy is 255 counts of the 8-bit CVN files.
"""
