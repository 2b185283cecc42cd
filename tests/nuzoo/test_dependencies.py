"""What pyproject.toml declares is what the code imports, no more and no less."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

THROUGH_OTHERS = {
    "asyncssh": "distributed starts workers over SSH with it",
    "accelerate": "transformers' Trainer runs on it",
    "torchvision": "image processors of vision-language bases need it",
    "tensorboard": "a recipe's training.report_to names it",
    "trackio": "a recipe's training.report_to names it",
    "bitsandbytes": "transformers loads 4-bit weights with it",
    "onnx": "torch.onnx.export writes with it",
    "onnxscript": "torch.onnx.export writes with it",
    "mkdocs-material": "mkdocs builds the site in its look",
    "mkdocstrings": "mkdocs reads the docstrings with it",
    "tabulate": "pandas writes Markdown with it",
}
"""What another library imports for us when it is there, and why it must be."""


CHOSEN_BY_THE_USER = {"spconv": "there is a package for each version of CUDA"}
"""What is imported where it is there, and is declared nowhere, and why."""


NAME_OF_ABSENT = {"umap": "umap-learn"}
"""Of what is imported under another name than it is installed by, where it is not installed."""


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(group=None):
    lines = PROJECT["dependencies"] if group is None else PROJECT["optional-dependencies"][group]
    return {canonical(re.split(r"[\[<>=!~; ]", line)[0]) for line in lines}


@cache
def imported():
    """Distributions that the package imports anywhere, also in functions."""
    distributions = packages_distributions()
    rooms = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-dir"]
    found = {}
    for folder in set(rooms.values()):
        for file in (ROOT / folder).glob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and not node.level:
                    names = [node.module or ""]
                for name in (name.partition(".")[0] for name in names):
                    if name not in sys.stdlib_module_names and name != "nuzoo":
                        [distribution, *_] = distributions.get(name, [NAME_OF_ABSENT.get(name, name)])
                        found.setdefault(canonical(distribution), file.relative_to(ROOT))
    return found


def test_every_import_is_declared():
    runtime = declared().union(
        *(declared(extra) for extra in PROJECT["optional-dependencies"] if extra != "dev")
    )
    undeclared = {name: str(file) for name, file in imported().items() if name not in runtime}
    undeclared = {name: file for name, file in undeclared.items() if name not in CHOSEN_BY_THE_USER}
    assert not undeclared


@pytest.mark.parametrize("group", [None, *sorted(PROJECT["optional-dependencies"].keys() - {"dev"})])
def test_every_declared_package_is_used(group):
    assert not declared(group) - imported().keys() - THROUGH_OTHERS.keys()


def test_development_has_every_extra_that_the_tests_need():
    extras = {"cluster", "docs", "onnx", "vit", "vlm"}
    assert set().union(*(declared(extra) for extra in extras)) <= declared("dev")


def test_every_folder_of_code_is_in_the_wheel():
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    rooms = [ROOT / folder for name, folder in setuptools["package-dir"].items() if name.count(".") <= 1]
    folders = {file.parent.relative_to(ROOT) for room in rooms for file in room.rglob("__init__.py")}
    assert folders == {Path(folder) for folder in setuptools["package-dir"].values()}
    assert set(setuptools["packages"]) == set(setuptools["package-dir"])
