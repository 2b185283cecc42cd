"""What every detector has: a volume of some material, and a way to record what happens in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from nuzoo.simulation.errors import DetectorError
from nuzoo.simulation.event_types import Vector
from nuzoo.simulation.materials import Material
from nuzoo.simulation.response.readout import Readout

R = TypeVar("R", bound=Readout[Any])


@dataclass(frozen=True)
class Detector(Generic[R]):
    """A detector.

    Attributes:
        name: identifier that datasets and processors carry.
        material: what it is filled with.
        low: lower corner of the active volume (x, y, z), cm.
        high: upper corner, cm; the lower one of a detector whose volume is not described.
        vertex_low: lower corner of the box in which interactions happen, uniformly.
        vertex_high: its upper corner.
        readout: what it records.
        magnetic_field: along x, y and z, tesla.

    Raises:
        DetectorError: vertices outside the volume, or a readout that does not suit it.
    """

    name: str
    material: Material
    low: Vector
    high: Vector
    vertex_low: Vector
    vertex_high: Vector
    readout: R
    magnetic_field: Vector = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        corners = zip(self.low, self.vertex_low, self.vertex_high, self.high, strict=True)
        if not all(low <= first <= last <= high for low, first, last, high in corners):
            raise DetectorError(f"{self.name}: the box of vertices must lie inside the active volume")
        self.readout.check(self)

    @property
    def has_volume(self) -> bool:
        """Whether it is described where interactions happen."""
        return self.low != self.high

    def geometry(self) -> dict[str, Any]:
        """Say what its events look like, as plain data: its name, and what its readout says."""
        return {"detector": self.name, **self.readout.geometry()}

    def facts(self) -> dict[str, str]:
        """Say what a card says of it: property and value, with units."""
        if not self.has_volume:
            return self.readout.facts()
        sides = [f"{(high - low) / 100:g}" for low, high in zip(self.low, self.high, strict=True)]
        volume = f"{' × '.join(sides)} m of {self.material.name.replace('_', ' ')}"
        field = ", ".join(f"{each:g}" for each in self.magnetic_field)
        bent = {"magnetic field": f"({field}) T"} if any(self.magnetic_field) else {}
        return {"active volume": volume, **bent, **self.readout.facts()}
