"""Views of point clouds for self-distillation: large and small crops of each event."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from nuzoo.training.augmentation.point_cloud_batch import ORIGIN
from nuzoo.training.augmentation.ragged import any_in, counts_of, events_of, nearest, one_among
from nuzoo.training.fields import Count, NotNegative, Probability, RecipeError

PER_POINT = ("coordinates", "energy", "grid_coordinates")


@dataclass(frozen=True)
class PointCloudViews:
    """Which hits each view of an event has, as Panda's (arXiv 2512.01324) and Sonata's (arXiv 2503.16429).

    A view are the hits that are nearest to one of them. Of the large views the first is around any hit, the
    others around one of the first. The small ones are around hits of the first that are in no small one yet,
    or, when all are, around any of its. A `PointCloudAugmentation` may transform each view afterwards.

    Attributes:
        global_views: Number of large views.
        local_views: Number of small views.
        global_keeps: Least and largest fraction of an event's hits in a large view.
        local_keeps: The same of a small one.
        largest: Fractions are of no more hits than these.
        scaled_energy_jitter: Standard deviation of a factor on the scaled energies of an event in its large
            views, at most as far from 1.
        jittered: Probability that an event has such a factor.
    """

    global_views: Count = 2
    local_views: int = 6
    global_keeps: list[float] = field(default_factory=lambda: [0.4, 1.0])
    local_keeps: list[float] = field(default_factory=lambda: [0.1, 0.4])
    largest: Count = 30000
    scaled_energy_jitter: NotNegative = 0.0
    jittered: Probability = 0.8

    def __post_init__(self) -> None:
        for name in ("global_keeps", "local_keeps"):
            limits = getattr(self, name)
            if len(limits) != 2 or not 0 < limits[0] <= limits[1] <= 1:
                raise RecipeError(
                    f"{name}: expected two rising fractions above 0, to 1, got {limits}: correct it"
                )

    def __call__(self, batch: Mapping[str, Any]) -> tuple[list[dict[str, Tensor]], list[dict[str, Tensor]]]:
        """Draw the views of each event by torch's generator.

        Args:
            batch: As `NuPointCloudFeatureExtractor` makes it.

        Returns:
            Large and small views: batches with `PER_POINT`, `offset` and `ORIGIN`, of every event one each.
        """
        offset = batch["offset"]
        everything = torch.ones(len(batch["coordinates"]), dtype=torch.bool, device=offset.device)
        major = self._around(batch, one_among(everything, offset), self.global_keeps)
        large = [major]
        for _ in range(self.global_views - 1):
            large.append(self._around(batch, one_among(major, offset), self.global_keeps))
        small, left = [], major
        for _ in range(self.local_views):
            used_up = ~any_in(left, offset)
            left = torch.where(used_up[events_of(offset)], major, left)
            view = self._around(batch, one_among(left, offset), self.local_keeps)
            small.append(view)
            left = left & ~view
        bright = {**batch, "energy": batch["energy"] * self._brightness(offset)}
        return [_view(bright, rows) for rows in large], [_view(batch, rows) for rows in small]

    def _brightness(self, offset: Tensor) -> Tensor:
        """Draw the factor of each event, (points, 1)."""
        draw = torch.randn(len(offset), device=offset.device).clamp(-1, 1)
        chosen = torch.rand(len(offset), device=offset.device) < self.jittered
        return (1 + self.scaled_energy_jitter * draw * chosen)[events_of(offset)][:, None]

    def _around(self, batch: Mapping[str, Any], centre: Tensor, keeps: list[float]) -> Tensor:
        """Which rows are in a view around a row (events,) of each event: bool (points,)."""
        coordinates, offset = batch["coordinates"], batch["offset"]
        if not len(coordinates):
            return torch.zeros(0, dtype=torch.bool, device=offset.device)
        fraction = keeps[0] + (keeps[1] - keeps[0]) * torch.rand(len(offset), device=offset.device)
        number = (fraction * counts_of(offset).clamp(max=self.largest)).ceil()
        return nearest(coordinates, offset, coordinates[centre], number)


def _view(batch: Mapping[str, Any], rows: Tensor) -> dict[str, Tensor]:
    offset = batch["offset"]
    ends = torch.bincount(events_of(offset)[rows], minlength=len(offset)).cumsum(0)
    view = {name: batch[name][rows] for name in PER_POINT}
    return {**view, "offset": ends, ORIGIN: batch["coordinates"][rows]}
