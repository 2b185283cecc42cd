"""What the student is asked: which prototypes the teacher sees, of the same places in other views."""

from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

from nuzoo.modeling.sparse.ragged import mean_by
from nuzoo.training.self_distillation.clouds import Tokens
from nuzoo.training.self_distillation.matching import NO_MATCH, match_nearest
from nuzoo.training.self_distillation.sinkhorn import balanced_targets, over_processes


@dataclass(frozen=True)
class Temperatures:
    """How sharp the answers are, and how the teacher's are balanced.

    Attributes:
        student: Its cosines are divided by it.
        teacher: The same of the teacher.
        iterations: Of `balanced_targets`.
    """

    student: float
    teacher: float
    iterations: int


def distillation_loss(
    student: Tensor, teacher: Tensor, view: Tensor, views: int, temperatures: Temperatures
) -> Tensor:
    """Compute the cross-entropy of the student against the teacher: mean of a view, and mean of all views.

    Views without any token do not count. The mean is over the views of all processes; as
    `DistributedDataParallel` averages gradients, it is given times the number of processes.

    Args:
        student: Cosines (tokens, prototypes).
        teacher: The same of the places that belong to them.
        view: int64 (tokens,), the view of each, below `views`.
        views: How many this process has.
        temperatures: See there.

    Returns:
        A number; 0 where no process has tokens.
    """
    targets = balanced_targets(teacher, temperatures.teacher, temperatures.iterations)
    answers = F.log_softmax(student.float() / temperatures.student, dim=1)
    of_token = -(targets * answers).sum(dim=1, keepdim=True)
    counted = (torch.bincount(view, minlength=views) > 0).sum().float()
    processes = dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1
    return processes * mean_by(of_token, view, views).sum() / over_processes(counted).clamp(min=1)


def view_losses(
    student: Any, teacher: Any, tokens: Tokens, events: int, large: int, radius: float, how: Temperatures
) -> dict[str, Tensor]:
    """Compute the three losses of a batch of clouds; clouds lie view after view, the large ones first.

    A masked large view is asked for what the teacher sees of it whole ("mask") and of the next large view
    ("roll"), a small one for what the teacher sees of the first large view ("unmask"). Tokens of which none
    of the teacher's is near are not asked.

    Args:
        student: Outputs of the network for all clouds, of which the first `large` are masked.
        teacher: Outputs of the network for the first `large` clouds, whole.
        tokens: Of all clouds.
        events: How many there are.
        large: Number of the large views of all events.
        radius: How far a token of the teacher may be away, in units of the coordinates.
        how: Temperatures.
    """
    known, small = tokens.before(large), tokens.cloud >= large
    turned = (known.cloud + events) % large
    cloud, places = tokens.cloud[small] - large, tokens.places[small]
    same = torch.arange(len(known.cloud), device=cloud.device)
    other = match_nearest(known.places, turned, known.places, known.cloud, radius)
    first = match_nearest(places, cloud % events, known.places, known.cloud, radius)

    def loss(asked: Tensor, answers: Tensor, match: Tensor, view: Tensor) -> Tensor:
        kept = match != NO_MATCH
        return distillation_loss(asked[kept], answers[match[kept]], view[kept], tokens.clouds, how)

    return {
        "mask": loss(student.mask_logits, teacher.mask_logits, same, known.cloud),
        "roll": loss(student.mask_logits, teacher.mask_logits, other, known.cloud),
        "unmask": loss(student.unmask_logits, teacher.unmask_logits, first, cloud),
    }
