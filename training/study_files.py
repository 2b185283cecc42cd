"""Files of studies: YAML that lists trainings, with fields that are set otherwise on the command line."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Self

from nuzoo.files.nearest_names import did_you_mean
from nuzoo.training.fields import RecipeError, made_of
from nuzoo.training.recipe_files import override_value, read_yaml

STUDIES = Path(__file__).parent / "studies"
"""Those that come with nuzoo."""


class ReadStudy:
    """What every study has: the file that it is read from, a folder, and perhaps numbers of others.

    Attributes:
        out: Folder.
        published: Numbers of others.
        variants: The field that holds, by name, what differs between trainings, each with fields of recipes.
        published_type: What `published` is made into.
    """

    out: str
    published: dict[str, Any] | None = None
    variants: ClassVar[str]
    published_type: ClassVar[type]

    @classmethod
    def read(cls, name: str | Path, overrides: Iterable[str] = ()) -> Self:
        """Read a study.

        Args:
            name: A YAML file, or the name of a study that comes with nuzoo.
            overrides: `field=value` strings; the value is YAML. Fields of the recipe of all are
                `fields.section.field=value`, of one variant `<variants>.<name>.section.field=value`.

        Raises:
            RecipeError: No such study, an unknown field, or a value that a field cannot have.
        """
        study = made_of(cls, "study", read_study(name, overrides, cls.variants))
        study.check()
        return study

    def check(self) -> None:
        """Refuse numbers of others that are none, before anything is trained; a study adds what is its own.

        Raises:
            RecipeError: With what is wrong.
        """
        if self.published is not None:
            made_of(self.published_type, "study.published", self.published)

    def simulated(self) -> Iterable[tuple[Path, list[str]]]:
        """Name the datasets that are simulated first, and the arguments of `nuzoo simulate` for each."""
        return ()

    @property
    def folder(self) -> Path:
        """Where everything goes."""
        return Path(self.out)

    @property
    def theirs(self) -> Any:
        """Numbers of others, or None."""
        return None if self.published is None else self.published_type(**self.published)

    def placed(self, name: str, seed: int) -> dict[str, Any]:
        """Give the fields of a recipe that say where a training goes, and its seed."""
        return {"training.seed": seed, "training.output_dir": (self.folder / name).as_posix()}


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
