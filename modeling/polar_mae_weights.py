"""Tensors of PoLAr-MAE (github.com/DeepLearnPhysics/PoLAr-MAE, MIT), by the names of `nu_point_mae`.

The numbers stay the same. Its own code and pimm, which its Hub repositories are made with, have names of
their own; both are read.
"""

import re
from collections import defaultdict
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from nuzoo.modeling.weight_errors import WeightsError, differences

BEGINNINGS = (
    (r"(encoder\.tokenizer\.)?embedding\.", "embedding."),
    (r"(encoder\.)?pos_embed\.pos_enc\.", "position."),
    (r"encoder\.(transformer\.)?blocks\.", "encoder."),
    (r"encoder\.(transformer\.)?", "encoder."),
    (r"decoder\.(transformer\.)?", "decoder."),
    (r"mask_token$", "decoder.mask_token"),
    (r"increase_dim\.", "point_head."),
    (r"equivariant_patch_encoder\.", "energy_encoder."),
    (r"energy_decoder\.", "energy_head."),
    (r"upsampler\.", "upsampling."),
    (r"seg_head\.", "classifier."),
)
"""How names begin, and what stands there in ours; the first that fits counts."""

LAYERS = {
    "first_conv.0": "linear1",
    "first_conv.1": "norm1",
    "first_conv.3": "linear2",
    "second_conv.0": "linear3",
    "second_conv.1": "norm2",
    "second_conv.3": "linear4",
    "position_encoder.time_embed.1": "place.linear",
    "pos_enc.time_embed.1": "place.linear",
    "mlp_convs.0": "linear1",
    "mlp_bns.0": "norm1",
    "mlp_convs.1": "linear2",
    "mlp_bns.1": "norm2",
    "conv1": "linear1",
    "bn1": "norm1",
    "conv2": "linear2",
    "bn2": "norm2",
    "conv3": "linear3",
}
"""What follows in the name, without the last part; others stay."""

BLOCK = re.compile(r"((?:blocks\.)?\d+\.)(.+)")
BLOCK_LAYERS = {
    "norm1": "norm_attention",
    "norm2": "norm_mlp",
    "attn.qkv": "attention.qkv",
    "attn.proj": "attention.proj",
    "mlp.fc1": "mlp.0",
    "mlp.fc2": "mlp.2",
}
"""The same after the number of a block."""

KINDS = {"gamma": "weight", "beta": "bias"}

BODY = ("embedding.", "position.", "encoder.")
"""How the names of a `NuPointMaeModel` begin."""

COUNTED = "num_batches_tracked"
"""What torch's batch norms count in training, and those of PoLAr-MAE do not."""


def renamed(tensors: Mapping[str, Tensor], origin: str) -> dict[str, Tensor]:
    """Give tensors the names that they have in `nu_point_mae`, without that of its body, and their shapes.

    Args:
        tensors: by the names of PoLAr-MAE's code, or of pimm.
        origin: where they are from, for errors.

    Raises:
        WeightsError: of two tensors one would take the place of the other.
    """
    places = defaultdict(list)
    for name in tensors:
        places[nuzoo_name(name)].append(name)
    if twice := [", ".join(names) for names in places.values() if len(names) > 1]:
        raise WeightsError(f"{origin}: expected each tensor once, got several for one: {'; '.join(twice)}")
    return {ours: _in_our_shape(tensors[names[0]]) for ours, names in places.items()}


def from_polar_mae(weights: Mapping[str, Tensor], network: nn.Module, origin: str) -> dict[str, Tensor]:
    """Give all tensors of one of our networks.

    Args:
        weights: see `renamed`.
        network: what they are for, a `NuPointMaeModel` or one with heads.
        origin: where they are from, for errors.

    Raises:
        WeightsError: a tensor is missing, of another shape, or not one of the network.
    """
    prefix = getattr(network, "base_model_prefix", "")
    body = f"{prefix}." if hasattr(network, prefix) else ""
    expected = network.state_dict()
    whole = {f"{body}{name}" if name.startswith(BODY) else name: rows for name, rows in weights.items()}
    whole |= {name: torch.tensor(0) for name in expected if name.endswith(f".{COUNTED}")}
    if problems := differences(whole, expected):
        raise WeightsError(
            f"{origin} does not hold the weights of one of PoLAr-MAE's networks. {problems}. Download the "
            "file again; what has adapters, a decoder for hits or another head is no network of ours"
        )
    return whole


def nuzoo_name(name: str) -> str:
    """Give the name of one of PoLAr-MAE's tensors in ours; its own where ours has no such module."""
    for pattern, ours in BEGINNINGS:
        if found := re.match(pattern, name):
            module, dot, kind = name[found.end() :].rpartition(".")
            block = BLOCK.fullmatch(module)
            layer = block[1] + BLOCK_LAYERS.get(block[2], block[2]) if block else LAYERS.get(module, module)
            return ours + layer + dot + KINDS.get(kind, kind)
    return name


def _in_our_shape(tensor: Tensor) -> Tensor:
    """Take off the axes of length one of a convolution over single points, and of a norm."""
    if tensor.ndim == 3 and tensor.shape[-1] == 1:
        return tensor[..., 0]
    return tensor.flatten() if tensor.ndim == 3 and tensor.shape[:2] == (1, 1) else tensor
