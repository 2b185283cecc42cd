"""Run in two processes: the loss of a self-distillation over the events of both, and its gradient."""

import sys

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.modeling.modeling_nu_point_pretraining import NuPointForPreTraining
from nuzoo.training.self_distillation.clouds import INPUTS, first_clouds, tokens_of
from nuzoo.training.self_distillation.losses import Temperatures, view_losses

VIEWS, LARGE = 4, 2


def loss_of(model, teacher, clouds):
    """The sum of the three losses of a batch of clouds, as the Trainer computes them."""
    events = len(clouds["offset"]) // VIEWS
    large = LARGE * events
    taught = teacher(**first_clouds(clouds, large))
    told = model(
        **{name: clouds[name] for name in INPUTS}, is_masked=clouds["is_masked"], masked_events=large
    )
    config = teacher.config
    tokens = tokens_of(clouds, config.serialization_bits, config.token_doublings)
    return sum(view_losses(told, taught, tokens, events, large, 0.02, Temperatures(0.1, 0.05, 3)).values())


def networks():
    """Student and teacher, which differ."""
    torch.manual_seed(0)
    config = NuPointConfig.tiny(use_mask_token=True)
    return NuPointForPreTraining(config).eval(), NuPointForPreTraining(config).eval().requires_grad_(False)


def main(folder):
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    student, teacher = networks()
    model = DistributedDataParallel(student, find_unused_parameters=True)
    loss = loss_of(model, teacher, torch.load(f"{folder}/clouds-{rank}.pt"))
    loss.backward()
    total = loss.detach() / dist.get_world_size()
    dist.all_reduce(total)
    if rank == 0:
        gradients = {name: parameter.grad for name, parameter in student.named_parameters()}
        torch.save({"loss": total, "gradients": gradients}, f"{folder}/found.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1])
