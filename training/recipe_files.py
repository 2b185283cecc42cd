"""Recipes as files: which there are, what their YAML says, and overrides of it. Nothing heavy is imported."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from nuzoo.files.nearest_names import did_you_mean
from nuzoo.registry import ARCHITECTURES
from nuzoo.training.fields import RecipeError

OF_NEW_NETWORKS = ("processor", "pretraining")
"""Sections that a checkpoint takes the place of."""

RECIPES = Path(__file__).parent / "recipes"
"""Those that come with nuzoo."""


class _Loader(yaml.SafeLoader):
    """YAML whose numbers are those of YAML 1.2, 1e-3 is one, not a text; and no field is given twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Make the fields of a section."""
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise yaml.constructor.ConstructorError(
                problem=f"given twice: {', '.join(twice)}", problem_mark=node.start_mark
            )
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def shipped_recipes() -> dict[str, dict[str, Any]]:
    """Read the recipes that come with nuzoo, by name."""
    return {file.stem: read_yaml(file) for file in sorted(RECIPES.glob("*.yaml"))}


def read_recipe(path: str | Path, overrides: Iterable[str] = ()) -> dict[str, Any]:
    """Read the sections of a recipe, which are not checked.

    Args:
        path: A YAML file, or the name of a recipe that comes with nuzoo (`nu_cnn_tiny`).
        overrides: `section.field=value` strings; see `override_value`.

    Raises:
        RecipeError: No such recipe, not YAML, or an override without `=`.
    """
    given = read_yaml(find_recipe(path))
    fields: dict[str, Any] = {}
    for override in overrides:
        name, equals, value = override.partition("=")
        if not equals:
            raise RecipeError(f"override {override!r}: expected section.field=value")
        fields[name] = override_value(value)
    if fields.get("model.pretrained"):
        _leave_out_new_network(given, str(fields["model.pretrained"]))
    for name, value in fields.items():
        set_field(given, name, value)
    return given


def _leave_out_new_network(given: dict[str, Any], pretrained: str) -> None:
    """Keep of a recipe's new network its type alone: a checkpoint brings its size, its scale and its weights.

    A recipe that starts from a checkpoint already is kept as it is, and so is one whose network takes over
    parts of a network of another type.
    """
    model = given.get("model")
    if not isinstance(model, dict) or _is_transfer(model.get("model_type"), pretrained):
        return
    if "model_type" in model and not model.get("pretrained"):
        given["model"] = {"model_type": model["model_type"]}
        for section in OF_NEW_NETWORKS:
            given.pop(section, None)


def _is_transfer(model_type: Any, pretrained: str) -> bool:
    """Whether a network takes over parts of a checkpoint of another type; what is no model is for later."""
    row = ARCHITECTURES.get(str(model_type))
    if row is None or not row.transfers_from:
        return False
    from transformers import PreTrainedConfig

    from nuzoo.pipelines.loading import UnusableModelError, resolve_model

    try:
        fields = PreTrainedConfig.get_config_dict(resolve_model(pretrained))[0]
    except (UnusableModelError, OSError):
        return False
    return fields.get("model_type") in row.transfers_from


def find_recipe(path: str | Path) -> Path:
    """Find a YAML file, or a recipe that comes with nuzoo, or raise `RecipeError`."""
    names = sorted(file.stem for file in RECIPES.glob("*.yaml"))
    if Path(path).is_file():
        return Path(path)
    if str(path) in names:
        return RECIPES / f"{path}.yaml"
    meant = did_you_mean([path], names)
    if meant:
        raise RecipeError(f"no recipe {path}{meant} Or give a YAML file; `nuzoo recipes` lists all others")
    raise RecipeError(f"no recipe {path}: give a YAML file or one of {', '.join(names)}")


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file of sections, or raise `RecipeError`."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (yaml.YAMLError, ValueError) as error:
        raise RecipeError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise RecipeError(f"{path}: expected sections (source, task, model, …), got {type(content).__name__}")
    return content


def override_value(text: str) -> Any:
    """Read the value of an override: null, true, a number, a [list], {fields} or a "text" as YAML has them.

    All else is a text as it stands, paths such as `@scratch/run: 1` too, whatever YAML would make of them.
    """
    try:
        value = yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError):
        return text
    is_marked = text.lstrip().startswith(("[", "{", '"', "'"))
    is_text = isinstance(value, str | list | Mapping | datetime.date)
    return text if is_text and not is_marked else value


def set_field(given: dict[str, Any], name: str, value: Any) -> None:
    """Set a field by its dotted name, or raise `RecipeError`."""
    *sections, last = name.split(".")
    if not all((*sections, last)):
        raise RecipeError(f"override {name!r}: expected section.field, such as training.max_steps")
    for section in sections:
        if not isinstance(given.get(section), dict):
            if given.get(section) is not None:
                raise RecipeError(f"{name}: {section} is a value, not a section")
            given[section] = {}
        given = given[section]
    given[last] = value


def drop_field(given: dict[str, Any], name: str) -> None:
    """Leave a field out by its dotted name, if it is there."""
    *sections, last = name.split(".")
    for section in sections:
        given = given.get(section) or {}
    given.pop(last, None)
