"""Tensors of Panda (github.com/DeepLearnPhysics/Panda, MIT), by the names of `nu_point`; none changes."""

import re
from collections.abc import Mapping

from torch import Tensor, nn

from nuzoo.modeling.weight_errors import WeightsError, differences

STUDENT = re.compile(r"(module\.)?student\.")
"""What stands before the names in a file of the pre-training."""

BACKBONE = "backbone."

MODULES = (
    (r"embedding\.stem\.linear\.", "embedding.projection."),
    (r"embedding\.stem\.", "embedding."),
    (r"embedding\.", "embedding."),
    (r"enc\.enc(?P<stage>\d+)\.block(?P<block>\d+)\.", "encoder.stages.{stage}.{block}."),
    (r"enc\.enc(?P<stage>[1-9]\d*)\.down\.", "encoder.poolings.{finer}."),
    (r"dec\.dec(?P<stage>\d+)\.block(?P<block>\d+)\.", "decoder.stages.{stage}.{block}."),
    (r"dec\.dec(?P<stage>\d+)\.up\.", "decoder.unpoolings.{stage}."),
)
"""How names in the backbone begin, and what stands there in ours; the first that fits counts."""

LAYERS = {
    "cpe.0": "position.convolution",
    "cpe.1": "position.projection",
    "cpe.2": "position.norm",
    "norm1.0": "norm_attention",
    "attn.qkv": "attention.qkv",
    "attn.proj": "attention.proj",
    "ls1.0": "scale_attention",
    "norm2.0": "norm_mlp",
    "mlp.0.fc1": "mlp.0",
    "mlp.0.fc2": "mlp.2",
    "ls2.0": "scale_mlp",
    "proj": "projection",
    "norm.0": "norm",
    "proj.0": "coarse.0",
    "proj.1": "coarse.1",
    "proj_skip.0": "skip.0",
    "proj_skip.1": "skip.1",
}
"""What follows in the name, without the last part; others stay."""

HEADS = {"seg_head": "classifier"}
"""Modules beside the backbone."""


def from_panda(tensors: Mapping[str, Tensor], network: nn.Module, origin: str) -> dict[str, Tensor]:
    """Give the tensors of one of Panda's networks the names of ours.

    Args:
        tensors: of its backbone, with or without a head, or of the file of its pre-training, of which the
            student is taken.
        network: what they are for, a `NuPointModel` or one with a head.
        origin: where they are from, for errors.

    Returns:
        All tensors of the network.

    Raises:
        WeightsError: a tensor is missing, of another shape, or not one of the network.
    """
    prefix = getattr(network, "base_model_prefix", "")
    is_bare = not hasattr(network, prefix)
    weights = {
        nuzoo_name(name, "" if is_bare else f"{prefix}."): tensor
        for name, tensor in _student(tensors).items()
    }
    problems = differences(weights, network.state_dict())
    if problems:
        raise WeightsError(
            f"{origin} does not hold the weights of this network. {problems}. Give the configuration the "
            "sizes, the readout, the classes and the use_mask_token of the checkpoint"
        )
    return weights


def nuzoo_name(name: str, prefix: str = "") -> str:
    """Give the name of one of Panda's tensors in a network of ours.

    Args:
        name: Panda's; that of a backbone begins with "backbone." where there is a head.
        prefix: of the backbone in our network.

    Returns:
        Ours, or Panda's where ours has no such tensor.
    """
    module, _, kind = name.rpartition(".")
    if module in HEADS:
        return f"{HEADS[module]}.{kind}"
    within = name.removeprefix(BACKBONE)
    for pattern, ours in MODULES:
        if found := re.match(pattern, within):
            stage = found.groupdict().get("stage", "1")
            begin = ours.format(**found.groupdict(), finer=int(stage) - 1)
            layer, dot, kind = within[found.end() :].rpartition(".")
            return prefix + begin + LAYERS.get(layer, layer) + dot + kind
    return name


def _student(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Leave out what is not of the student, where there is one."""
    of_student = {STUDENT.sub("", name, count=1): name for name in tensors if STUDENT.match(name)}
    return {ours: tensors[name] for ours, name in of_student.items()} or dict(tensors)
