"""Files of weights that others released: tensors and settings, with no code of theirs.

A `.pth` or `.ckpt` is a pickle, which can name any function of Python and have it called. torch's restricted
reader (`weights_only=True`) knows the few instructions that tensors and plain containers need, and looks up
what a pickle names in a list, never in a module. To its own list `ALLOWED` adds NumPy's numbers, which
training loops leave beside weights. A file that names anything else is refused before anything of it is
called.
"""

import json
import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from nuzoo.modeling.weight_errors import WeightsError

RELEASED = (
    "panda_base.pth, panda_semantic.pth, panda_particle.pth, panda_interaction.pth or a file of Panda's "
    "pre-training; mae_pretrain.ckpt, polarmae_pretrain.ckpt, or their _fft_segsem and _peft_segsem .ckpt; "
    "or the folder of Panda-Base, Panda-Semantic, Panda-Particle, Panda-Interaction, PoLAr-MAE-Pretrain or "
    "PoLAr-MAE-Semantic of DeepLearnPhysics"
)
"""What is taken, for errors."""

SAFETENSORS = "model.safetensors"
CONFIG = "config.json"

SCALAR = np.float64(0).__reduce__()[0]
"""The function that a pickle makes NumPy's numbers with."""

ALLOWED: list[Any] = [
    np.dtype,
    *(type(np.dtype(kind)) for kind in ("float32", "float64", "int64")),
    (SCALAR, "numpy._core.multiarray.scalar"),
    (SCALAR, "numpy.core.multiarray.scalar"),
]
"""What a pickle may name beside tensors: a class or function, with its path in files of other versions."""

SETTINGS = ("config", "hyper_parameters")
"""Where pickles keep settings: those of Panda, and those of PyTorch Lightning."""

DAMAGE = (OSError, RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError)
"""What torch's reader raises of a file that ends early, or that is none of its own."""

NAMED = re.compile(r"GLOBAL (\S+)")
"""How torch's reader names what it refuses."""


@dataclass(frozen=True)
class ReleasedFile:
    """What a released file holds.

    Attributes:
        path: of the weights.
        tensors: by their names in it.
        settings: of the network, by the names of its arguments, those of its backbone, if it has one, under
            "backbone"; or those of the backbone alone. Empty where the file tells none.
    """

    path: Path
    tensors: Mapping[str, Tensor]
    settings: Mapping[str, Any]


def read_released(path: Path) -> ReleasedFile:
    """Read a pickle with `state_dict` and settings, or `model.safetensors` and the `config.json` beside it.

    Args:
        path: a file, or the folder of a safetensors file.

    Raises:
        WeightsError: no such file, a damaged one, one that names what no weights need, or what it holds
            instead of finite tensors.
    """
    weights = path / SAFETENSORS if path.is_dir() else path
    if not weights.is_file():
        raise WeightsError(
            f"{path}: expected a file of weights, or a folder with {SAFETENSORS}, got neither. "
            f"Give {RELEASED}"
        )
    if weights.suffix == ".safetensors":
        tensors, settings = _read_safetensors(weights), _read_config(weights.with_name(CONFIG))
    else:
        content = _read_pickle(weights)
        tensors = content.get("state_dict", content)
        settings = next((content[key] for key in SETTINGS if content.get(key)), {})
    _check_tensors(tensors, weights)
    if not isinstance(settings, Mapping):
        raise WeightsError(f"{weights}: expected settings by name in its config, got {settings!r}")
    return ReleasedFile(weights, tensors, _of_network(settings, weights))


def _read_pickle(path: Path) -> Mapping[str, Any]:
    try:
        with torch.serialization.safe_globals(ALLOWED):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if found := NAMED.search(str(error)):
            raise WeightsError(
                f"{path}: expected tensors, numbers and plain containers, got a pickle that asks for "
                f"{found[1]}: it is refused, and nothing of it was run. Take the folder of safetensors that "
                "DeepLearnPhysics publishes beside it; or, where you trust the file, write its tensors with "
                "safetensors.torch.save_file on a machine that may be lost"
            ) from error
        raise WeightsError(
            f"{path}: expected a whole file of weights as torch.save writes it, got something "
            "else: it is refused, and nothing of it was run. Download it again"
        ) from error
    except DAMAGE as error:
        raise _damaged(path, error) from error
    if not isinstance(content, Mapping):
        raise WeightsError(f"{path}: expected state_dict and settings, got {type(content).__name__}")
    return content


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise _damaged(path, error) from error


def _read_config(path: Path) -> Any:
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: expected JSON: {error}; download it again") from error


def _damaged(path: Path, error: Exception) -> WeightsError:
    size = path.stat().st_size
    got = f"{size:,} bytes that end early or are something else" if size else "an empty file"
    reason = getattr(error, "strerror", None)  # of the system, such as a file that may not be read
    told = f" ({reason})" if reason else ""
    return WeightsError(f"{path}: expected a whole file of weights, got {got}{told}: download it again")


def _check_tensors(tensors: Any, path: Path) -> None:
    if not isinstance(tensors, Mapping) or not tensors:
        raise WeightsError(f"{path}: expected tensors by name, got none")
    if others := [
        name
        for name, value in tensors.items()
        if not isinstance(name, str) or not isinstance(value, Tensor) or not _is_stored(value)
    ]:
        raise WeightsError(f"{path}: expected plain tensors by name alone, got {', '.join(map(str, others))}")
    wrong = [
        name
        for name, tensor in tensors.items()
        if not tensor.is_floating_point() or not bool(torch.isfinite(tensor).all())
    ]
    if wrong:
        raise WeightsError(
            f"{path}: expected finite floating-point numbers, got others in {', '.join(wrong)}"
        )


def _is_stored(tensor: Tensor) -> bool:
    return tensor.layout == torch.strided and not tensor.is_meta and not tensor.is_quantized


def _of_network(settings: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """Take the settings of the network out of those of a whole training."""
    found = settings.get("model", settings)
    if not isinstance(found, Mapping) or not isinstance(found.get("backbone", {}), Mapping):
        raise WeightsError(f"{path}: expected settings by name in its config, got {settings!r}")
    return found
