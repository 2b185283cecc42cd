"""A batch of point clouds in mm and MeV, while it is transformed."""

from typing import Any

import torch
from torch import Tensor

from nuzoo.processors.point_clouds.cloud_frame import CloudFrame
from nuzoo.processors.point_clouds.energy_scale import LogEnergyScale
from nuzoo.processors.point_clouds.merging import merge_hits
from nuzoo.processors.standardisation import RobustStandardisation
from nuzoo.training.augmentation.ragged import counts_of, events_of

PLACES = ("vertex", "start", "place")
"""Names of tensors of places, among the targets, end so."""

DIRECTIONS = ("momentum", "direction")
"""Names of tensors of vectors without a place end so."""

ORIGIN = "origin_coordinates"
"""Of a view, see `PointCloudViews`: the coordinates of its points before anything moved them."""

ROUNDING = 1e-6
"""Part of a detector's side by which a float32 position on its face may lie beyond it."""


class PointBatch:
    """The points of a batch, and what belongs to them.

    Args:
        batch: As the processor makes it.
        frame: Of the processor.
        scale: Of its energies.
        hit_truth: Names of tensors with a truth for each point.

    Attributes:
        position: (points, 3), mm from the middle of the detector, of the middle of a hit's voxel.
        energy: (points,), MeV.
        event: (points,), number of the event of each.
        offset: (events,), where each event's points end.
        sides: (3,), of the detector, mm.
        brightness: (events,), a factor on the scaled energies; None for none.
    """

    def __init__(
        self,
        batch: dict[str, Any],
        frame: CloudFrame,
        scale: LogEnergyScale | RobustStandardisation,
        hit_truth: set[str],
    ) -> None:
        self.batch, self.frame, self.scale = batch, frame, scale
        coordinates = batch["coordinates"]
        self.middle = coordinates.new_tensor(frame.middle_of_hit)
        self.sides = coordinates.new_tensor(frame.sides_mm)
        self.position = (coordinates + self.middle) * frame.mm_per_unit
        self.energy = scale.inverse(batch["energy"][:, 0])
        self.per_point = ["grid_coordinates", *hit_truth, *({ORIGIN} & batch.keys())]
        self.offset = batch["offset"]
        self.event = events_of(self.offset)
        self.brightness: Tensor | None = None

    @property
    def events(self) -> int:
        """How many events there are."""
        return len(self.offset)

    @property
    def counts(self) -> Tensor:
        """Points of each event, (events,)."""
        return counts_of(self.offset)

    @property
    def depths(self) -> Tensor:
        """Distance of each point from the lower faces, (points, 3), mm, inside of the detector."""
        return torch.minimum((self.position + self.sides / 2).clamp(min=0), self.sides)

    def depth(self, axis: int) -> Tensor:
        """Distance of each point from the lower face across an axis, (points,), mm; see `depths`."""
        return self.depths[:, axis]

    def side(self, axis: int) -> Tensor:
        """Length of the detector along an axis, mm."""
        return self.sides[axis]

    def draw_events(self) -> Tensor:
        """Draw a number from 0 to 1 for each event."""
        return torch.rand(self.events, device=self.position.device)

    def middles(self) -> Tensor:
        """Middle of each event's bounding box, (events, 3), 0 of one without points."""
        parts = self.position.split(self.counts.tolist())
        found = [
            (part.amin(dim=0) + part.amax(dim=0)) / 2 if len(part) else part.sum(dim=0) for part in parts
        ]
        return torch.stack(found)

    def keep(self, kept: Tensor) -> None:
        """Leave out points: `kept` is bool (points,), or the rows that stay."""
        self.position, self.energy, self.event = self.position[kept], self.energy[kept], self.event[kept]
        for name in self.per_point:
            self.batch[name] = self.batch[name][kept]
        self.offset = torch.bincount(self.event, minlength=self.events).cumsum(0)

    def turn(self, matrix: Tensor) -> None:
        """Apply the matrix (events, 3, 3) of each event to its points and vectors."""
        self.position = _applied(matrix[self.event], self.position)
        for name, event in self._vectors(PLACES + DIRECTIONS):
            self.batch[name] = _applied(matrix[event], self.batch[name])

    def shift(self, by: Tensor) -> None:
        """Displace the points and places of each event by (events, 3), mm."""
        self.position = self.position + by[self.event]
        for name, event in self._vectors(PLACES):
            self.batch[name] = self.batch[name] + by[event] / self.frame.mm_per_unit

    def follow(self) -> None:
        """Put points into the cells where they are, and make one of those in one cell; on the CPU.

        Those outside of the detector are left out.
        """
        self.keep((self.position.abs() <= self.sides / 2 * (1 + ROUNDING)).all(dim=1))
        cells = self.frame.cells(self._coordinates().cpu(), self.event.cpu())
        merged = merge_hits(self.event.cpu().numpy(), cells.numpy(), self.energy.cpu().numpy())
        self.batch["grid_coordinates"] = cells.to(self.position.device)
        self.keep(torch.from_numpy(merged.kept).to(self.position.device))
        self.energy = torch.from_numpy(merged.energy).to(self.energy)

    def finished(self) -> dict[str, Any]:
        """Give the batch in the units of the network."""
        scaled = self.scale.forward(self.energy)
        if self.brightness is not None:
            scaled = scaled * self.brightness[self.event]
        return {
            **self.batch,
            "coordinates": self._coordinates(),
            "energy": scaled[:, None],
            "offset": self.offset,
        }

    def _coordinates(self) -> Tensor:
        return self.position / self.frame.mm_per_unit - self.middle

    def _vectors(self, endings: tuple[str, ...]) -> list[tuple[str, Tensor]]:
        """Names of vectors (rows, 3) among the targets, with the number of the event of each row."""
        names = [name for name in self.batch if name.endswith(endings) and self.batch[name].ndim == 2]
        return [(name, self._events_of_rows(name)) for name in names]

    def _events_of_rows(self, name: str) -> Tensor:
        ends = self.batch.get(f"{name.partition('_')[0]}_offset")
        return torch.arange(self.events, device=self.event.device) if ends is None else events_of(ends)


def _applied(matrix: Tensor, vectors: Tensor) -> Tensor:
    """Apply a matrix (n, 3, 3) each to vectors (n, 3)."""
    return (matrix @ vectors[:, :, None])[:, :, 0]
