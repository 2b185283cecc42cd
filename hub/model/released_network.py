"""A released network, by our names and sizes: what is saved of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from nuzoo.configuration.configuration_utils_nu import NuPreTrainedConfig
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.simulation.detectors import find_detector

DETECTOR = "lartpc-cube-768"
"""What all of them were trained on."""


def processor_of_training(**settings: Any) -> NuPointCloudFeatureExtractor:
    """Make the processor of a training in `DETECTOR`, with some settings of its own."""
    made: NuPointCloudFeatureExtractor
    made = NuPointCloudFeatureExtractor.for_geometry(find_detector(DETECTOR).geometry(), **settings)
    return made


@dataclass(frozen=True)
class ReleasedNetwork:
    """What a file becomes.

    Attributes:
        network: Its class.
        config: Its sizes.
        weights: All of its tensors.
        processor: That of its training.
        left: Names of the file's tensors that are no part of it.
        left_are: What these are, for people.
        origin: Whose it is.
        home: Where that is found.
        base_model: Repository on the Hub that holds it.
        card: Template of its card.
        facts: What the card says beside what every card does.
    """

    network: type[PreTrainedModel]
    config: NuPreTrainedConfig
    weights: dict[str, Tensor]
    processor: NuPointCloudFeatureExtractor
    left: list[str]
    left_are: str
    origin: str
    home: str
    base_model: str | None
    card: str
    facts: dict[str, Any] = field(default_factory=dict)
