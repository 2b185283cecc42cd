"""Released files of PoLAr-MAE as networks of `nu_point_mae`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import torch

from nuzoo.hub.model.released_network import ReleasedNetwork, processor_of_training
from nuzoo.modeling.modeling_nu_point_mae_pretraining import NuPointMaeForPreTraining
from nuzoo.modeling.polar_mae_sizes import config_of, network_of
from nuzoo.modeling.polar_mae_weights import from_polar_mae, renamed
from nuzoo.modeling.released_files import ReleasedFile

ORIGIN = "DeepLearnPhysics/PoLAr-MAE"
"""On GitHub, which has the files; the Hub has two repositories, of one file each."""

OWN = re.compile(r"encoder\.(tokenizer|transformer|pos_embed|blocks)\.|embedding\.(first|second)_conv\.")
"""How names of its tensors begin, in its own code and in pimm."""

PROCESSOR: dict[str, Any] = {
    "normalisation": "panda",
    "energy_offset_mev": 0.13,
    "energy_threshold_mev": 0.13,
}
"""What the released networks were trained with: the public code scales energies from its threshold on."""


def is_polar_mae(names: Iterable[str]) -> bool:
    """Tell whether tensors are of one of PoLAr-MAE's networks."""
    return any(map(OWN.match, names))


def polar_mae_network(file: ReleasedFile) -> ReleasedNetwork:
    """Turn a file of PoLAr-MAE into a network of ours.

    Args:
        file: Of a pre-training or of a semantic network, by the names of its code or of pimm.

    Raises:
        WeightsError: Its tensors are not all those of the network.
    """
    origin = str(file.path)
    found = network_of(renamed(file.tensors, origin), origin)
    config = config_of(found.weights, file.settings, origin)
    with torch.device("meta"):
        empty = found.network(config)
    return ReleasedNetwork(
        network=found.network,
        config=config,
        weights=from_polar_mae(found.weights, empty, origin),
        processor=processor_of_training(**PROCESSOR),
        left=found.left,
        left_are=found.left_are,
        origin=ORIGIN,
        home=f"https://github.com/{ORIGIN}",
        base_model=None,
        card="converted/polar_mae.md",
        facts={
            "instances": None,
            "reconstructs": found.network is NuPointMaeForPreTraining,
            "max_groups": config.max_groups,
        },
    )
