"""Which patches of the 3DCal speak for a flavour: gradient times input at their tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nuzoo.processors.contract import network_inputs

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PatchSaliency:
    """What patches with hits add to the logit of a flavour, to first order.

    Attributes:
        flavour: The number of the class, the one of highest score.
        patch: int64 (hits,), the patch of each hit of the 3DCal; -1 of hits that the network does not read.
        contribution: (patches,), of each patch, gradient times token, summed over channels.
    """

    flavour: int
    patch: NDArray[np.int64]
    contribution: Floats

    @property
    def of_hits(self) -> Floats:
        """The contribution of the patch of each hit, 0 of hits that are not read."""
        return np.append(self.contribution, 0.0)[self.patch]


def patch_saliency(
    model: PreTrainedModel, processor: EventProcessor, row: Mapping[str, Any]
) -> PatchSaliency:
    """Find what patches of an event speak for.

    Args:
        model: Reconstructs events, in evaluation mode.
        processor: Its processor.
        row: An event.
    """
    batch = processor([dict(row)])
    inputs = {
        name: value.to(model.device, model.dtype if value.is_floating_point() else None)
        for name, value in network_inputs(processor, batch).items()
    }
    kept: dict[str, Any] = {}

    def keep(module: Any, arguments: tuple[Any, ...], tokens: Tensor) -> Tensor:
        kept["patch"], kept["tokens"] = arguments[1].patch, tokens.detach().requires_grad_()
        return kept["tokens"]

    encoder: Any = model.base_model
    handle = encoder.cal_encoder.stem.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            logits = model(**inputs).flavour_logits[0]
            flavour = int(logits.argmax())
            (gradient,) = torch.autograd.grad(logits[flavour], kept["tokens"], allow_unused=True)
    finally:
        handle.remove()
    tokens = kept["tokens"]
    gradient = torch.zeros_like(tokens) if gradient is None else gradient
    contribution = (gradient * tokens).sum(dim=1).detach().double().cpu().numpy()
    hits = len(inputs["cal_coordinates"])
    patch = kept["patch"].cpu().numpy() if len(kept["patch"]) == hits else np.full(hits, -1)
    return PatchSaliency(flavour, patch.astype(np.int64), contribution)
