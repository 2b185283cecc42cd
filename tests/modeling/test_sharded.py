"""Weights shared out over processes (FSDP2): every network says and learns what it does whole."""

from pathlib import Path

from nuzoo.registry import ARCHITECTURES

from ..common.inputs import networks_of
from ..fresh_process import run_ranks


def test_networks_whose_weights_are_shared_out_say_and_learn_the_same(tmp_path):
    script = Path(__file__).with_name("sharded_in_processes.py")
    first, second = run_ranks(script, *ARCHITECTURES, folder=tmp_path, timeout=280)
    assert first.returncode == second.returncode == 0, first.stderr[-3000:] + second.stderr[-3000:]
    told = first.stdout.splitlines()
    expected = [f"sharded alike: {name}" for row in ARCHITECTURES.values() for name in networks_of(row)]
    assert [line for line in told if "sharded alike" in line] == expected
