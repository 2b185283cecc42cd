"""FASERCal: cubes behind plates of tungsten in ten modules, two calorimeters and a muon spectrometer.

Sizes as the collaboration's design report is quoted by others; it proposes 1, 5 and 10 mm of tungsten a
module, and which one was used in arXiv:2604.07037 is not said there.
"""

from __future__ import annotations

from nuzoo.simulation.detectors.detector import Detector
from nuzoo.simulation.event_types import Vector
from nuzoo.simulation.materials import POLYSTYRENE
from nuzoo.simulation.response.sub_detectors import SubDetectorReadout
from nuzoo.simulation.sandwich import Sandwich

CENTRE_MM: Vector = (174.0, 109.0, -66.0)
"""Middle of the 3DCal in the frame of the events, near the mean vertex of the public code."""


def fasercal(name: str, tungsten_mm: float) -> Detector[SubDetectorReadout]:
    """Make a FASERCal with plates of tungsten of some thickness.

    Args:
        name: of the detector.
        tungsten_mm: thickness of each plate.
    """
    size = Sandwich(tungsten_mm=tungsten_mm)
    sides = (size.cubes[0] * size.cube_mm, size.cubes[1] * size.cube_mm, size.cal_mm)
    x, y, z = (middle - side / 2 for middle, side in zip(CENTRE_MM, sides, strict=True))
    low: Vector = (x / 10, y / 10, z / 10)
    high: Vector = ((x + sides[0]) / 10, (y + sides[1]) / 10, (z + sides[2]) / 10)
    readout = SubDetectorReadout(sandwich=Sandwich(tungsten_mm=tungsten_mm, origin_mm=(x, y, z)))
    return Detector(name, POLYSTYRENE, low, high, low, high, readout)


FASERCAL = fasercal("fasercal", 10.0)
FASERCAL_5MM = fasercal("fasercal-5mm", 5.0)
FASERCAL_1MM = fasercal("fasercal-1mm", 1.0)
