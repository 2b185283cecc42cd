"""The front door: registration is complete, lazy and independent of the order of imports."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import transformers

import nuzoo
from nuzoo.registry import ANY_NETWORK, ARCHITECTURES, TASKS, import_object, public_classes

from ..fresh_process import run_python

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ["datasets", "trl", "peft", "evaluate", "matplotlib", "torchvision"]

LOADED = """
import json, sys
{code}
print(json.dumps([name for name in {names} if name in sys.modules]))
"""

LOAD_THROUGH_AUTO = """
from transformers import {auto_classes}
config = AutoConfig.from_pretrained({folder!r})
assert type(config).__name__ == {config!r}
for auto_class in ({auto_classes}):
    print(type(auto_class.from_pretrained({folder!r})).__name__)
"""


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def forked(code: str, folder: Path) -> str:
    done = run_python(code, folder=folder, environment=dict(os.environ))
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_after(code: str, names: list[str]) -> list[str]:
    return json.loads(python(LOADED.format(code=code, names=names)).splitlines()[-1])


def test_import_nuzoo_imports_nothing_heavy():
    assert loaded_after("import nuzoo", [*HEAVY, "torch", "transformers", "numpy", "numba"]) == []


def test_registration_adds_nothing_to_the_import_of_transformers(tmp_path):
    """What `AutoModel` imports with nuzoo is what it imports without."""
    names = "sorted(name for name in sys.modules if not name.startswith('nuzoo'))"
    script = "import json, sys\n{code}\nprint(json.dumps(" + names + "))"
    first = ("from transformers import AutoModel", "import nuzoo; from transformers import AutoModel")
    plain, with_us = (json.loads(forked(script.format(code=code), tmp_path)) for code in first)
    aliases = {f"transformers.models.{model_type}" for model_type in ARCHITECTURES}
    heavy = {name.partition(".")[0] for name in set(with_us) - set(plain) - aliases}
    assert not heavy & {*HEAVY, "torch", "transformers"}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Folders with a network and a processor, one of each architecture."""
    folders = {}
    for name, architecture in ARCHITECTURES.items():
        folders[name] = tmp_path_factory.mktemp(name)
        config = architecture.tiny_config()
        architecture.model_class(next(iter(architecture.models)))(config).save_pretrained(folders[name])
        processor = architecture.processor_class().tiny(config)
        if not processor.is_fitted:
            processor.fit(processor.example_events(8))
        processor.save_pretrained(folders[name])
    return folders


IMPORTS = {
    "nuzoo": "import nuzoo",
    "transformers": "import transformers.pipelines\nfrom transformers import AutoProcessor\n"
    "from transformers.models.auto import modeling_auto\nimport nuzoo",
}


@pytest.mark.parametrize("first", IMPORTS)
def test_auto_classes_load_every_architecture(saved, first, tmp_path):
    """All in one process, which takes longer to begin than to load them."""
    code, expected = IMPORTS[first], []
    for name, architecture in ARCHITECTURES.items():
        networks = dict.fromkeys([next(iter(architecture.models)), "AutoModel"])
        auto = ["AutoConfig", *networks, "AutoImageProcessor", "AutoProcessor"]
        config = type(architecture.tiny_config()).__name__
        code += LOAD_THROUGH_AUTO.format(auto_classes=", ".join(auto), folder=str(saved[name]), config=config)
        loaded = [architecture.models[network] for network in networks]
        paths = [architecture.config, *loaded, *[architecture.processor_path] * 2]
        expected += [path.rpartition(".")[2] for path in paths]
    assert forked(code, tmp_path).splitlines() == expected


WITH_PIPELINE = {task.pipeline_name: task for task in TASKS.values() if task.pipeline}


@pytest.mark.parametrize("task", WITH_PIPELINE.values(), ids=WITH_PIPELINE)
def test_pipeline_task_is_known(task):
    from transformers.pipelines import PIPELINE_REGISTRY

    _, entry, _ = PIPELINE_REGISTRY.check_task(task.pipeline_name)
    assert import_object(entry["impl"]) is import_object(task.pipeline)
    assert entry["pt"] == (getattr(transformers, task.auto_class or ANY_NETWORK),)


def test_every_public_class_is_an_attribute():
    for name, path in public_classes().items():
        assert getattr(nuzoo, name) is import_object(path)
        assert name in dir(nuzoo)
    with pytest.raises(AttributeError, match="NuNothing"):
        _ = nuzoo.NuNothing


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_architecture_has_all_its_parts(architecture):
    name = architecture.model_type
    parts = [
        f"configuration/configuration_{name}.py",
        f"modeling/modeling_{name}.py",
        f"tests/configuration/test_configuration_{name}.py",
        f"tests/modeling/test_modeling_{name}.py",
        *[f"training/recipes/{recipe}.yaml" for recipe in architecture.recipes],
    ]
    assert [part for part in parts if not (ROOT / part).is_file()] == []


def test_no_configuration_is_missing_from_the_registry():
    written = {file.stem for file in (ROOT / "configuration").glob("configuration_nu_*.py")}
    assert written == {f"configuration_{name}" for name in ARCHITECTURES}
