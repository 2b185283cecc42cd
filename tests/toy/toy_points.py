"""A plug-in: a modality (points), a task (a label for each hit), and a network over ragged batches.

What goes into a repository; the rest of the toy, which stays at home, is in `toy_house.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from huggingface_hub.dataclasses import strict
from torch import Tensor, nn
from transformers import initialization as init
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.utils import ModelOutput
from transformers.utils.generic import can_return_tuple

from nuzoo.files.events.event_schema import Bound, Column, EventSchema
from nuzoo.modeling.modeling_utils_nu import NuPreTrainedModel

HIT_CLASSES = ("track", "shower")
AXES = ("x", "y", "z")


def point_schema(geometry: Mapping[str, Any]) -> EventSchema:
    """Points in mm with their energies, and the class of each."""
    outside = "the event was made for a larger detector"
    positions = [
        Column(
            axis,
            "float32",
            f"{axis} of a hit",
            "mm",
            "hit",
            Bound(0, outside),
            Bound(geometry["size_mm"], outside),
            required=True,
        )
        for axis in AXES
    ]
    energy = Column("energy", "float32", "its energy", "MeV", "hit", Bound(0, "clip it"), required=True)
    label = Column("label", "int64", "its class", per="hit", classes=HIT_CLASSES)
    return EventSchema((*positions, energy, label), whose=geometry["detector"] or "")
