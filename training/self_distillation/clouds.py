"""Views of a batch of events as one batch of clouds: the large ones first, of event after event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nuzoo.modeling.sparse.point_level import cells_of_points
from nuzoo.modeling.sparse.ragged import events_of, mean_by
from nuzoo.training.augmentation.bound import BatchTransform
from nuzoo.training.augmentation.point_cloud_batch import ORIGIN
from nuzoo.training.augmentation.point_cloud_views import PointCloudViews

INPUTS = ("coordinates", "energy", "grid_coordinates", "offset")


@dataclass(frozen=True)
class ViewMaker:
    """Cuts views out of events, and transforms each.

    Attributes:
        views: Which views.
        augmentation: Of each view.
    """

    views: PointCloudViews
    augmentation: BatchTransform

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Make the views of a batch of the processor: one batch of all, with `ORIGIN`."""
        large, small = self.views(batch)
        return self.augmentation(joined([*large, *small]))


@dataclass(frozen=True)
class Tokens:
    """The tokens of clouds.

    Attributes:
        places: (tokens, 3), where the points of each were before anything moved them.
        cloud: int64 (tokens,), the number of the cloud of each, ascending.
        clouds: How many there are.
    """

    places: Tensor
    cloud: Tensor
    clouds: int

    def before(self, cloud: int) -> "Tokens":
        """Take those of the clouds before one."""
        number = int((self.cloud < cloud).sum())
        return Tokens(self.places[:number], self.cloud[:number], cloud)


def joined(batches: Sequence[Mapping[str, Tensor]]) -> dict[str, Any]:
    """Put batches of events behind each other."""
    tensors = {name: torch.cat([batch[name] for batch in batches]) for name in batches[0] if name != "offset"}
    ends = torch.tensor([0, *(len(batch["coordinates"]) for batch in batches[:-1])]).cumsum(0).tolist()
    offsets = [batch["offset"] + end for batch, end in zip(batches, ends, strict=True)]
    return {**tensors, "offset": torch.cat(offsets)}


def first_clouds(clouds: Mapping[str, Tensor], number: int) -> dict[str, Tensor]:
    """Take what a network reads of the first clouds of a batch."""
    points = int(clouds["offset"][number - 1])
    rows = {name: clouds[name][:points] for name in INPUTS[:-1]}
    return {**rows, "offset": clouds["offset"][:number]}


def tokens_of(clouds: Mapping[str, Tensor], bits: int, doublings: int) -> Tokens:
    """Find the tokens of clouds, in the order in which the network gives them; see `cells_of_points`."""
    cell, ends = cells_of_points(clouds["grid_coordinates"], clouds["offset"], bits, doublings)
    return Tokens(mean_by(clouds[ORIGIN], cell, int(ends[-1])), events_of(ends), len(ends))
