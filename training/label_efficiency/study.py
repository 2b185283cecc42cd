"""A study of how many labelled events a network needs."""

from dataclasses import dataclass
from typing import Any, ClassVar

from nuzoo.training.fields import RecipeError
from nuzoo.training.grid.study import GridStudy
from nuzoo.training.recipe import Recipe


@dataclass(frozen=True)
class Published:
    """Numbers of others, to be shown beside ours and labelled as theirs.

    Attributes:
        source: Where they are from.
        events: Numbers of labelled events.
        values: For each of their ways the headline number at each of these.
    """

    source: str
    events: list[int]
    values: dict[str, list[float]]

    def __post_init__(self) -> None:
        others = {
            name: len(values) for name, values in self.values.items() if len(values) != len(self.events)
        }
        if others or not self.values:
            raise RecipeError(
                f"study.published: expected values of some ways, {len(self.events)} each as events has, got "
                f"{others or 'none'}"
            )


@dataclass(frozen=True)
class Study(GridStudy):
    """A grid of trainings from labels, after which a checkpoint without labels shows its worth.

    Attributes:
        published: Numbers of others.
    """

    published_type: ClassVar[type] = Published

    published: dict[str, Any] | None = None

    def check_recipe(self, recipe: Recipe) -> None:
        """Refuse a start whose labels would not be counted."""
        model = recipe.model
        if model.pretrained and not model.is_of_another_task:
            raise RecipeError(
                "study.pretrained: expected a checkpoint that has not learnt what is asked here, whose "
                f"labels would not be counted, got {self.pretrained}: give that of a pre-training"
            )
