"""What the zoo holds has its page, and the pages say of it what is so."""

import re
import tomllib
from pathlib import Path

import pytest

from nuzoo.registry import ARCHITECTURES, DATASETS, class_name, public_classes
from nuzoo.simulation.detectors import DETECTORS
from nuzoo.training.recipe_files import shipped_recipes
from nuzoo.zoo.bundled import bundled_models
from nuzoo.zoo.description import describe
from nuzoo.zoo.origins import ORIGINS

from .pages import DOCS, PAGES, ROOT, links_of, name_of

RECIPES = shipped_recipes()
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
IN_CODE = re.compile(r"`([^`\n]+)`")
NAME_OF_RECIPE = re.compile(
    r"nu_\w+_(?:tiny|zoo|dune|finetune|scratch|motif|particles|pretrain|scintillator|fasercal)"
)
EXTRA = re.compile(r"(?:nuzoo|\.)\[([a-z,]+)\]")


def named_in(page):
    return {*IN_CODE.findall(page.read_text(encoding="utf-8"))}


def measured(folder):
    """Read the first result of a model, and of how many events it is."""
    return re.search(r"(0\.\d+) on ([\d,]+ events)", describe(folder)[-1]).groups()


@pytest.mark.parametrize("row", ARCHITECTURES.values(), ids=lambda row: row.model_type)
def test_page_of_an_architecture_names_all_of_it(row):
    page = DOCS / "architectures" / f"{row.model_type}.md"
    named = named_in(page)
    models = {name for name, origin in ORIGINS.items() if origin.recipe in _recipes_of(row)}
    networks = {class_name(path) for path in (*row.networks.values(), *filter(None, [row.body]))}
    assert {row.modality, *row.networks, *networks, *_recipes_of(row), *models} <= named
    text = page.read_text(encoding="utf-8")
    assert not [name for name in models if measured(bundled_models()[name])[0] not in text]


def _recipes_of(row):
    return {name for name, recipe in RECIPES.items() if recipe["model"]["model_type"] == row.model_type}


@pytest.mark.parametrize("row", DATASETS.values(), ids=lambda row: row.name)
def test_page_of_a_dataset_names_all_of_it(row):
    page = DOCS / "datasets" / f"{row.name}.md"
    assert {row.modality, *row.tasks} <= named_in(page)
    text = page.read_text(encoding="utf-8")
    assert ("nuzoo simulate" in text) == (row.simulate is not None)
    assert ("nuzoo convert" in text) == (row.convert is not None)
    assert f"({row.name}.md)" in (DOCS / "datasets" / "index.md").read_text(encoding="utf-8")


def test_no_page_is_of_what_is_not_there():
    assert {page.stem for page in (DOCS / "architectures").iterdir()} == {*ARCHITECTURES}
    assert {page.stem for page in (DOCS / "datasets").iterdir()} - {"index"} == {*DATASETS}


@pytest.mark.parametrize("folder", bundled_models().values(), ids=lambda folder: folder.name)
def test_bundled_model_is_listed_with_what_was_measured(folder):
    lines = (DOCS / "models.md").read_text(encoding="utf-8").splitlines()
    [line] = [line for line in lines if line.startswith(f"| `{folder.name}` |")]
    assert {*measured(folder)} <= {*re.findall(r"0\.\d+|[\d,]+ events", line)}
    detector = describe(folder)[2]
    assert {f"`{detector}`", f"`{ORIGINS[folder.name].recipe}`"} <= {*re.findall("`[^`]+`", line)}
    assert f"`{folder.name}`" in (DOCS / "limits.md").read_text(encoding="utf-8")


def test_every_public_class_has_its_docstring_in_the_site():
    shown = {
        line.removeprefix("::: ").strip()
        for page in (DOCS / "api").glob("*.md")
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith("::: ")
    }
    missing = {path for path in public_classes().values() if path.rpartition(".")[0] not in shown}
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_recipes_detectors_and_extras_that_a_page_names_are_there(page):
    text = page.read_text(encoding="utf-8")
    extras = {extra for found in EXTRA.findall(text) for extra in found.split(",")}
    assert extras <= EXTRAS.keys()
    assert {name for name in named_in(page) if NAME_OF_RECIPE.fullmatch(name)} <= RECIPES.keys()
    detectors = re.findall(r"--detector (\S+)", text)
    assert {name for name in detectors if not Path(name).suffix and name.islower()} <= DETECTORS.keys()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_links_to_files_that_are_there(page):
    """As on GitHub, where nothing is built."""
    files = [target.partition("#")[0] for target in links_of(page) if "://" not in target]
    assert not [file for file in files if not (page.parent / file).exists()]
