"""What a run folder says about its training, for the card and for `training_args.json`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from nuzoo.evaluation.core.errors import RunFileError
from nuzoo.evaluation.core.markdown import plain
from nuzoo.files.names import RECIPE_FILE, STATE_FILE, TRAINING_ARGUMENTS_FILE

SECTIONS = ("augmentation", "data", "model")
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


def training_facts(run: Path) -> dict[str, object]:
    """Recipe, length and settings of a training, as far as the folder of its run tells them.

    Args:
        run: Folder with `recipe.yaml`, `trainer_state.json` and `training_args.json`, or some of them.
    """
    recipe, state, arguments = read_recipe(run), _read(run / STATE_FILE, _parse), training_arguments(run)
    facts: dict[str, object] = {}
    if recipe.get("source"):
        facts["recipe"] = plain(recipe["source"])
    if pretrained := recipe.get("model", {}).get("pretrained"):
        facts["started from"] = plain(pretrained)
    if state:
        facts |= _length(run / STATE_FILE, state)
    facts |= {
        name: plain(arguments[key])
        for key, name in FACTS_OF_ARGUMENTS.items()
        if arguments and arguments.get(key) is not None
    }
    if augmentation := recipe.get("augmentation"):
        facts["augmentation"] = plain(", ".join(f"{name} {value}" for name, value in augmentation.items()))
    return facts


def training_arguments(run: Path) -> dict[str, Any] | None:
    """Every setting of the training, null for what is NaN or infinite; None if the folder does not tell."""
    return _read(run / TRAINING_ARGUMENTS_FILE, _parse)


def read_recipe(run: Path) -> dict[str, Any]:
    """The recipe of a run; empty if it has none.

    Raises:
        RunFileError: It cannot be read, or a section of it is something else.
    """
    recipe = _read(run / RECIPE_FILE, yaml.safe_load) or {}
    for section in SECTIONS:
        if not isinstance(recipe.get(section) or {}, dict):
            raise _odd(run / RECIPE_FILE, section, "names and values", recipe[section])
    return {name: value for name, value in recipe.items() if value is not None}


def _length(path: Path, state: Mapping[str, Any]) -> dict[str, object]:
    """Epochs, steps and minutes, as far as they are known: null is unknown."""
    facts: dict[str, object] = {}
    epoch, steps = (_number(path, key, state.get(key)) for key in ("epoch", "global_step"))
    log = state.get("log_history") or []
    if not isinstance(log, list) or not all(isinstance(entry, dict) for entry in log):
        raise _odd(path, "log_history", "a list of names and values", log)
    seconds = [_number(path, "train_runtime", entry.get("train_runtime")) for entry in log]
    if epoch is not None and steps is not None:
        facts["epochs"] = f"{epoch:g} ({steps:,} steps)"
    if known := [value for value in seconds if value is not None]:
        facts["time of the last session of training"] = f"{known[-1] / 60:.1f} minutes"
    return facts


def _number(path: Path, key: str, value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        raise _odd(path, key, "a number or null", value)
    return value


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
