import os
import shutil

import pytest

from nuzoo.hub.local_hub import LocalHub

from ..fresh_process import run_python
from .flows import write_run

NO_NUZOO = 'raise ModuleNotFoundError("nuzoo is not installed here", name="nuzoo")\n'


@pytest.fixture(scope="module")
def local_hub(tmp_path_factory):
    """A Hub for the tests of one file; a test that sets `intercept` has it taken off afterwards."""
    with LocalHub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture(scope="session")
def evaluated_run(simulated_dataset, tmp_path_factory):
    """What `write_run` leaves, written once: for tests that copy it."""
    return write_run(tmp_path_factory.mktemp("evaluated") / "nu-cnn", simulated_dataset)


@pytest.fixture(scope="module")
def run(evaluated_run, tmp_path_factory):
    """An evaluated run folder that the tests of one file may change."""
    return shutil.copytree(evaluated_run, tmp_path_factory.mktemp("runs") / "nu-cnn")


@pytest.fixture(autouse=True)
def _no_intercept_left(request):
    hub = request.getfixturevalue("local_hub") if "local_hub" in request.fixturenames else None
    yield
    if hub:
        hub.intercept = None


@pytest.fixture(scope="module")
def run_fresh(local_hub, tmp_path_factory):
    """Run Python in a fresh process that talks to the local Hub, from an empty folder.

    `run_fresh(code, *arguments, cache=None, without_nuzoo=False, timeout=200, **environment)` gives a
    `CompletedProcess` with text output. Each call has a new cache unless `cache` names one. With
    `without_nuzoo`, a module that raises stands before the installed one, also for the processes that
    this one starts.
    """
    hidden = tmp_path_factory.mktemp("without") / "nuzoo.py"
    hidden.write_text(NO_NUZOO)

    def run(code, *arguments, cache=None, without_nuzoo=False, timeout=200, **environment):
        variables = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        variables |= local_hub.environment(cache or tmp_path_factory.mktemp("cache"))
        variables |= {"OMP_NUM_THREADS": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        variables.pop("PYTHONPATH", None)
        if without_nuzoo:
            variables["PYTHONPATH"] = str(hidden.parent)
            code = f'import sys; sys.modules["nuzoo"] = None\n{code}'
        variables |= environment
        folder = tmp_path_factory.mktemp("cwd")
        return run_python(code, *arguments, folder=folder, environment=variables, timeout=timeout)

    return run
