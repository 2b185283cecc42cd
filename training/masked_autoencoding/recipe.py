"""The recipe of a masked autoencoder."""

from collections.abc import Mapping
from typing import Any, ClassVar

from nuzoo.evaluation.tasks.pre_training.probe_settings import EventProbe, ProbeSettings
from nuzoo.training.fields import made_of
from nuzoo.training.recipe import SECTIONS, Recipe


class MaskedAutoencodingRecipe(Recipe):
    """One pre-training run of a masked autoencoder.

    Args:
        given: The sections, as in YAML.

    Attributes:
        probe: What tells how much is learnt, where the validation events have truth.
        probe_type: What the section `probe` is parsed into.

    Raises:
        RecipeError: An unknown field, or a value that it cannot have.
    """

    sections = (*SECTIONS, "probe")
    streams = False
    probe_type: ClassVar[type[EventProbe]] = ProbeSettings

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(given)
        self.probe: Any = made_of(self.probe_type, "probe", self.given.get("probe", {}))
