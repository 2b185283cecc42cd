"""The files of recipes: found by name, read as YAML, with some fields set otherwise; no library is needed."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from nuzoo.files.nearest_names import did_you_mean
from nuzoo.training.fields import RecipeError

RECIPES = Path(__file__).parent / "recipes"


class _Loader(yaml.SafeLoader):
    """YAML whose numbers are those of YAML 1.2: 1e-3 is one, not a text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def read_recipe(path: str | Path, overrides: Iterable[str] = ()) -> dict[str, Any]:
    """Read what a recipe and some overrides give; only `load_recipe` says whether it can be followed.

    Args:
        path: A YAML file, or the name of a recipe that comes with nuzoo (`nu_cnn_tiny`).
        overrides: `section.field=value` strings; the value is YAML.

    Raises:
        RecipeError: No such recipe, not YAML, or an override without `=`.
    """
    given = _migrated(_read_yaml(_find(path)))
    for override in overrides:
        name, equals, value = override.partition("=")
        if not equals:
            raise RecipeError(f"override {override!r}: expected section.field=value")
        set_field(given, name, yaml.load(value, Loader=_Loader))
    return given


def _find(path: str | Path) -> Path:
    shipped = RECIPES / f"{path}.yaml"
    for candidate in (Path(path), shipped):
        if candidate.is_file():
            return candidate
    names = sorted(file.stem for file in RECIPES.glob("*.yaml"))
    hint = did_you_mean([path], names)
    raise RecipeError(f"no recipe {path}{hint or ':'} Give a YAML file or one of {', '.join(names)}")


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise RecipeError(f"{path}: expected sections (source, task, model, …), got {type(content).__name__}")
    return content


def _migrated(given: dict[str, Any]) -> dict[str, Any]:
    """Name the task of a recipe from before recipes had one: the type of the model decided it."""
    model = given.get("model")
    if "task" in given or not isinstance(model, dict) or "model_type" not in model:
        return given
    task = "instruction-tuning" if model["model_type"] == "nu_vlm" else "event-classification"
    return {"task": task, **given}


def set_field(given: dict[str, Any], name: str, value: Any) -> None:
    """Set a field of a recipe by its dotted name."""
    *sections, last = name.split(".")
    for section in sections:
        if not isinstance(given.get(section), dict):
            if given.get(section) is not None:
                raise RecipeError(f"{name}: {section} is a value, not a section")
            given[section] = {}
        given = given[section]
    given[last] = value
