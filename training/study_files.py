"""Files of studies: YAML that lists trainings, with fields that are set otherwise on the command line."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nuzoo.files.nearest_names import did_you_mean
from nuzoo.training.fields import RecipeError
from nuzoo.training.recipe_files import override_value, read_yaml

STUDIES = Path(__file__).parent / "studies"
"""Those that come with nuzoo."""


def read_study(name: str | Path, overrides: Iterable[str], variants: str) -> dict[str, Any]:
    """Read what a study gives, not checked.

    Args:
        name: A YAML file, or the name of a study that comes with nuzoo.
        overrides: `field=value` strings; the value is YAML.
        variants: The field that holds, by name, what differs between trainings, each with fields of recipes.

    Raises:
        RecipeError: No such study, or an override of what is no section.
    """
    given: dict[str, Any] = read_yaml(_find(name))
    for override in overrides:
        _override(given, override, variants)
    return given


def _override(given: dict[str, Any], override: str, variants: str) -> None:
    """Set a field of a study; names of fields of recipes keep their dots."""
    key, equals, value = override.partition("=")
    if not equals:
        raise RecipeError(f"override {override!r}: expected field=value")
    names = key.split(".", 2 if key.startswith(f"{variants}.") else 1)
    *sections, last = names
    for section in sections:
        given = given.setdefault(section, {})
        if not isinstance(given, dict):
            raise RecipeError(f"override {override!r}: {section} of a study is a value, not a section")
    given[last] = override_value(value)


def _find(name: str | Path) -> Path:
    known = sorted(file.stem for file in STUDIES.glob("*.yaml"))
    if Path(name).is_file():
        return Path(name)
    if str(name) in known:
        return STUDIES / f"{name}.yaml"
    raise RecipeError(
        f"no study {name}: give a YAML file or one of {', '.join(known)}{did_you_mean([str(name)], known)}"
    )
