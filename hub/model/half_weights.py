"""Weights in half the bytes, for models that come with the package."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers.utils import SAFE_WEIGHTS_NAME

from nuzoo.files.atomic import replacing
from nuzoo.hub.errors import UnpublishableContentError


def halve_weights(folder: Path) -> None:
    """Store the float32 weights of a saved network in float16; they are loaded as float32 again.

    They are rounded to 11 bits: measure the network afterwards. Of rounded ones nothing changes, nor of a
    folder without weights of a network, as that of an adapter is.

    Args:
        folder: Of the network.

    Raises:
        UnpublishableContentError: A weight is beyond what float16 holds, 65504; the file stays as it was.
    """
    file = folder / SAFE_WEIGHTS_NAME
    if not file.is_file():
        return
    halved = {name: _halved(name, weight) for name, weight in load_file(file).items()}
    with replacing(file) as partial:
        save_file(halved, partial, metadata={"format": "pt"})


def _halved(name: str, weight: torch.Tensor) -> torch.Tensor:
    half = weight.half() if weight.dtype == torch.float32 else weight
    if half.is_floating_point() and not torch.isfinite(half).all():
        raise UnpublishableContentError(
            f"{name}: expected weights up to 65504, which float16 holds, got larger"
        )
    return half
