"""Voxels: the energy in each cell of a grid, with the particle and the interaction that left most of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from nuzoo.files.events.point_cloud_events import VOXEL
from nuzoo.simulation.errors import DetectorError
from nuzoo.simulation.response.readout import Readout

if TYPE_CHECKING:
    from nuzoo.simulation.detectors import Detector
    from nuzoo.simulation.simulate import SimulatedEvent


@dataclass(frozen=True, kw_only=True)
class VoxelReadout(Readout):
    """The readout of a detector that is seen in three dimensions.

    Attributes:
        shape: Voxels along x, y and z.
        pitch_mm: Edges of a voxel.
        origin_mm: The lower corner of the first voxel.
        threshold_mev: Least energy of a voxel that is stored.
        classes: Of whole events; none where events have no class.
    """

    shape: tuple[int, int, int]
    pitch_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    threshold_mev: float
    classes: tuple[str, ...] = ()

    def geometry(self) -> dict[str, Any]:
        """Say what recorded events look like, as plain data."""
        classes = {"classes": list(self.classes)} if self.classes else {}
        return {
            "positions": VOXEL,
            "shape": list(self.shape),
            "pitch_mm": list(self.pitch_mm),
            "origin_mm": list(self.origin_mm),
            **classes,
        }

    def facts(self) -> dict[str, str]:
        """Say what a card says of it: property and value, with units."""
        numbers, edges = (" × ".join(f"{each:g}" for each in sides) for sides in (self.shape, self.pitch_mm))
        return {
            "voxels": f"{numbers} of {edges} mm",
            "threshold": f"{self.threshold_mev:g} MeV in a voxel",
        }

    def check(self, detector: Detector) -> None:
        """Refuse a detector whose volume is another than that of its voxels."""
        sides = zip(self.origin_mm, self.shape, self.pitch_mm, strict=True)
        corners = [(origin / 10, (origin + size * pitch) / 10) for origin, size, pitch in sides]
        if corners != list(zip(detector.low, detector.high, strict=True)):
            raise DetectorError(f"{detector.name}: expected a volume of the size of its voxels, {corners} cm")

    def respond(self, event: SimulatedEvent) -> dict[str, NDArray[Any]]:
        """Record an event as hits, particles and interactions."""
        raise NotImplementedError
