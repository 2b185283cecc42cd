"""Run in two processes: networks with weights shared out over them say and learn what whole ones do."""

import sys
from copy import deepcopy

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from transformers import PreTrainedModel

from nuzoo.registry import ARCHITECTURES
from tests.common.inputs import example_inputs, loss_of, make_model, networks_of, tensors_of, tiny_processor


def units_of(model):
    """The modules that are shared out one by one: those that transformers and accelerate are told of."""
    named = {
        name
        for part in model.modules()
        if isinstance(part, PreTrainedModel)
        for name in part._no_split_modules or ()
    }
    return [part for part in model.modules() if type(part).__name__ in named]


def assert_sharded_alike(model, inputs, mesh):
    sharded = deepcopy(model)
    units = units_of(sharded)
    assert units, "no module is named in _no_split_modules"
    for unit in units:
        fully_shard(unit, mesh=mesh)
    fully_shard(sharded, mesh=mesh)
    whole, parts = tensors_of(model(**inputs)), tensors_of(sharded(**inputs))
    torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-5)
    loss_of(model, inputs).backward()
    loss_of(sharded, inputs).backward()
    held = 0
    for (name, parameter), (_, expected) in zip(
        sharded.named_parameters(), model.named_parameters(), strict=True
    ):
        assert isinstance(parameter, DTensor), name
        held += parameter.to_local().numel()
        if expected.grad is not None:
            torch.testing.assert_close(parameter.grad.full_tensor(), expected.grad, rtol=1e-3, atol=1e-5)
    assert held < 0.7 * model.num_parameters()


def main(names):
    dist.init_process_group("gloo")
    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    for name in names:
        architecture = ARCHITECTURES[name]
        processor = tiny_processor(architecture)
        inputs = example_inputs(processor, processor.example_events(4)[2:])
        for network in networks_of(architecture):
            assert_sharded_alike(make_model(architecture, network), inputs, mesh)
            if dist.get_rank() == 0:
                print("sharded alike:", network, flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1:])
