"""What a run folder says about its training, for the card and for `training_args.json`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from nuzoo.hub.cards import plain
from nuzoo.hub.errors import RunFileError

RECIPE_FILE = "recipe.yaml"
STATE_FILE = "trainer_state.json"
ARGUMENTS_FILE = "training_args.json"

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
        facts["epochs"] = f"{state.get('epoch') or 0:g} ({state.get('global_step', 0):,} steps)"
        facts |= _training_time(state)
    facts |= {
        name: arguments[key]
        for key, name in FACTS_OF_ARGUMENTS.items()
        if arguments and arguments.get(key) is not None
    }
    if augmentation := recipe.get("augmentation"):
        facts["augmentation"] = plain(", ".join(f"{name} {value}" for name, value in augmentation.items()))
    return facts


def training_arguments(run: Path) -> dict[str, Any] | None:
    """Every setting of the training, null for what is NaN or infinite; None if the folder does not tell."""
    return _read(run / ARGUMENTS_FILE, _parse)


def read_recipe(run: Path) -> dict[str, Any]:
    """The recipe of a run; empty if it has none."""
    return _read(run / RECIPE_FILE, yaml.safe_load) or {}


def _training_time(state: Mapping[str, Any]) -> dict[str, object]:
    seconds = [entry["train_runtime"] for entry in state.get("log_history", []) if "train_runtime" in entry]
    return {"time of the last session of training": f"{seconds[-1] / 60:.1f} minutes"} if seconds else {}


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
