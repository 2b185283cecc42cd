"""What Python of a page imports from nuzoo is there."""

import ast
from importlib import import_module

import pytest

from .pages import PAGES, blocks_of, name_of


def imports_in(text):
    """Find module and name of each import from nuzoo; a name of None stands for the module."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names if alias.name.startswith("nuzoo"))
        if isinstance(node, ast.ImportFrom) and node.module.startswith("nuzoo"):
            yield from ((node.module, alias.name) for alias in node.names)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "nuzoo":
            yield "nuzoo", node.attr


USED = [
    pytest.param(module, name, id=f"{name_of(page)}: {module} {name}")
    for page in PAGES
    for language, text in blocks_of(page)
    if language == "python"
    for module, name in imports_in(text)
]


@pytest.mark.parametrize(("module", "name"), USED)
def test_what_is_imported_is_there(module, name):
    assert name is None or hasattr(import_module(module), name)
