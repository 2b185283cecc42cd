"""Tensors of Panda (github.com/DeepLearnPhysics/Panda, MIT), by the names of `nu_point`: the same numbers."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from nuzoo.modeling.panda_query_decoder import decoder_name, keys_and_values_apart
from nuzoo.modeling.weight_errors import WeightsError, differences

STUDENT = re.compile(r"(module\.)?student\.")
"""What stands before the names in a file of the pre-training."""

LEFT = re.compile(r"(module\.)?(teacher\.|student\.(mask_head|unmask_head)\.)")
"""What such a file holds beside the student's backbone."""

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
        tensors: of its backbone, with or without a head, of a detector, or of the file of its pre-training,
            of which the student's backbone is taken.
        network: what they are for, a `NuPointModel` or one with heads.
        origin: where they are from, for errors.

    Returns:
        All tensors of the network.

    Raises:
        WeightsError: a tensor is missing, of another shape, or not one of the network.
    """
    prefix = getattr(network, "base_model_prefix", "")
    body = f"{prefix}." if hasattr(network, prefix) else ""
    taken = keys_and_values_apart(of_backbone(tensors)[0])
    weights = {nuzoo_name(name, body): tensor for name, tensor in taken.items()}
    _check_once(taken, body, origin)
    problems = differences(weights, network.state_dict())
    if problems:
        raise WeightsError(
            f"{origin} does not hold the weights of this network. {problems}. Give the configuration the "
            "sizes, the readout, the classes and the use_mask_token of the checkpoint"
        )
    return weights


def of_backbone(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Take the student's backbone out of a file of the pre-training; other files stay as they are.

    Returns:
        Tensors without the student's prefix, and the names of those of teacher and heads, which are left.
    """
    if not any(STUDENT.match(name) for name in tensors):
        return dict(tensors), []
    left = [name for name in tensors if LEFT.match(name)]
    kept = {name: tensor for name, tensor in tensors.items() if not LEFT.match(name)}
    return {STUDENT.sub("", name, count=1): tensor for name, tensor in kept.items()}, left


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
    if ours := decoder_name(name):
        return ours
    within = name.removeprefix(BACKBONE)
    for pattern, module_of_ours in MODULES:
        if found := re.match(pattern, within):
            stage = found.groupdict().get("stage", "1")
            begin = module_of_ours.format(**found.groupdict(), finer=int(stage) - 1)
            layer, dot, kind = within[found.end() :].rpartition(".")
            return prefix + begin + LAYERS.get(layer, layer) + dot + kind
    return name


def _check_once(names: Iterable[str], prefix: str, origin: str) -> None:
    """Refuse tensors of which one would take the place of another."""
    places = defaultdict(list)
    for name in names:
        places[nuzoo_name(name, prefix)].append(name)
    if twice := [", ".join(of) for of in places.values() if len(of) > 1]:
        raise WeightsError(f"{origin}: expected each tensor once, got several for one: {'; '.join(twice)}")
