"""Weights of timm's vision transformers, in the names and shapes of `nu_vit`."""

import math
import re
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from nuzoo.configuration.configuration_nu_vit import NuVitConfig
from nuzoo.modeling.position_embeddings import resize_position_embeddings
from nuzoo.modeling.weight_errors import WeightsError, differences

SAFETENSORS = ".safetensors"
OTHER_FILES = frozenset({".bin", ".ckpt", ".npz", ".pickle", ".pkl", ".pt", ".pth", ".tar"})
COLOURS = 3
HEAD = "head."

PATCHES = "embeddings.projection.weight"
POSITIONS = "embeddings.position_embeddings"
NAMES = {
    "cls_token": "embeddings.class_token",
    "pos_embed": POSITIONS,
    "patch_embed.proj.weight": PATCHES,
    "patch_embed.proj.bias": "embeddings.projection.bias",
    "norm.weight": "norm.weight",
    "norm.bias": "norm.bias",
}
NAMES_IN_LAYER = {
    "norm1": "layernorm_before",
    "attn.proj": "attention.o_proj",
    "norm2": "layernorm_after",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
QKV = "attn.qkv"
QKV_NAMES = ("attention.q_proj", "attention.k_proj", "attention.v_proj")
LAYER = re.compile(r"blocks\.(?P<layer>\d+)\.(?P<module>.+)\.(?P<kind>weight|bias)")


def load_timm_encoder(encoder: nn.Module, config: NuVitConfig, file_or_name: str | Path) -> None:
    """Copy the weights of a `VisionTransformer` of timm into an encoder.

    Args:
        encoder: a `NuVitModel`.
        config: its configuration.
        file_or_name: a local safetensors file with timm's tensors, or the name of a checkpoint that
            timm downloads. A file does not tell the number of heads: give the configuration the right one.

    Raises:
        WeightsError: the tensors are not those of the configuration's network, the file is no
            safetensors file, or timm or the checkpoint cannot be had.
    """
    path = Path(file_or_name)
    if path.suffix == SAFETENSORS:
        tensors = _read_file(path)
    elif path.exists() or path.suffix in OTHER_FILES:
        raise WeightsError(
            f"{path}: expected a safetensors file, got another. Pickles are not read, they can run code: "
            "where you trust one, write its tensors with safetensors.torch.save_file"
        )
    else:
        tensors = _download(str(file_or_name), config)
    weights = encoder_weights(tensors, config)
    _refuse_unfit(weights, encoder.state_dict(), file_or_name)
    encoder.load_state_dict(weights)


def encoder_weights(tensors: Mapping[str, Tensor], config: NuVitConfig) -> dict[str, Tensor]:
    """Rename and reshape the tensors of a `VisionTransformer` of timm for a `NuVitModel`.

    The kernel of the patches is summed over the three colours, and the sum shared out equally to the
    views of an image. So a grey image repeated over the views is embedded as it is when it is repeated
    over the colours. Position embeddings are interpolated to the grid of the configuration.

    Args:
        tensors: by timm's names; those of the head are left out.
        config: of the network.

    Returns:
        The tensors by our names; those that a `NuVitModel` does not have keep timm's.
    """
    weights: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if not name.startswith(HEAD):
            weights |= _renamed(name, tensor)
    if PATCHES in weights:
        weights[PATCHES] = _share_colours(weights[PATCHES], config.channels_per_image)
    if POSITIONS in weights:
        weights[POSITIONS] = _regrid(weights[POSITIONS], config.grid)
    return weights


def _renamed(name: str, tensor: Tensor) -> dict[str, Tensor]:
    found = LAYER.fullmatch(name)
    if found is None:
        return {NAMES.get(name, name): tensor}
    layer, module, kind = found["layer"], found["module"], found["kind"]
    if module == QKV:
        parts = zip(QKV_NAMES, tensor.chunk(len(QKV_NAMES)), strict=True)
        return {f"layers.{layer}.{ours}.{kind}": part.clone() for ours, part in parts}
    if module in NAMES_IN_LAYER:
        return {f"layers.{layer}.{NAMES_IN_LAYER[module]}.{kind}": tensor}
    return {name: tensor}


def _share_colours(kernel: Tensor, channels: int) -> Tensor:
    """Kernel (C, channels, p, p) of one (C, 3, p, p)."""
    if kernel.ndim != 4 or kernel.shape[1] != COLOURS:
        return kernel
    return kernel.sum(dim=1, keepdim=True).repeat(1, channels, 1, 1) / channels


def _regrid(positions: Tensor, grid: tuple[int, int]) -> Tensor:
    edge = math.isqrt(positions.shape[1] - 1)
    if positions.shape[1] != 1 + edge**2:
        return positions
    return resize_position_embeddings(positions, (edge, edge), grid)


def _refuse_unfit(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor], origin: str | Path) -> None:
    described = differences(weights, expected)
    if described:
        raise WeightsError(
            f"{origin} is no encoder of this configuration. {described}. Give the configuration "
            "the patch_size, hidden_size, num_hidden_layers and mlp_ratio of the checkpoint; it must be a "
            "plain vision transformer with a class token and square position embeddings"
        )


def _read_file(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path}: expected a whole safetensors file of timm's tensors: {error}") from error


def _download(name: str, config: NuVitConfig) -> dict[str, Tensor]:
    try:
        import timm
    except ImportError as error:
        raise WeightsError(
            f"{name} is no file, and timm, which would download it by this name, is not installed: "
            "`pip install nuzoo[vit]`, or give a local safetensors file of its tensors"
        ) from error
    try:
        network = timm.create_model(name, pretrained=True, num_classes=0)
    except (OSError, RuntimeError, ValueError) as error:
        raise WeightsError(
            f"{name}: timm has no such checkpoint, or cannot download it ({error}): correct the name, or "
            "give a local safetensors file of its tensors"
        ) from error
    if not isinstance(network, timm.models.VisionTransformer):
        raise WeightsError(
            f"{name}: expected a VisionTransformer of timm, got {type(network).__name__}: name another"
        )
    heads = network.get_submodule("blocks.0.attn").num_heads
    if heads != config.num_attention_heads:
        raise WeightsError(
            f"{name} has {heads} heads, got num_attention_heads={config.num_attention_heads}: "
            "give the configuration the number of the checkpoint"
        )
    return dict(network.state_dict())
