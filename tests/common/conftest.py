"""Every check of this folder runs for every row of the registry, by the names of its arguments.

A test that asks for `architecture` (or what is made from it) runs for each architecture; one that asks
for `network`, for each of its networks; one that asks for `head`, for each network with a head: by the names
of their classes.
A module may have a function `applies(task, schema)`: then it is for the networks of those tasks, given the
columns that their processor reads.
"""

from pathlib import Path

import pytest

from nuzoo.registry import ARCHITECTURES, Architecture, class_name

from .inputs import (
    EVENTS,
    body_of,
    example_inputs,
    make_model,
    network_named,
    networks_of,
    tiny_processor,
    unfitted_processor,
)


def pytest_generate_tests(metafunc):
    names = metafunc.fixturenames
    if "network" in names:
        cases = [(row, network) for row in ARCHITECTURES.values() for network in networks_of(row)]
        _parametrise(metafunc, ("architecture", "network"), cases)
    elif "head" in names:
        applies = getattr(metafunc.module, "applies", None)
        cases = [(row, head) for row in ARCHITECTURES.values() for head in _heads(row, applies)]
        _parametrise(metafunc, ("architecture", "head"), cases)
    elif "architecture" in names:
        _parametrise(metafunc, ("architecture",), [(row,) for row in ARCHITECTURES.values()])


def _heads(architecture, applies):
    """The networks with a head, of those tasks that a module is for."""
    if applies is None:
        return [network for network in networks_of(architecture) if network != body_of(architecture)]
    schema = unfitted_processor(architecture).schema
    tasks = [task for task in architecture.tasks if applies(task, schema)]
    return list(dict.fromkeys(class_name(architecture.networks[task.name]) for task in tasks))


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
def model(architecture, network):
    return make_model(architecture, network)


@pytest.fixture
def headed(architecture, head):
    return make_model(architecture, head)


@pytest.fixture
def body_class(architecture):
    """The network without a head."""
    if body_of(architecture) is None:
        pytest.skip("the network has no head")
    return network_named(architecture, body_of(architecture))


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
