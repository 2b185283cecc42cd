"""Released files of Panda as networks of `nu_point`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import torch

from nuzoo.hub.model.released_network import ReleasedNetwork, processor_of_training
from nuzoo.modeling.panda_sizes import config_of, network_of
from nuzoo.modeling.panda_weights import from_panda, of_backbone
from nuzoo.modeling.released_files import ReleasedFile

ORIGIN = "DeepLearnPhysics/Panda"

OWN = re.compile(r"((module\.)?student\.)?(backbone\.)?(embedding\.(stem|mask_token)|enc\.)")
"""How names of its tensors begin."""

PROCESSOR: dict[str, Any] = {"normalisation": "panda", "grid": 0.001, "energy_threshold_mev": 0.13}
"""What the released networks were trained with (arXiv 2512.01324 and its public code)."""


def is_panda(names: Iterable[str]) -> bool:
    """Tell whether tensors are of one of Panda's networks."""
    return any(map(OWN.match, names))


def panda_network(file: ReleasedFile) -> ReleasedNetwork:
    """Turn a file of Panda into a network of ours.

    Args:
        file: Of the backbone, the semantic network, a detector, or the pre-training.

    Raises:
        WeightsError: Its tensors are not all those of the network.
    """
    tensors, left = of_backbone(file.tensors)
    origin = str(file.path)
    network = network_of(tensors)
    processor = processor_of_training(**PROCESSOR)
    config = config_of(tensors, file.settings, origin)
    config.grid_shape = processor.frame.grid_shape
    with torch.device("meta"):
        empty = network(config)
    finds_instances = network.__name__.endswith("ForUniversalSegmentation")
    return ReleasedNetwork(
        network=network,
        config=config,
        weights=from_panda(tensors, empty, origin),
        processor=processor,
        left=left,
        left_are="the pre-training's teacher and heads",
        origin=ORIGIN,
        home=f"https://huggingface.co/{ORIGIN}",
        base_model=ORIGIN,
        card="converted/panda.md",
        facts={"instances": config.instances if finds_instances else None, "queries": config.queries},
    )
