import os
import subprocess
import sys

import pytest

from nuzoo.hub.local_hub import LocalHub

FORGET_NUZOO = 'import sys; sys.modules["nuzoo"] = None; sys.path[:] = [p for p in sys.path if "nuzoo" not in p]\n'


@pytest.fixture(scope="module")
def local_hub(tmp_path_factory):
    """A Hub for the tests of one file; a test that sets `intercept` has it taken off afterwards."""
    with LocalHub(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture(autouse=True)
def _no_intercept_left(request):
    yield
    if "local_hub" in request.fixturenames:
        request.getfixturevalue("local_hub").intercept = None


@pytest.fixture
def run_fresh(local_hub, tmp_path):
    """Run Python in a fresh process that talks to the local Hub, from an empty folder.

    run_fresh(code, *arguments, without_nuzoo=False, **environment) gives a CompletedProcess with text
    output. Each test has one cache folder; HF_HOME and the other variables can be given to change it.
    """

    def run(code, *arguments, without_nuzoo=False, timeout=200, **environment):
        cwd = tmp_path / "cwd"
        cwd.mkdir(exist_ok=True)
        variables = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "PYTHON"))}
        variables |= local_hub.environment(tmp_path / "cache") | {"OMP_NUM_THREADS": "1"} | environment
        return subprocess.run(
            [sys.executable, "-c", (FORGET_NUZOO if without_nuzoo else "") + code, *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=cwd,
            env=variables,
            timeout=timeout,
        )

    return run
