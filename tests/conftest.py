import gc
import os
from collections import defaultdict

import pytest
import torch

from nuzoo.evaluation.core.style import STYLE

gc.disable()  # until all is imported; see pytest_collection_finish
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the processes that tests start; see _one_thread


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """Two test processes share two cores: more threads in each only get into each other's way."""
    torch.set_num_threads(1)


FONTS_OF_PDF = STYLE["pdf.fonttype"]


@pytest.fixture(autouse=True, scope="session")
def _letters_as_outlines():
    """Choosing what is embedded of a TrueType font takes half of an evaluation; see `embedded_fonts`."""
    STYLE["pdf.fonttype"] = 3


@pytest.fixture
def embedded_fonts(monkeypatch):
    """PDFs of figures as users get them."""
    monkeypatch.setitem(STYLE, "pdf.fonttype", FONTS_OF_PDF)


@pytest.fixture(scope="session")
def simulated_dataset(tmp_path_factory):
    """A folder with 60 simulated events, for tests that need a real dataset and not a large one."""
    from nuzoo.datasets_scripts.lartpc_pixelmaps import simulate_dataset

    folder = tmp_path_factory.mktemp("data") / "lartpc-pixelmaps"
    simulate_dataset(folder, events=60, seed=5)
    return folder


LONGEST = ["test_published_model.py", "test_saving.py", "test_training.py", "test_toy.py", "test_publish.py"]
LONGEST += ["test_supervised.py", "test_commands.py", "test_streamed_events.py", "test_sharded.py"]
"""Files with much to do. The first needs the simulation, which a new machine compiles; the next do not."""


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest, lest one of two processes has nothing to do at the end."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


def pytest_collection_finish():
    """Looking for garbage in all that was imported would take an eighth of the time."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()


def pytest_sessionfinish():
    gc.unfreeze()


def pytest_terminal_summary(terminalreporter):
    """Say how many of the checks in tests/common each architecture passed, whichever process ran them."""
    outcomes = defaultdict(lambda: defaultdict(set))
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in getattr(report, "user_properties", []):
                if name == "conformance":
                    architecture, check = value
                    outcomes[architecture][check].add(outcome)
    for architecture, checks in outcomes.items():
        failed = sum(bool(seen & {"failed", "error"}) for seen in checks.values())
        skipped = sum(seen == {"skipped"} for seen in checks.values())
        terminalreporter.write_line(
            f"conformance: {architecture} {len(checks) - failed - skipped} passed, {failed} failed, "
            f"{skipped} not applicable"
        )
