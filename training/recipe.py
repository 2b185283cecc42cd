"""Recipes: everything that decides a training run, in one YAML file.

`model` and `processor` hold the fields of the network's configuration and of its processor, `data` says
where the events are, `training` holds `transformers.TrainingArguments`, `augmentation` and
`early_stopping_patience` the rest. Vision-language models also have `adapter`, `answers` and `pretraining`.
Any field can be overridden by its dotted name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import yaml

RECIPES = Path(__file__).parent / "recipes"
SECTIONS = ("model", "processor", "data", "training", "augmentation", "adapter", "answers", "pretraining")


class RecipeError(ValueError):
    """A recipe, or an override of one, that cannot be followed."""


class _Loader(yaml.SafeLoader):
    """YAML whose numbers are those of YAML 1.2: 1e-3 is one, not a text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


@dataclass(frozen=True)
class DataSource:
    """Where the events come from.

    Attributes:
        path: Dataset folder, or repository id on the Hub.
        revision: Commit of the repository; pin it for anything that is published.
        train_events: Use only that many training events.
    """

    path: str = "data/lartpc-pixelmaps"
    revision: str | None = None
    train_events: int | None = None


@dataclass(frozen=True)
class Recipe:
    """One training run.

    Attributes:
        source: Where the hyper-parameters come from (paper, section), or why they were chosen.
        model: `model_type` and fields of its configuration; `preset` names a size; `pretrained` a
            checkpoint to fine-tune; `timm_weights` a safetensors file or a name of timm's, to start from;
            `base_model` what a vision-language model is built on.
        processor: Fields of the processor.
        data: The events.
        training: Fields of `transformers.TrainingArguments`.
        augmentation: Fields of `nuzoo.training.augmentation.pixel_maps.Augmentation`.
        early_stopping_patience: Evaluations without improvement before the run stops; None never stops.
        adapter: Fields of `peft.LoraConfig`.
        answers: Fields of `nuzoo.training.vlm.answers.AnswerStyle`.
        pretraining: Of a tiny base that is made first, in place of one that is named: its `training`, and
            its shapes, `base_config`.
    """

    source: str
    model: dict[str, Any]
    processor: dict[str, Any] = field(default_factory=dict)
    data: DataSource = field(default_factory=DataSource)
    training: dict[str, Any] = field(default_factory=dict)
    augmentation: dict[str, Any] = field(default_factory=dict)
    early_stopping_patience: int | None = None
    adapter: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    pretraining: dict[str, Any] = field(default_factory=dict)

    def to_yaml(self) -> str:
        """The recipe as YAML text that `load_recipe` reads back."""
        return yaml.safe_dump(asdict(self), sort_keys=False)


def load_recipe(path: str | Path, overrides: Iterable[str] = ()) -> Recipe:
    """Reads a recipe.

    Args:
        path: A YAML file, or the name of a recipe that comes with nuzoo (`nu_cnn_tiny`).
        overrides: `section.field=value` strings; the value is YAML.

    Raises:
        RecipeError: No such recipe, not YAML, an unknown field, or an override without `=`.
    """
    content = _read_yaml(_find(path))
    for override in overrides:
        _override(content, override)
    return _recipe(content, str(path))


def _find(path: str | Path) -> Path:
    shipped = RECIPES / f"{Path(path).stem}.yaml"
    for candidate in (Path(path), shipped):
        if candidate.is_file():
            return candidate
    names = ", ".join(sorted(file.stem for file in RECIPES.glob("*.yaml")))
    raise RecipeError(f"no recipe {path}: give a YAML file or one of {names}")


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise RecipeError(f"{path}: expected sections (source, model, …), got {type(content).__name__}")
    return content


def _override(content: dict[str, Any], override: str) -> None:
    name, equals, value = override.partition("=")
    if not equals:
        raise RecipeError(f"override {override!r}: expected section.field=value")
    *sections, last = name.split(".")
    for section in sections:
        content = content.setdefault(section, {})
        if not isinstance(content, dict):
            raise RecipeError(f"override {override!r}: {section} is a value, not a section")
    content[last] = yaml.load(value, Loader=_Loader)


def _recipe(content: Mapping[str, Any], origin: str) -> Recipe:
    content = dict(content)
    _refuse_unknown(content, Recipe, origin)
    for section in SECTIONS:
        if not isinstance(content.get(section, {}), dict):
            raise RecipeError(f"{origin}: {section}: expected fields, got {content[section]!r}")
    data = content.pop("data", {})
    _refuse_unknown(data, DataSource, f"{origin}: data")
    if "source" not in content or "model_type" not in content.get("model", {}):
        raise RecipeError(f"{origin}: a recipe needs `source` and `model.model_type`")
    _check_count("data.train_events", data.get("train_events"))
    _check_count("early_stopping_patience", content.get("early_stopping_patience"))
    return replace(Recipe(**content), data=DataSource(**data))


def _check_count(name: str, value: Any) -> None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise RecipeError(f"{name}: expected a whole number of 1 or more, or null, got {value!r}")


def _refuse_unknown(content: Mapping[str, Any], kind: type, origin: str) -> None:
    known = [item.name for item in fields(kind)]
    if unknown := sorted(set(content) - set(known)):
        raise RecipeError(f"{origin}: unknown field {', '.join(unknown)}; known: {', '.join(known)}")
