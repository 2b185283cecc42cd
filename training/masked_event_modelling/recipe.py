"""The recipe of masked modelling of events."""

from collections.abc import Mapping
from typing import Any

from nuzoo.evaluation.tasks.masked_event_modelling.event_probe import EventProbe
from nuzoo.training.fields import made_of
from nuzoo.training.recipe import Recipe


class MaskedEventRecipe(Recipe):
    """One pre-training run by masked modelling of events.

    Args:
        given: The sections, as in YAML.

    Attributes:
        probe: What tells how much is learnt, where the validation events have truth.

    Raises:
        RecipeError: An unknown field, or a value that it cannot have.
    """

    sections = (*Recipe.sections, "probe")

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(given)
        self.probe = made_of(EventProbe, "probe", self.given.get("probe", {}))
