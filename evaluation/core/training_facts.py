"""What a run folder says about its training, for cards, comparisons and `training_args.json`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nuzoo.evaluation.core.errors import RunFileError
from nuzoo.evaluation.core.training_events import count_trained_on
from nuzoo.files.names import CONFIG_FILE, RECIPE_FILE, STATE_FILE, TRAINING_ARGUMENTS_FILE
from nuzoo.files.origin import find_file
from nuzoo.files.plain_text import counted, plain

SECTIONS = ("augmentation", "data", "model", "teacher")
"""Of a recipe, those that are read here."""

FACTS_OF_ARGUMENTS = {
    "learning_rate": "learning rate",
    "weight_decay": "weight decay",
    "lr_scheduler_type": "schedule",
    "per_device_train_batch_size": "batch size per device",
    "gradient_accumulation_steps": "gradient accumulation steps",
    "optim": "optimiser",
    "seed": "seed",
}

STARTS = ("pretrained", "timm_weights", "base_model")
"""Fields of a recipe's model that name the weights that a training begins with."""


@dataclass(frozen=True)
class RunFiles:
    """What the files in the folder of a run say of its training.

    Attributes:
        recipe: Its sections; empty if there is none.
        state: Of the Trainer; empty if the folder does not tell.
        arguments: Every setting of the training, null for what is NaN or infinite; None if it does not tell.
    """

    recipe: dict[str, Any]
    state: dict[str, Any]
    arguments: dict[str, Any] | None


@dataclass(frozen=True)
class Training:
    """What the folder of a model says about its training; None where it says nothing.

    Attributes:
        start: What the weights were before: "from scratch", or "full fine-tuning of …".
        length: Epochs and steps, as text.
        events: In the training sample.
        base: What the base of an adapter had learned before, if it was made for this training.
    """

    start: str | None = None
    length: str | None = None
    events: int | None = None
    base: str | None = None


def training_of(path: str, data: str, training_events: int | None) -> Training:
    """Tell start, length and sample of a training, as far as they are known.

    Args:
        path: Model folder or repository.
        data: Dataset that the model is measured on.
        training_events: In the training split of this dataset, if it has one.

    Raises:
        RunFileError: A file of the training cannot be read.
    """
    if (config := find_file(path, CONFIG_FILE)) is None:
        return Training()
    run = read_run(config.parent)
    events = count_trained_on(path)
    if events is None:
        events = _events(run.recipe, data, training_events)
    return Training(_start(run.recipe), _told_length(run), events, _base(run.recipe))


def read_run(folder: Path) -> RunFiles:
    """Read the files of a training, as far as they are there.

    Raises:
        RunFileError: One cannot be read, or something in it is something else.
    """
    recipe = _read(folder / RECIPE_FILE, yaml.safe_load) or {}
    for section in SECTIONS:
        if not isinstance(recipe.get(section) or {}, dict):
            raise _odd(folder / RECIPE_FILE, section, "names and values", recipe[section])
    state = _read(folder / STATE_FILE, _parse) or {}
    _check_state(folder / STATE_FILE, state)
    named = {name: value for name, value in recipe.items() if value is not None}
    return RunFiles(named, state, _read(folder / TRAINING_ARGUMENTS_FILE, _parse))


def training_facts(run: RunFiles) -> dict[str, object]:
    """Tell recipe, length and settings of a training, as far as they are known."""
    recipe, arguments = run.recipe, run.arguments or {}
    facts: dict[str, object] = {}
    if recipe.get("source"):
        facts["recipe"] = plain(recipe["source"])
    if pretrained := recipe.get("model", {}).get("pretrained"):
        facts["started from"] = plain(pretrained)
    if teacher := recipe.get("teacher"):
        facts["teacher"] = plain(", ".join([str(teacher.get("model")), *_pairs(teacher, "model")]))
    facts |= _length(run.state)
    facts |= {
        name: plain(arguments[key])
        for key, name in FACTS_OF_ARGUMENTS.items()
        if arguments.get(key) is not None
    }
    if augmentation := recipe.get("augmentation"):
        facts["augmentation"] = plain(", ".join(_pairs(augmentation)))
    return facts


def _pairs(section: Mapping[str, Any], *left_out: str) -> list[str]:
    return [f"{name} {value}" for name, value in section.items() if name not in left_out]


def _start(recipe: dict[str, Any]) -> str | None:
    if not recipe:
        return None
    if recipe.get("adapter"):
        return "LoRA, merged"
    model = recipe.get("model", {})
    weights = next((model[key] for key in STARTS if model.get(key)), None)
    return f"full fine-tuning of {weights}" if weights else "from scratch"


def _base(recipe: dict[str, Any]) -> str | None:
    pretraining = recipe.get("pretraining")
    if not pretraining:
        return None
    epochs = pretraining.get("training", {}).get("num_train_epochs")
    length = f", {epochs:g} epoch{'' if epochs == 1 else 's'}" if epochs else ""
    return f"base pretrained on captions of the same events{length}"


def _told_length(run: RunFiles) -> str | None:
    epochs, _, steps = str(_length(run.state).get("epochs", "")).partition(" ")
    epochs = epochs or str((run.arguments or {}).get("num_train_epochs", ""))
    return f"{epochs} epoch{'' if epochs == '1' else 's'} {steps}".strip() if epochs else None


def _events(recipe: dict[str, Any], data: str, training_events: int | None) -> int | None:
    """Count what a run without a record was trained on: no more than its split has, whatever was wanted."""
    source = recipe.get("data", {})
    path, wanted = source.get("path"), source.get("train_events")
    is_same = path is not None and (path == data or Path(path).resolve() == Path(data).resolve())
    if training_events is None or not is_same:
        return None
    return min(int(wanted), training_events) if wanted else training_events


def _length(state: Mapping[str, Any]) -> dict[str, object]:
    """Epochs, steps and minutes, as far as they are known: null is unknown."""
    facts: dict[str, object] = {}
    epoch, steps = state.get("epoch"), state.get("global_step")
    seconds = [entry.get("train_runtime") for entry in state.get("log_history") or []]
    if epoch is not None and steps is not None:
        facts["epochs"] = f"{epoch:g} ({counted(steps, 'step')})"
    if known := [value for value in seconds if value is not None]:
        facts["time of the last session of training"] = f"{known[-1] / 60:.1f} minutes"
    return facts


def _check_state(path: Path, state: Mapping[str, Any]) -> None:
    log = state.get("log_history") or []
    if not isinstance(log, list) or not all(isinstance(entry, dict) for entry in log):
        raise _odd(path, "log_history", "a list of names and values", log)
    runtimes = [("train_runtime", entry.get("train_runtime")) for entry in log]
    for key, value in [*((key, state.get(key)) for key in ("epoch", "global_step")), *runtimes]:
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise _odd(path, key, "a number or null", value)


def _odd(path: Path, key: str, expected: str, value: object) -> RunFileError:
    return RunFileError(f"{path}: expected {expected} as {key}, got {value!r}; mend it, or train again")


def _parse(text: str) -> Any:
    """JSON, with null for what JSON does not have: NaN and Infinity, as Python writes them."""
    return json.loads(text, parse_constant=lambda _: None, parse_float=_finite)


def _finite(text: str) -> float | None:
    return number if math.isfinite(number := float(text)) else None


def _read(path: Path, parse: Callable[[str], Any]) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        content = parse(path.read_text(encoding="utf-8"))
    except (ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise RunFileError(f"{path} cannot be read: {reason}; remove it, or train again") from error
    if not isinstance(content, dict):
        raise RunFileError(f"{path}: expected names and values, got {content!r}; remove it, or train again")
    return content
