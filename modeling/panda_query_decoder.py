"""The query decoder of Panda's detectors: names and sizes of its tensors, by those of ours."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.configuration.query_decoder_config import HEAD_DIM
from nuzoo.files.events.point_cloud_events import PARTICLE_TYPES
from nuzoo.modeling.weight_errors import WeightsError

QUERIES = "decoder.query_feat.weight"
"""A tensor that only detectors have."""

CLASSES = "decoder.cls_pred"
SEVERAL = "decoder.cls_pred_by_label."
"""The head of classes, a perceptron or linear; and its name in later detectors, which have several."""

BLOCK = re.compile(r"decoder\.blocks\.(\d+)\.")
PERCEPTRON = {"fc1": "0", "fc2": "2"}
PAIR = ".self_attn.kv."
"""In the names of tensors that hold the rows of keys, and after them those of values."""

MODULES = (
    (r"decoder\.blocks\.(\d+)\.norm1", r"query_decoder.blocks.\1.norm_cross"),
    (r"decoder\.blocks\.(\d+)\.norm2", r"query_decoder.blocks.\1.norm_self"),
    (r"decoder\.blocks\.(\d+)\.norm3", r"query_decoder.blocks.\1.norm_mlp"),
    (r"decoder\.blocks\.(\d+)\.norm_kv", r"query_decoder.blocks.\1.norm_points"),
    (r"decoder\.blocks\.(\d+)\.(self|cross)_attn\.proj", r"query_decoder.blocks.\1.\2_attention.projection"),
    (r"decoder\.blocks\.(\d+)\.self_attn\.q", r"query_decoder.blocks.\1.self_attention.query"),
    (r"decoder\.blocks\.(\d+)\.self_attn\.(key|value)", r"query_decoder.blocks.\1.self_attention.\2"),
    (r"decoder\.blocks\.(\d+)\.cross_attn\.q_proj", r"query_decoder.blocks.\1.cross_attention.query"),
    (r"decoder\.blocks\.(\d+)\.cross_attn\.k_proj", r"query_decoder.blocks.\1.cross_attention.key"),
    (r"decoder\.blocks\.(\d+)\.cross_attn\.v_proj", r"query_decoder.blocks.\1.cross_attention.value"),
    (r"decoder\.blocks\.(\d+)\.mask_mlp", r"query_decoder.blocks.\1.mask_embedding"),
    (r"decoder\.blocks\.(\d+)\.mlp", r"query_decoder.blocks.\1.mlp"),
    (r"decoder\.query_feat", "query_decoder.content"),
    (r"decoder\.query_embed", "query_decoder.position"),
    (r"decoder\.pos_emb", "query_decoder.point_position"),
    (r"decoder\.full_point_proj", "query_decoder.point_projection"),
    (r"decoder\.final_norm", "query_decoder.norm"),
    (r"decoder\.cls_pred", "classifier"),
    (r"decoder\.stuff_head", "stuff_head"),
)
"""Modules by their names in Panda's detectors, and those in ours; a layer within one may follow."""

KINDS: dict[int, tuple[dict[str, Any], list[int]]] = {
    len(PARTICLE_TYPES): (
        {"instances": "particle", "target": "pid"},
        [PARTICLE_TYPES.index("none")],
    ),
    2: ({"instances": "interaction"}, [0]),
}
"""By the number of classes: what is looked for, and the class of what belongs to no instance."""

FIXED = {
    "layer_scale": None,
    "pos_emb": True,
    "pre_norm": True,
    "qk_scale": None,
    "qkv_bias": True,
    "query_type": "learned",
    "supervise_attn_mask": True,
    "use_stuff_head": True,
}
"""Settings of a detector that change results, with the value that our network has."""


def decoder_name(name: str) -> str | None:
    """Give the name of one of a detector's tensors in ours; None where ours has no such module."""
    module, _, kind = name.rpartition(".")
    for theirs, ours in MODULES:
        found = re.fullmatch(rf"{theirs}(?:\.(?P<layer>\w+))?", module)
        if found:
            layer = found["layer"]
            within = "" if layer is None else f".{PERCEPTRON.get(layer, layer)}"
            return f"{found.expand(ours)}{within}.{kind}"
    return None


def keys_and_values_apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Cut the tensors that hold keys and values of a self-attention into those of each."""
    apart = dict(tensors)
    for name in tensors:
        if PAIR in name and tensors[name].ndim:
            before, _, kind = name.partition(PAIR)
            parts = apart.pop(name).tensor_split(2)
            for part, rows in zip(("key", "value"), parts, strict=True):
                apart[f"{before}.self_attn.{part}.{kind}"] = rows.clone()
    return apart


def decoder_fields(
    tensors: Mapping[str, Tensor], size: Callable[[str, int], int], origin: str
) -> dict[str, Any]:
    """Give the fields of `QueryDecoderConfig` of a detector, by the shapes of its tensors.

    Args:
        tensors: by Panda's names.
        size: gives that of a tensor along an axis, or raises `WeightsError`.
        origin: where they are from, for errors.

    Raises:
        WeightsError: a tensor that tells a size is missing, or classes that no detector has.
    """
    if later := [name for name in tensors if name.startswith(SEVERAL)]:
        raise WeightsError(
            f"{origin}: expected one of Panda's published detectors, got one with heads for each kind of "
            f"label ({later[0]}), which was published later and is another network: take "
            "panda_particle.pth or panda_interaction.pth"
        )
    deep = f"{CLASSES}.fc1.weight" in tensors
    classes = size(f"{CLASSES}.fc2.weight" if deep else f"{CLASSES}.weight", 0) - 1
    if classes not in KINDS:
        known = ", ".join(f"{number} ({kind['instances']})" for number, (kind, _) in KINDS.items())
        raise WeightsError(f"{origin}: expected a detector of {known} classes, got {classes} in {CLASSES}")
    channels = size(QUERIES, 1)
    return KINDS[classes][0] | {
        "queries": size(QUERIES, 0),
        "query_channels": channels,
        "query_blocks": len({found[1] for found in map(BLOCK.match, tensors) if found}),
        "query_mlp_ratio": size("decoder.blocks.0.mlp.fc1.weight", 0) / channels,
        "deep_projections": deep,
        "masks_from": "entering",
    }


def expected_settings(config: NuPointConfig) -> dict[str, Any]:
    """Give the settings that a detector must have been made with to give what ours gives."""
    _, background = KINDS[len(config.id2label or {})]
    return FIXED | {"num_heads": config.query_channels // HEAD_DIM, "stuff_classes": background}
