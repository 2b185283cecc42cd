"""The recipe of a masked autoencoder."""

from collections.abc import Mapping
from typing import Any

from nuzoo.evaluation.tasks.pre_training.linear_probe import ProbeSettings
from nuzoo.training.fields import made_of
from nuzoo.training.recipe import SECTIONS, Recipe


class MaskedAutoencodingRecipe(Recipe):
    """One pre-training run of a masked autoencoder.

    Args:
        given: The sections, as in YAML.

    Attributes:
        probe: What tells how much is learnt, where the validation events have truth.

    Raises:
        RecipeError: An unknown field, or a value that it cannot have.
    """

    sections = (*SECTIONS, "probe")

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(given)
        self.probe = made_of(ProbeSettings, "probe", self.given.get("probe", {}))
