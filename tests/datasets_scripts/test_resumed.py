"""Killed while it simulates, the same command goes on, and ends with the bytes of an undisturbed run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nuzoo.cli import main
from nuzoo.registry import DATASETS

RUNS = [
    pytest.param(name, 2, 1, marks=[] if name == "lartpc-pixelmaps" else pytest.mark.slow)
    for name, row in DATASETS.items()
    if row.simulate
] + [pytest.param("lartpc-pixelmaps", 1, 2, marks=pytest.mark.slow)]
"""Datasets, with how many processes they are begun, and with how many they are ended.

All are written by the same code, so that one runs always.
"""

EVENTS, SHARD_SIZE = 60, 6


def command(name: str, out: Path, num_proc: int) -> list[str]:
    numbers = {"events": EVENTS, "seed": 3, "shard-size": SHARD_SIZE, "num-proc": num_proc, "out": out}
    return ["simulate", name, *(f"--{option}={value}" for option, value in numbers.items())]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def shards(folder: Path) -> list[Path]:
    return sorted(folder.glob("data/*.parquet"))


@pytest.fixture(scope="module")
def folder(request, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / request.param
    assert main(command(out.name, out, 1)) == 0
    return out


@pytest.mark.parametrize(("folder", "begun", "ended"), RUNS, indirect=["folder"])
def test_a_killed_run_goes_on_to_the_same_bytes(folder, tmp_path, begun, ended):
    """Those of one process, whatever number of them wrote the shards."""
    out = tmp_path / "out"
    killed = subprocess.Popen(
        [sys.executable, "-m", "nuzoo.cli", *command(folder.name, out, begun)],
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 200  # a new machine compiles the simulation first
    while len(shards(out)) < 2 and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    kept = {path: path.read_bytes() for path in shards(out)}
    assert 2 <= len(kept) < len(shards(folder))
    assert not (out / "manifest.json").exists()
    (out / "data" / "train-00000-of-00099.partial").write_bytes(b"half a shard")

    assert main(command(folder.name, out, ended)) == 0
    assert contents(out) == contents(folder)
