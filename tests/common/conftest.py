"""Every check of this folder runs for every row of the registry, by the names of its arguments.

A test that asks for `architecture` (or what is made from it) runs for each architecture; one that asks
for `auto_class`, for each of its networks; one that asks for `head_class`, for each network with a head.
A module may have a function `applies(task, schema)`: then it is for the networks of those tasks, given the
columns that their processor reads.
"""

from pathlib import Path

import pytest

from nuzoo.registry import ARCHITECTURES, Architecture

from .inputs import EVENTS, example_inputs, make_model, tiny_processor, unfitted_processor

BODY = "AutoModel"


def pytest_generate_tests(metafunc):
    names = metafunc.fixturenames
    if "auto_class" in names:
        cases = [(row, auto_class) for row in ARCHITECTURES.values() for auto_class in _distinct(row.models)]
        _parametrise(metafunc, ("architecture", "auto_class"), cases)
    elif "head_class" in names:
        applies = getattr(metafunc.module, "applies", None)
        cases = [(row, head) for row in ARCHITECTURES.values() for head in _heads(row, applies)]
        _parametrise(metafunc, ("architecture", "head_class"), cases)
    elif "architecture" in names:
        _parametrise(metafunc, ("architecture",), [(row,) for row in ARCHITECTURES.values()])


def _distinct(models):
    """The Auto classes, one for each network that they load."""
    return list({path: auto_class for auto_class, path in models.items()}.values())


def _heads(architecture, applies):
    """The Auto classes of networks with a head, of those tasks that a module is for."""
    if applies is None:
        return [head for head in architecture.models if head != BODY]
    schema = unfitted_processor(architecture).schema
    return [task.auto_class for task in architecture.tasks if task.auto_class and applies(task, schema)]


def _parametrise(metafunc, names, cases):
    ids = ["-".join([row.model_type, *rest]) for row, *rest in cases]
    metafunc.parametrize(names, cases, ids=ids)


def pytest_collection_modifyitems(items):
    """Mark each check with its architecture, for the summary that tests/conftest.py prints."""
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        architecture = parameters.get("architecture")
        if item.path.is_relative_to(Path(__file__).parent) and isinstance(architecture, Architecture):
            check = f"{item.path.stem}.{item.originalname}"
            item.user_properties.append(("conformance", (architecture.model_type, check)))


@pytest.fixture
def model(architecture, auto_class):
    return make_model(architecture, auto_class)


@pytest.fixture
def headed(architecture, head_class):
    return make_model(architecture, head_class)


@pytest.fixture
def body_class(architecture):
    """The network without a head."""
    if len(_distinct(architecture.models)) < len(architecture.models):
        pytest.skip("the network has no head")
    return architecture.model_class(BODY)


@pytest.fixture
def config(architecture):
    return architecture.tiny_config()


@pytest.fixture
def processor(architecture):
    return tiny_processor(architecture)


@pytest.fixture
def events(processor):
    return processor.example_events(EVENTS)


@pytest.fixture
def inputs(processor, events):
    return example_inputs(processor, events)
