import ast
import sys
from pathlib import Path

import pytest
from transformers.dynamic_module_utils import get_relative_import_files, get_relative_imports

from nuzoo.hub.errors import NotExportableError
from nuzoo.hub.model import flat_export
from nuzoo.hub.model.flat_export import ALWAYS_THERE, export_code, flat_sources, reference
from nuzoo.modeling.modeling_nu_cnn import NuCnnModel

MODULE = "nuzoo.modeling.modeling_nu_cnn"


@pytest.fixture
def module_of(monkeypatch):
    """Give texts to exportable modules that do not exist."""

    def write(**texts):
        sources = {f"nuzoo.modeling.{name}": text for name, text in texts.items()}
        read = flat_export._source
        monkeypatch.setattr(
            flat_export, "_source", lambda module: sources[module] if module in sources else read(module)
        )
        return next(iter(sources))

    return write


def test_closure_is_flat_and_imports_siblings_and_libraries_only(tmp_path):
    names = export_code([NuCnnModel], tmp_path)
    assert {
        "modeling_nu_cnn.py",
        "configuration_nu_cnn.py",
        "modeling_utils_nu.py",
        "squeeze_excitation.py",
    } <= set(names)
    assert "image_processing_nu_pixel_map.py" not in names
    for name in names:
        for node in ast.walk(ast.parse((tmp_path / name).read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                assert (node.level, f"{node.module}.py" in names) == (1, True)
            elif isinstance(node, ast.ImportFrom):
                assert node.module.split(".")[0] in ALWAYS_THERE | sys.stdlib_module_names
            elif isinstance(node, ast.Import):
                assert {a.name.split(".")[0] for a in node.names} <= ALWAYS_THERE | sys.stdlib_module_names
    assert reference(NuCnnModel) == "modeling_nu_cnn.NuCnnModel"


def test_nothing_but_the_imports_is_changed(tmp_path):
    text = flat_sources([MODULE])["modeling_nu_cnn.py"].splitlines()
    original = flat_export._source(MODULE).splitlines()
    assert text[len(original) + 1 :][:3] == ["", "", "if False:  # what it needs through others"]
    changed = [(a, b) for a, b in zip(original, text[1 : len(original) + 1], strict=True) if a != b]
    assert changed
    for before, after in changed:
        assert before.startswith("from nuzoo.") and after.startswith("from .")
        assert before.partition(" import ")[2] == after.partition(" import ")[2]


def test_every_file_names_all_that_it_needs_so_that_none_is_missing_while_another_process_fetches(tmp_path):
    """transformers takes a file that is there for one whose own imports are there."""
    for name in export_code([NuCnnModel], tmp_path):
        named = {f"{sibling}.py" for sibling in get_relative_imports(tmp_path / name)}
        assert named == {Path(file).name for file in get_relative_import_files(tmp_path / name)}


def test_imports_are_found_wherever_they_stand(module_of):
    module = module_of(
        one="def f():\n    from nuzoo.modeling.two import (\n        g,\n    )\n    return g\n",
        two="try:\n    import spconv\nexcept ImportError:\n    spconv = None\ng = 1\n",
    )
    flat = flat_sources([module])
    assert set(flat) == {"one.py", "two.py"}
    assert "    from .two import (\n        g,\n" in flat["one.py"]


def test_relative_imports_become_siblings_too(module_of):
    module = module_of(
        one="from .two import g\nfrom ..configuration.config_errors import ConfigError\n", two="g = 1\n"
    )
    assert set(flat_sources([module])) == {"one.py", "two.py", "config_errors.py"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import spconv", "line 1 imports spconv"),
        ("import torchvision.ops", "imports torchvision"),
        ("if True:\n    from timm import create_model", "line 2 imports timm"),
        (
            "import nuzoo.modeling.squeeze_excitation",
            "expected `from nuzoo.modeling.squeeze_excitation import name`",
        ),
        ("from nuzoo.modeling import squeeze_excitation", "does not name what is used"),
        ("from nuzoo.modeling.squeeze_excitation import *", "does not name what is used"),
        ("from nuzoo.hub.cards import fill_template", "expected a module of files"),
        ("from nuzoo.simulation.detectors import DETECTORS", "nuzoo.simulation.detectors cannot go"),
        (
            "try:\n    from nuzoo.modeling.two import g\nexcept ImportError:\n    pass",
            "must be imported unguarded",
        ),
        ("from importlib import import_module\nimport_module('nuzoo')", "hides what it imports"),
        ("'''\nfrom .elsewhere import this\n'''", "elsewhere"),
        ("try:\n    pass\nexcept ImportError:\n    import spconv", "imports spconv"),
    ],
)
def test_what_cannot_travel_is_refused_by_name(module_of, text, says):
    with pytest.raises(NotExportableError, match="nuzoo") as refusal:
        flat_sources([module_of(one=text, two="g = 1\n")])
    assert says in str(refusal.value)


def test_two_modules_of_one_name_are_refused(module_of, monkeypatch):
    module = module_of(
        one="from nuzoo.configuration.two import h\nfrom nuzoo.modeling.two import g\n", two="g = 1\n"
    )
    read = flat_export._source
    monkeypatch.setattr(
        flat_export, "_source", lambda name: "h = 1\n" if name == "nuzoo.configuration.two" else read(name)
    )
    with pytest.raises(NotExportableError, match=r"would both become two\.py"):
        flat_sources([module])


def test_a_refusal_writes_nothing(module_of, tmp_path, monkeypatch):
    kind = type("Kind", (), {"__module__": module_of(one="import spconv")})
    with pytest.raises(NotExportableError):
        export_code([NuCnnModel, kind], tmp_path)
    assert not list(tmp_path.iterdir())
