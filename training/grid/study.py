"""A grid of trainings: numbers of events, ways to train, and seeds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from nuzoo.training.fields import RecipeError
from nuzoo.training.recipe import Recipe, load_recipe
from nuzoo.training.study_files import ReadStudy

PRETRAINED = "pretrained"
RECIPE = "recipe"
WAYS = "ways"

Means = Mapping[tuple[str, int], tuple[float, float]]
"""For each way and number of events the mean of the trainings and its error."""


@dataclass(frozen=True)
class Cell:
    """One training of a study.

    Attributes:
        way: Its name.
        events: Number of training events.
        seed: Of the training.
    """

    way: str
    events: int
    seed: int

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.way}-{self.events}-{self.seed}"


@dataclass(frozen=True)
class GridStudy(ReadStudy):
    """A grid of trainings.

    Attributes:
        source: Where the choices come from.
        recipe: Of every training: a name or a file.
        out: Folder.
        events: Numbers of training events.
        seeds: Of the trainings.
        ways: For each way to train the fields of the recipe that are its own, by dotted names;
            `pretrained: true` where it starts from the checkpoint, and `recipe` where it has another one.
        pretrained: That checkpoint.
        fields: Fields of the recipe of all.
    """

    variants: ClassVar[str] = WAYS

    source: str
    recipe: str
    out: str
    events: list[int]
    seeds: list[int]
    ways: dict[str, dict[str, Any]]
    pretrained: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse what cannot be run, or a recipe that cannot be made, before anything is trained.

        Raises:
            RecipeError: With what is wrong.
        """
        if not (self.events and self.seeds and self.ways):
            raise RecipeError("study: expected events, seeds and ways, one of each at least")
        for name, values in (("events", self.events), ("seeds", self.seeds)):
            if len(set(values)) < len(values) or min(values) < 1:
                raise RecipeError(f"study.{name}: expected numbers of 1 or more, each once, got {values}")
        super().check()
        if not self.pretrained and any(way.get(PRETRAINED) for way in self.ways.values()):
            raise RecipeError("study.pretrained: expected a checkpoint for the ways that start from one")
        for cell in self.cells():
            self.check_recipe(self.recipe_of(cell))

    def check_recipe(self, recipe: Recipe) -> None:
        """Refuse the recipe of a training that a kind of study is not for; any is taken by default.

        Raises:
            RecipeError: With what is wrong.
        """

    def cells(self) -> Iterator[Cell]:
        """Yield the trainings, those of few events first."""
        for events in sorted(self.events):
            for way in self.ways:
                for seed in self.seeds:
                    yield Cell(way, events, seed)

    def fields_of(self, way: str) -> Mapping[str, Any]:
        """Give what the trainings of a way have of their own."""
        return self.ways[way]

    def recipe_of(self, cell: Cell) -> Recipe:
        """Make the recipe of a training."""
        own = self.fields_of(cell.way)
        starts = [f"model.pretrained={self.pretrained}"] if own.get(PRETRAINED) else []
        recipe: Recipe = load_recipe(own.get(RECIPE, self.recipe), starts)
        fields = {key: value for key, value in own.items() if key not in (PRETRAINED, RECIPE)}
        place = {"data.train_events": cell.events, **self.placed(cell.name, cell.seed)}
        return recipe.changed(self.fields | fields | place)
