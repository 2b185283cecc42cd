"""Digests that tie measured numbers to the very network and processor that gave them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import torch

WRITTEN_BY_OTHERS = ("auto_map", "processor_class", "image_processor_type", "feature_extractor_type")
"""Keys of a processor's file that do not change what it computes."""


def weights_digest(model: Any) -> str:
    """SHA-256 of the names, types and bytes of every tensor of a network, wherever it is."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def processor_digest(processor: Any) -> str:
    """SHA-256 of the settings of a processor."""
    settings = {key: value for key, value in processor.to_dict().items() if key not in WRITTEN_BY_OTHERS}
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()
