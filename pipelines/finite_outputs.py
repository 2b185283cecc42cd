"""Outputs of a network that are no numbers: refused before anything is made of them."""

from collections.abc import Mapping
from typing import Any

import torch

from nuzoo.pipelines.pipeline_errors import NonFiniteOutputError


def refuse_not_finite(model: Any, outputs: Mapping[str, Any], of: str = "") -> None:
    """Refuse outputs of which some are NaN or infinite.

    Args:
        model: the network.
        outputs: by name; what is no tensor passes.
        of: whose they are, for the message.

    Raises:
        NonFiniteOutputError: there are some.
    """
    for name, values in outputs.items():
        if isinstance(values, torch.Tensor) and not bool((finite := values.isfinite()).all()):
            raise NonFiniteOutputError(
                f"expected finite {name}{f' of {of}' if of else ''}, got {values[~finite][:3].tolist()}: the "
                f"weights of {getattr(model, 'name_or_path', '') or 'this model'} are broken; download or "
                "train it again"
            )
