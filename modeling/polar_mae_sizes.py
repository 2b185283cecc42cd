"""Which network of ours a file of PoLAr-MAE holds, by the names and shapes of its tensors."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor

from nuzoo.configuration.configuration_nu_point_mae import NuPointMaeConfig
from nuzoo.files.events.point_cloud_events import MOTIFS
from nuzoo.modeling.modeling_nu_point_mae import (
    CHANNELS,
    NuPointMaeForSemanticSegmentation,
    NuPointMaeModel,
    NuPointMaePreTrainedModel,
)
from nuzoo.modeling.modeling_nu_point_mae_pretraining import NuPointMaeForPreTraining
from nuzoo.modeling.tensor_sizes import TensorSizes
from nuzoo.modeling.weight_errors import WeightsError

TOKENISER = "embedding.linear1.weight"
"""A tensor that every network of PoLAr-MAE has, and no other."""
HEAD = "classifier.linear3.weight"
ENERGIES = ("energy_encoder.", "energy_head.")
OTHER_DECODER = re.compile(r"encoder\.norm\.|decoder\.blocks\.\d+\.norm1_kv\.")
"""Of a pre-training whose decoder reads normed tokens, or looks from hidden tokens at visible ones only."""

UNREAD = re.compile(r"encoder\.norm\.(weight|bias)|loss_func\.weight|center")
"""In files of semantic networks, beside the network: features are taken before the norm."""
OF_PRETRAINING = re.compile(
    r"encoder\.norm\.(weight|bias)|(decoder|point_head|energy_encoder|energy_head)\..+"
)

CENTRE = 384.0
VOXELS_PER_UNIT = 768 * math.sqrt(3) / 2
"""Places are voxels from the middle, in these: half the diagonal of the cube."""

HEADS = {192: 6, 384: 6, 768: 12}
"""Heads of attention by the width of tokens: those of the public code's three sizes."""

CLASSES = (len(MOTIFS) - 1, len(MOTIFS))
"""Motifs without low-energy deposits, which were no part of the published training; or all."""

FIELDS = {
    "masking_ratio": "mask_ratio",
    "seg_head_dropout": "head_dropout",
    "seg_head_fetch_layers": "feature_layers",
    "upsampling_k": "neighbours",
    "attn_drop_rate": "attention_dropout",
    "drop_path_rate": "drop_path_rate",
    "context_length": "max_groups",
    "group_max_points": "group_points",
    "group_upscale_points": "ball_points",
    "overlap_factor": "overlap",
}
"""Fields by the names of settings."""

FIXED: dict[str, Any] = {
    "add_pos_at_every_layer": True,
    "apply_local_attention": False,
    "apply_relative_position_bias": False,
    "drop_path_uniform": False,
    "drop_rate": 0.0,
    "normalize_group_centers": False,
    "qk_scale": None,
    "qkv_bias": True,
    "reduction_method": "fps",
    "seg_head_combination_method": "mean",
    "use_pos_enc_for_upsampling": False,
    "use_relative_features": False,
    "voxel_size": 5,
}
"""Settings that change results, with the value that the network has."""


@dataclass(frozen=True)
class NetworkTensors:
    """The tensors of one of our networks.

    Attributes:
        network: its class.
        weights: see `nuzoo.modeling.polar_mae_weights.renamed`.
        left: names of those that are no part of it.
        left_are: what these are, for people.
    """

    network: type[NuPointMaePreTrainedModel]
    weights: dict[str, Tensor]
    left: list[str]
    left_are: str


def network_of(weights: Mapping[str, Tensor], origin: str) -> NetworkTensors:
    """Tell which network tensors are of, and take its own.

    That is the semantic one; the pre-training; or of a pre-training whose decoder is none of ours, as
    Point-MAE's, the encoder.

    Args:
        weights: see `nuzoo.modeling.polar_mae_weights.renamed`.
        origin: where they are from, for errors.

    Raises:
        WeightsError: places of hits are not counted from the middle of the cube.
    """
    centre = weights.get("center")
    if centre is not None and bool((centre != CENTRE).any()):
        raise WeightsError(f"{origin}: expected center {CENTRE} of each axis, got {centre.tolist()}")
    if HEAD in weights:
        words = "what no result needs (weights of the loss, the frame, or a norm that no feature passes)"
        return _without(NuPointMaeForSemanticSegmentation, weights, UNREAD, words)
    if any(name.startswith(ENERGIES) for name in weights) and not any(map(OTHER_DECODER.match, weights)):
        return NetworkTensors(NuPointMaeForPreTraining, dict(weights), [], "")
    words = "a decoder and heads of a pre-training that is none of ours"
    return _without(NuPointMaeModel, weights, OF_PRETRAINING, words)


def _without(
    network: type[NuPointMaePreTrainedModel],
    weights: Mapping[str, Tensor],
    others: re.Pattern[str],
    words: str,
) -> NetworkTensors:
    left = [name for name in weights if others.fullmatch(name)]
    kept = {name: tensor for name, tensor in weights.items() if not others.fullmatch(name)}
    return NetworkTensors(network, kept, left, words)


def config_of(weights: Mapping[str, Tensor], settings: Mapping[str, Any], origin: str) -> NuPointMaeConfig:
    """Make the configuration of a network: sizes by the shapes of its tensors, the rest by its settings.

    What neither tells has the published value.

    Args:
        weights: of one network, see `network_of`.
        settings: of the network, by the names of its arguments in the public code or in pimm.
        origin: where they are from, for errors.

    Raises:
        WeightsError: a tensor that tells a size is missing, or it is no network of ours.
    """
    told = _flat(settings, origin)
    _refuse_other(told, settings, origin)
    sizes = _Sizes(weights, "PoLAr-MAE", origin)
    hidden = sizes.of("embedding.linear4.weight", 0)
    depth = sizes.blocks("encoder")
    fields: dict[str, Any] = {
        "hidden_size": hidden,
        "embedding_size": sizes.of(TOKENISER, 0),
        "num_hidden_layers": depth,
        "num_attention_heads": told.get("num_heads") or _heads(hidden, origin),
        "mlp_ratio": sizes.of("encoder.0.mlp.0.weight", 0) / hidden,
        "feature_layers": _thirds(depth),
    }
    published = NuPointMaeConfig()
    for name in FIELDS.keys() & told.keys():
        ours = FIELDS[name]
        fields[ours] = type(getattr(published, ours))(told[name])
    if isinstance(told.get("group_radius"), float):
        fields["group_radius"] = round(told["group_radius"] * VOXELS_PER_UNIT, 6)
    if "energy_head.weight" in weights:
        fields["group_points"] = sizes.of("point_head.weight", 0) // CHANNELS
        fields["decoder_layers"] = sizes.blocks(r"decoder\.blocks")
    if HEAD in weights:
        fields["head_size"] = sizes.of("classifier.linear1.weight", 0)
        fields["id2label"] = dict(enumerate(MOTIFS[: _classes(sizes.of(HEAD, 0), origin)]))
    try:
        return NuPointMaeConfig(norm_over="batch", pool_padding=True, **fields)
    except StrictDataclassError as error:
        raise WeightsError(f"{origin} is no network of ours. {' '.join(str(error).split())}") from error


class _Sizes(TensorSizes):
    """Sizes of tensors, and how many blocks there are."""

    def blocks(self, part: str) -> int:
        """Give the number of blocks of "encoder" or of the decoder."""
        pattern = re.compile(rf"{part}\.(\d+)\.")
        return len({found[1] for found in map(pattern.match, self.shapes) if found})


def _thirds(depth: int) -> list[int]:
    """Give the last block of each third; of 12 the published 3, 7 and 11."""
    return sorted({max(depth * third // 3 - 1, 0) for third in (1, 2, 3)})


def _heads(hidden: int, origin: str) -> int:
    if hidden not in HEADS:
        raise WeightsError(
            f"{origin}: expected tokens of {', '.join(map(str, HEADS))} numbers, or num_heads among the "
            f"transformer_kwargs of its settings, got tokens of {hidden}"
        )
    return HEADS[hidden]


def _classes(number: int, origin: str) -> int:
    if number not in CLASSES:
        known = " or ".join(map(str, CLASSES))
        raise WeightsError(f"{origin}: expected a head of {known} classes, got {number} in {HEAD}")
    return number


def _flat(settings: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Give settings without their levels; those that refer to others, as "${…}", tell nothing."""
    encoder = _level(_level(settings, "encoder", origin), "init_args", origin)
    told = {**settings, **encoder}
    for part in ("transformer_kwargs", "tokenizer_kwargs"):
        told |= _level(told, part, origin)
    return {name: value for name, value in told.items() if "$" not in str(value)}


def _level(settings: Mapping[str, Any], name: str, origin: str) -> Mapping[str, Any]:
    level = settings.get(name) or {}
    if not isinstance(level, Mapping):
        raise WeightsError(f"{origin}: expected settings by name in {name}, got {level!r}")
    return level


def _refuse_other(told: Mapping[str, Any], settings: Mapping[str, Any], origin: str) -> None:
    """Refuse settings under which the tensors would give other results than in our network."""
    wrong = [
        f"{name}={told[name]!r} (expected {wanted!r})"
        for name, wanted in FIXED.items()
        if name in told and told[name] != wanted
    ]
    if "transformer_kwargs" in told and "add_pos_at_every_layer" not in told:
        wrong.append("no add_pos_at_every_layer (expected True)")
    frame = {"center": CENTRE, "scale": 1 / VOXELS_PER_UNIT}
    for name, wanted in frame.items():
        for key in (name, f"transformation_{name}", f"transformation_{name}_factor"):
            if key in told and not _near(told[key], wanted):
                wrong.append(f"{key}={told[key]!r} (expected {wanted:.6g})")
    if wrong:
        raise WeightsError(f"{origin} is no network of ours. Its settings say {', '.join(wrong)}")


def _near(given: Any, wanted: float) -> bool:
    try:
        values = torch.as_tensor(given, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        return False
    return bool((values / wanted - 1).abs().max() < 1e-4)
