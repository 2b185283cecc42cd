import os
import subprocess
import sys

import pytest

from nuzoo.files.errors import FolderInUseError
from nuzoo.files.folder_lock import locked
from nuzoo.files.names import LOCK_FILE

HOLD = """
import sys, time
from pathlib import Path
from nuzoo.files.folder_lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_run_is_refused_and_told_which_has_the_folder(tmp_path):
    with locked(tmp_path / "out"):
        with pytest.raises(FolderInUseError, match=f"process {os.getpid()} on"), locked(tmp_path / "out"):
            pass
        with locked(tmp_path / "other"):
            pass


def test_a_folder_is_free_again_and_empty_after_a_run_even_one_that_failed(tmp_path):
    with pytest.raises(ValueError, match="failed"), locked(tmp_path):
        raise ValueError("failed")
    assert not list(tmp_path.iterdir())
    with locked(tmp_path):
        assert [file.name for file in tmp_path.iterdir()] == [LOCK_FILE]


def test_a_killed_process_leaves_the_folder_free(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(FolderInUseError, match=f"process {process.pid} on"), locked(tmp_path):
            pass
        process.kill()
    with locked(tmp_path):
        pass
