"""Recipes: everything that decides a training run, in one YAML file, checked whole when it is read.

`task` names what is learnt, and so the trainer. `model` and `processor` hold the fields of the network's
configuration and of its processor, `data` says where the events are, `training` holds
`transformers.TrainingArguments`, `optimiser` the learning rates of parts of the network, `averaging` the
average of its weights, `teacher` another network whose answers it learns, `augmentation` and
`early_stopping_patience` the rest. A task may have more sections.
Any field can be overridden by its dotted name.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import yaml
from transformers import EarlyStoppingCallback, TrainerCallback, TrainingArguments

from nuzoo.evaluation.core.evaluator import TaskEvaluator
from nuzoo.registry import MODALITIES, TASKS, import_object
from nuzoo.training.averaging import Averaging
from nuzoo.training.distillation.teacher import Teacher
from nuzoo.training.fields import (
    Count,
    RecipeError,
    checked,
    checked_fields,
    made_of,
    refuse_unknown,
    types_of,
)
from nuzoo.training.layer_decay import Optimiser
from nuzoo.training.network_choice import NetworkChoice, architecture_of
from nuzoo.training.recipe_files import drop_field, read_recipe, set_field
from nuzoo.training.streamed_events import IN_EACH_PROCESS, check_streaming
from nuzoo.training.training_arguments import checked_arguments, training_arguments


@dataclass(frozen=True)
class DataSource:
    """Where the events come from.

    Attributes:
        path: Dataset folder, or repository id on the Hub.
        config: Name of a configuration, of a repository that has several.
        revision: Commit of the repository; pin it for anything that is published.
        train_events: Use only that many training events.
        bootstrap: Seed by which as many training events are drawn with replacement.
        streaming: Read training events while they are learnt from, instead of all of them before.
    """

    path: str = "data/lartpc-pixelmaps"
    config: str | None = None
    revision: str | None = None
    train_events: Count | None = None
    bootstrap: int | None = None
    streaming: bool = False


SECTIONS = ("model", "processor", "data", "training", "augmentation", "optimiser")
"""Those of every recipe that hold fields."""


class Recipe:
    """One training run. Recipes are equal if the same was given.

    Args:
        given: The sections, as in YAML.

    Attributes:
        given: The same without those that are empty.
        source: Where the hyper-parameters come from (paper, section), or why they were chosen.
        task: A row of `nuzoo.registry.TASKS`.
        architecture: The row of the network.
        model: The network.
        processor: Settings of its processor.
        data: The events.
        augmentation: Of the network's modality: takes and returns a batch.
        optimiser: Learning rates of parts of the network.
        averaging: Of its weights while they learn; None keeps no average.
        teacher: Whose answers are learnt beside the truth; None has none.
        early_stopping_patience: Evaluations without improvement before the run stops; None never stops.

    Raises:
        RecipeError: An unknown field, or a value that it cannot have.
    """

    sections: tuple[str, ...] = (*SECTIONS, "averaging", "teacher")
    """Those that hold fields."""

    optimiser_type: type[Optimiser] = Optimiser

    streams: bool = True
    """Whether it can learn from a stream of events."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = {name: value for name, value in given.items() if value is not None and value != {}}
        refuse_unknown("recipe", self.given, ("source", "task", *self.sections, "early_stopping_patience"))
        section = {name: {} for name in self.sections} | self.given
        self.source: str = self.given["source"]
        self.task: str = self.given["task"]
        self.data = made_of(DataSource, "data", section["data"])
        self.given["data"] = {
            name: value for name, value in vars(self.data).items() if value is not None and value is not False
        }
        self.architecture = architecture_of(section["model"])
        self.model = self.parse_model(section["model"])
        self.processor = checked_fields("processor", section["processor"], self.processor_settings())
        self._training = checked_arguments("training", section["training"])
        augmentation = import_object(MODALITIES[self.architecture.modality].augmentation)
        transforms = checked_fields("augmentation", section["augmentation"], types_of(augmentation))
        self.augmentation: Any = augmentation(**transforms)
        rates = checked_fields("optimiser", section["optimiser"], types_of(self.optimiser_type))
        self.optimiser = self.optimiser_type(**rates)
        averaging = self.given.get("averaging")
        self.averaging = None if averaging is None else made_of(Averaging, "averaging", averaging)
        self.teacher = self._teacher()
        if self.data.streaming:
            check_streaming(self, self._training)
            self._training["accelerator_config"] = IN_EACH_PROCESS
        patience = self.given.get("early_stopping_patience")
        self.early_stopping_patience: int | None = checked("early_stopping_patience", patience, Count | None)
        if patience is not None and self._training["eval_strategy"] == "no":
            raise RecipeError(
                "early_stopping_patience: expected evaluations to count, got training.eval_strategy no: "
                "leave one of them out"
            )

    def _teacher(self) -> Teacher | None:
        if (given := self.given.get("teacher")) is None:
            return None
        if not TASKS[self.task].takes_teacher:
            known = ", ".join(name for name, task in TASKS.items() if task.takes_teacher)
            raise RecipeError(f"teacher: expected a recipe of {known}, got {self.task}: leave teacher out")
        return made_of(Teacher, "teacher", given)

    def parse_model(self, given: Mapping[str, Any]) -> Any:
        """Make the object of the section `model`, or raise `RecipeError`."""
        return NetworkChoice.parse(given, self.task)

    def processor_settings(self) -> dict[str, Any]:
        """Name the settings of the processor that a recipe may have, with their types."""
        return types_of(self.architecture.processor_class())

    @cached_property
    def training(self) -> TrainingArguments:
        """The arguments of the trainer, or a `RecipeError`; asking whether this machine can follow them."""
        return training_arguments("training", self._training)

    @property
    def evaluator(self) -> TaskEvaluator:
        """What measures the network: at the task, or where none measures that, at the network's own."""
        tasks = (TASKS[self.task], *self.architecture.tasks)
        return import_object(next(task.evaluator for task in tasks if task.evaluator))

    @property
    def targets(self) -> tuple[str, ...]:
        """Columns of a row that hold the truth."""
        return TASKS[self.task].targets_of(self.model.known_fields)

    @property
    def output(self) -> Path:
        """Folder of the run."""
        return Path(str(self.training.output_dir))

    def early_stopping(self) -> list[TrainerCallback]:
        """Make the callback that stops the run early, if it shall be stopped."""
        patience = self.early_stopping_patience
        return [] if patience is None else [EarlyStoppingCallback(early_stopping_patience=patience)]

    def changed(self, fields: Mapping[str, Any]) -> Self:
        """Make another recipe.

        Args:
            fields: By dotted names, `{"training.seed": 1}`; what is null is left out.
        """
        given = deepcopy(self.given)
        for name, value in fields.items():
            if value is None:
                drop_field(given, name)
            else:
                set_field(given, name, value)
        return type(self)(given)

    def to_yaml(self) -> str:
        """Write the recipe as YAML text that `load_recipe` reads back."""
        return yaml.safe_dump(self.given, sort_keys=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recipe) and self.given == other.given

    __hash__ = None  # type: ignore[assignment]


def load_recipe(path: str | Path, overrides: Iterable[str] = ()) -> Any:
    """Read a recipe.

    Args:
        path: A YAML file, or the name of a recipe that comes with nuzoo (`nu_cnn_tiny`).
        overrides: `section.field=value` strings; the value is YAML.

    Returns:
        The recipe, of the class that its task names.

    Raises:
        RecipeError: No such recipe, not YAML, an unknown field, a value that a field cannot have, or an
            override without `=`.
    """
    return parse_recipe(read_recipe(path, overrides), str(path))


def parse_recipe(given: dict[str, Any], name: str = "recipe") -> Any:
    """Check the sections of a recipe whole.

    Args:
        given: See `read_recipe`.
        name: What the recipe is called in messages.

    Returns:
        The recipe, of the class that its task names.

    Raises:
        RecipeError: An unknown field, or a value that a field cannot have.
    """
    given = _migrated(given)
    for needed in ("source", "task"):
        if not isinstance(given.get(needed), str):
            raise RecipeError(f"{name}: a recipe needs `{needed}`, a text, got {given.get(needed)!r}")
    if given["task"] not in TASKS:
        raise RecipeError(f"{name}: task: expected one of {', '.join(TASKS)}, got {given['task']!r}")
    return import_object(TASKS[given["task"]].recipe)(given)


def _migrated(given: dict[str, Any]) -> dict[str, Any]:
    """Name the task of a recipe from before recipes had one: the type of the model decided it."""
    model = given.get("model")
    if "task" in given or not isinstance(model, dict) or "model_type" not in model:
        return given
    task = "instruction-tuning" if model["model_type"] == "nu_vlm" else "event-classification"
    return {"task": task, **given}
