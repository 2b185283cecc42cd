"""Which network of ours a file of Panda holds, by the names and shapes of its tensors."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from torch import Tensor

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.configuration.hit_classifier_config import HIT_CLASSES
from nuzoo.configuration.query_decoder_config import HEAD_DIM
from nuzoo.modeling.modeling_nu_point import (
    NuPointForSemanticSegmentation,
    NuPointModel,
    NuPointPreTrainedModel,
)
from nuzoo.modeling.modeling_nu_point_instances import NuPointForUniversalSegmentation
from nuzoo.modeling.panda_query_decoder import QUERIES, decoder_fields, expected_settings
from nuzoo.modeling.panda_weights import BACKBONE
from nuzoo.modeling.tensor_sizes import TensorSizes
from nuzoo.modeling.weight_errors import WeightsError

HEAD = "seg_head.weight"
ADDED_DEPTH, ADDED_CHANNELS = 2, 64
"""Panda's decoder: blocks of each stage, and width of the finest; others are as wide as the encoder."""

RELEASED_TARGETS = ("motif", "pid")
"""What Panda's semantic networks learn; four classes may be roles, or motifs without low-energy deposits."""

FIELDS = {
    "drop_path": "drop_path_rate",
    "layer_scale": "layer_scale_init",
    "shuffle_orders": "shuffle_curves",
}
"""Fields by the names of Panda's settings."""

FIXED = {
    "cpe_first_layer_only": False,
    "cpe_shared_weight": False,
    "embedding_act_layer": True,
    "enable_rpe": False,
    "full_attention": False,
    "pre_norm": True,
    "qk_scale": None,
    "qkv_bias": True,
}
"""Settings that change results, with the value that the network has."""


def network_of(tensors: Mapping[str, Tensor]) -> type[NuPointPreTrainedModel]:
    """Tell which network tensors are of: a detector, the semantic one, or the backbone alone."""
    if QUERIES in tensors:
        return NuPointForUniversalSegmentation
    return NuPointForSemanticSegmentation if HEAD in tensors else NuPointModel


def config_of(tensors: Mapping[str, Tensor], settings: Mapping[str, Any], origin: str) -> NuPointConfig:
    """Make the configuration of a network: sizes by the shapes of its tensors, the rest by its settings.

    What neither tells has the value of the published networks: windows of 256 points, four curves.

    Args:
        tensors: by Panda's names, see `of_backbone`.
        settings: of the network, by the names of its arguments; those of its backbone under "backbone".
        origin: where they are from, for errors.

    Raises:
        WeightsError: a tensor that tells a size is missing, or it is no network of ours.
    """
    sizes = _Sizes({name.removeprefix(BACKBONE): of for name, of in tensors.items()}, "Panda", origin)
    depths, channels = sizes.stages("enc")
    has_decoder = any(name.startswith("dec.") for name in sizes.shapes)
    if has_decoder:
        decoder_depths, decoder_channels = sizes.stages("dec")
    else:
        decoder_depths = [ADDED_DEPTH] * (len(depths) - 1)
        decoder_channels = [ADDED_CHANNELS, *channels[1:-1]][: len(decoder_depths)]
    body = settings.get("backbone", settings)
    _refuse_other(body, _expected_of_body(body, channels, decoder_channels if has_decoder else None), origin)
    fields = {ours: body[name] for name, ours in FIELDS.items() if body.get(name) is not None}
    if QUERIES in tensors:
        fields |= decoder_fields(tensors, sizes.of, origin)
    elif HEAD in tensors:
        fields["target"] = _target(sizes.of(HEAD, 0), origin)
    try:
        config = NuPointConfig(
            in_channels=sizes.of("embedding.stem.linear.weight", 1),
            encoder_depths=depths,
            encoder_channels=channels,
            decoder_depths=decoder_depths,
            decoder_channels=decoder_channels,
            readout="decoder" if has_decoder else "upcast",
            mlp_ratio=sizes.of("enc.enc0.block0.mlp.0.fc1.weight", 0) / channels[0],
            use_mask_token="embedding.mask_token" in sizes.shapes,
            **fields,
            **_windows_and_curves(body, origin),
        )
    except StrictDataclassError as error:
        raise WeightsError(f"{origin} is no network of ours. {' '.join(str(error).split())}") from error
    if QUERIES in tensors and body is not settings:
        _refuse_other(settings, expected_settings(config), origin)
    return config


class _Sizes(TensorSizes):
    """Sizes of tensors by their names in the backbone, and those of stages."""

    def stages(self, part: str) -> tuple[list[int], list[int]]:
        """Give the number of blocks of each stage of "enc" or "dec", and its channels."""
        pattern = re.compile(rf"{part}\.{part}(\d+)\.block(\d+)\.")
        found = {(int(m[1]), int(m[2])) for m in map(pattern.match, self.shapes) if m}
        blocks = Counter(stage for stage, _ in found)
        stages = range(max(len(blocks), 1))
        channels = [self.of(f"{part}.{part}{stage}.block0.norm1.0.weight", 0) for stage in stages]
        return [blocks[stage] for stage in stages], channels


def _target(classes: int, origin: str) -> str:
    by_number = {len(HIT_CLASSES[target]): target for target in RELEASED_TARGETS}
    if classes not in by_number:
        known = ", ".join(f"{number} ({target})" for number, target in by_number.items())
        raise WeightsError(f"{origin}: expected a head of {known} classes, got {classes} in {HEAD}")
    return by_number[classes]


def _windows_and_curves(settings: Mapping[str, Any], origin: str) -> dict[str, Any]:
    sizes = {*settings.get("enc_patch_size", ()), *settings.get("dec_patch_size", ())}
    if len(sizes) > 1:
        raise WeightsError(
            f"{origin}: expected windows of one size, got enc_patch_size, dec_patch_size {sizes}"
        )
    fields: dict[str, Any] = {"window_size": sizes.pop()} if sizes else {}
    return fields | ({"curves": tuple(settings["order"])} if "order" in settings else {})


def _expected_of_body(
    settings: Mapping[str, Any], channels: list[int], decoder_channels: list[int] | None
) -> dict[str, Any]:
    wanted = FIXED | {
        "stride": [2] * len(settings.get("stride", ())),
        "enc_num_head": [width // HEAD_DIM for width in channels],
    }
    if decoder_channels is not None:
        wanted["dec_num_head"] = [width // HEAD_DIM for width in decoder_channels]
    return wanted


def _refuse_other(settings: Mapping[str, Any], wanted: Mapping[str, Any], origin: str) -> None:
    """Refuse settings under which the tensors would give other results than in our network."""
    given = {name: settings[name] for name in sorted(wanted.keys() & settings.keys())}
    given = {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
    wrong = [
        f"{name}={value!r} (expected {wanted[name]!r})"
        for name, value in given.items()
        if value != wanted[name]
    ]
    if wrong:
        raise WeightsError(f"{origin} is no network of ours. Its settings say {', '.join(wrong)}")
