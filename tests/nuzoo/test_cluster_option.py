"""`--cluster` of the commands."""

import numpy as np
import pytest

from nuzoo.cli import main
from nuzoo.zoo.bundled import find_model
from tests.common.inputs import write_npz


def test_processes_and_a_cluster_at_once_are_refused(tmp_path, capsys):
    out = ["--out", str(tmp_path / "out")]
    both = ["--num-proc", "2", "--cluster", "tcp://127.0.0.1:9"]
    assert main(["simulate", "lartpc-pixelmaps", "--events", "2", *out, *both]) == 2
    assert "--cluster, --num-proc: expected one of them, got both" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
