"""Weights shared out over processes (FSDP2): every network says and learns what it does whole."""

import os
import subprocess
import sys
from pathlib import Path

from nuzoo.registry import ARCHITECTURES

from ..common.inputs import networks_of


def test_networks_whose_weights_are_shared_out_say_and_learn_the_same():
    script = Path(__file__).with_name("sharded_in_processes.py")
    root = str(Path(__file__).parents[2])
    command = [
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc_per_node=2",
        str(script),
        *ARCHITECTURES,
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([*sys.path, root])}
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, env=environment, check=False, timeout=280
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = [
        line.removeprefix("sharded alike: ") for line in done.stdout.splitlines() if "sharded alike" in line
    ]
    assert sorted(told) == sorted(name for row in ARCHITECTURES.values() for name in networks_of(row))
