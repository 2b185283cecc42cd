"""Which models are offered, and what can be asked of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nuzoo.datasets_scripts.common.samples import schema_of
from nuzoo.files.names import CONFIG_FILE
from nuzoo.registry import ARCHITECTURES, Task
from nuzoo.simulation.detectors import find_detector
from nuzoo.zoo.bundled import bundled_models
from nuzoo.zoo.description import describe
from nuzoo.zoo.origins import ORIGINS, Events


@dataclass(frozen=True)
class OfferedModel:
    """A model that comes with the package, and answers.

    Attributes:
        name: Of the model.
        folder: Where it is.
        task: What it is for.
        network: Path of the class of its network.
        modality: Of its events, by name.
        events: What it was trained on.
        target: Column with the true class of an event; None where truth is no such class.
        classes: Names of these classes.
        about: Task, detector, size and first result, for people.
    """

    name: str
    folder: Path
    task: Task
    network: str
    modality: str
    events: Events
    target: str | None
    classes: tuple[str, ...]
    about: tuple[str, ...]


@cache
def offered_models() -> dict[str, OfferedModel]:
    """Return the models that answer, by name: those for a task with a pipeline."""
    found = {name: _offered(name, folder) for name, folder in bundled_models().items()}
    return {name: model for name, model in found.items() if model is not None}


def silent_models() -> list[str]:
    """Name the models that come with the package and have learnt without answers."""
    return [name for name in bundled_models() if name not in offered_models()]


def _offered(name: str, folder: Path) -> OfferedModel | None:
    config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    architecture = ARCHITECTURES[config["model_type"]]
    named = config.get("architectures")
    task = architecture.task_of(named[0]) if named else architecture.tasks[0]
    if task is None or task.pipeline is None:
        return None
    events = ORIGINS[name].events
    target, classes = _classes(architecture.modality, events, task.targets_of(config))
    _, *about = describe(folder)
    network = architecture.networks[task.name]
    return OfferedModel(
        name, folder, task, network, architecture.modality, events, target, classes, tuple(about)
    )


def _classes(modality: str, events: Events, targets: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """Find the first target that is one class of an event, and the names of its classes."""
    columns = schema_of(modality, find_detector(events.plan["detector"])).by_name
    for column in (columns[name] for name in targets if name in columns):
        if column.classes and not column.is_ragged:
            return column.name, tuple(column.classes)
    return None, ()
