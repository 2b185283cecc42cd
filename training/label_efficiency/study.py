"""A study of how many labelled events a network needs: numbers of events, ways to train, and seeds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from nuzoo.training.fields import RecipeError
from nuzoo.training.recipe import Recipe, load_recipe
from nuzoo.training.study_files import ReadStudy

PRETRAINED = "pretrained"
WAYS = "ways"


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
class Cell:
    """One training of a study.

    Attributes:
        way: Its name.
        events: Number of labelled events.
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
class Study(ReadStudy):
    """A grid of trainings.

    Attributes:
        source: Where the choices come from.
        recipe: Of every training: a name or a file.
        out: Folder.
        events: Numbers of labelled events.
        seeds: Of the trainings.
        ways: For each way to train the fields of the recipe that are its own, by dotted names, and
            `pretrained: true` where it starts from the checkpoint.
        pretrained: That checkpoint.
        fields: Fields of the recipe of all.
        published: Numbers of others.
    """

    variants: ClassVar[str] = WAYS
    published_type: ClassVar[type] = Published

    source: str
    recipe: str
    out: str
    events: list[int]
    seeds: list[int]
    ways: dict[str, dict[str, Any]]
    pretrained: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    published: dict[str, Any] | None = None

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
            model = self.recipe_of(cell).model
            if model.pretrained and not model.is_of_another_task:
                raise RecipeError(
                    "study.pretrained: expected a checkpoint that has not learnt what is asked here, whose "
                    f"labels would not be counted, got {self.pretrained}: give that of a pre-training"
                )

    def cells(self) -> Iterator[Cell]:
        """Yield the trainings, those of few events first."""
        for events in sorted(self.events):
            for way in self.ways:
                for seed in self.seeds:
                    yield Cell(way, events, seed)

    def recipe_of(self, cell: Cell) -> Recipe:
        """Make the recipe of a training."""
        own: Mapping[str, Any] = self.ways[cell.way]
        starts = [f"model.pretrained={self.pretrained}"] if own.get(PRETRAINED) else []
        recipe: Recipe = load_recipe(self.recipe, starts)
        fields = {key: value for key, value in own.items() if key != PRETRAINED}
        place = {"data.train_events": cell.events, **self.placed(cell.name, cell.seed)}
        return recipe.changed(self.fields | fields | place)
