"""A study of transfer: models, detectors, and numbers of events to learn from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from nuzoo.pipelines.loading import resolve_model
from nuzoo.training.fields import RecipeError, made_of
from nuzoo.training.recipe import Recipe, load_recipe
from nuzoo.training.study_files import ReadStudy

ALL = "all"
"""As many events to learn from as the training split of a detector has."""


@dataclass(frozen=True)
class Target:
    """A detector that models were not trained for.

    Attributes:
        path: Dataset folder or repository of its events.
        simulate: Arguments of `nuzoo simulate` that make them first, but for the folder; then no path is
            given.
        sample: What the events are called, unless they are nuzoo's simulation.
        views: See `nuzoo.datasets_scripts.common.other_maps.maps_laid_out_as`.
    """

    path: str | None = None
    simulate: str | None = None
    sample: str | None = None
    views: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.path is None) == (self.simulate is None):
            raise RecipeError("study.detectors: expected of each one of path and simulate, got both or none")


@dataclass(frozen=True)
class Cell:
    """One model at one detector, after some events of it.

    Attributes:
        model: Its name.
        detector: What the detector is called in the study.
        events: That it learns from, 0 for none, None for all.
    """

    model: str
    detector: str
    events: int | None

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.model}-{self.detector}-{ALL if self.events is None else self.events}".replace(" ", "-")


@dataclass(frozen=True)
class TransferStudy(ReadStudy):
    """Models at detectors.

    Attributes:
        source: Where the choices come from.
        out: Folder.
        models: For each model, a name, folder or repository, the recipe that fine-tunes it and fields of it.
        detectors: See `Target`, by what they are called.
        events: Numbers of training events of the detector, 0 for none, "all" for all.
        seed: Of the trainings.
        fields: Fields of the recipe of all.
    """

    variants: ClassVar[str] = "models"

    source: str
    out: str
    models: dict[str, dict[str, Any]]
    detectors: dict[str, dict[str, Any]]
    events: list[Any]
    seed: int = 1
    fields: dict[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse what cannot be run before anything is trained.

        Raises:
            RecipeError: With what is wrong.
            UnusableModelError: See `resolve_model`.
        """
        if not (self.events and self.models and self.detectors):
            raise RecipeError("study: expected events, models and detectors, one of each at least")
        wrong = [
            n for n in self.events if n != ALL and (not isinstance(n, int) or isinstance(n, bool) or n < 0)
        ]
        if wrong or len(set(map(str, self.events))) < len(self.events):
            raise RecipeError(
                f"study.events: expected numbers of 0 or more or {ALL!r}, each once, got {self.events}"
            )
        if lacking := [name for name, given in self.models.items() if "recipe" not in given]:
            raise RecipeError(f"study.models: expected a recipe of each, got none of {', '.join(lacking)}")
        for name in self.models:
            resolve_model(name)
        for cell in self.cells():
            self.target(cell.detector)
            self.recipe_of(cell)

    def target(self, detector: str) -> Target:
        """Give a detector of the study."""
        target: Target = made_of(Target, f"study.detectors.{detector}", self.detectors[detector])
        return target

    def data_of(self, detector: str) -> str:
        """Give the dataset of a detector: folder or repository."""
        return self.target(detector).path or (self.folder / "data" / detector.replace(" ", "-")).as_posix()

    def simulated(self) -> Iterator[tuple[Path, list[str]]]:
        """Yield the datasets that are simulated first: the folder, and the arguments of `nuzoo simulate`."""
        for detector in self.detectors:
            if arguments := self.target(detector).simulate:
                yield Path(self.data_of(detector)), arguments.split()

    def cells(self) -> Iterator[Cell]:
        """Yield what is measured, detector by detector."""
        for detector in self.detectors:
            for model in self.models:
                for events in self.events:
                    yield Cell(model, detector, None if events == ALL else events)

    def recipe_of(self, cell: Cell) -> Recipe:
        """Make the recipe of a cell; without events it is that of no training."""
        own: Mapping[str, Any] = self.models[cell.model]
        recipe: Recipe = load_recipe(own["recipe"], [f"model.pretrained={cell.model}"])
        place = {"data.path": self.data_of(cell.detector), **self.placed(cell.name, self.seed)}
        fields = {key: value for key, value in own.items() if key != "recipe"}
        return recipe.changed(self.fields | fields | {"data.train_events": cell.events or None} | place)
