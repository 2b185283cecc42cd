"""Where repositories are built: what killed processes left there goes, what is in use stays."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors import SafetensorError

from nuzoo.hub.errors import FullDiskError
from nuzoo.hub.scratch import scratch_folder

HOLD = """
import sys
from pathlib import Path
from nuzoo.hub.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "large").write_text("x")
    print(folder, flush=True)
    sys.stdin.read()
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_it_is_empty_and_goes(tmp_path):
    with scratch_folder(tmp_path) as folder:
        assert (names(folder), folder.parent.parent) == ([], tmp_path)
        (folder / "file").write_text("x")
    assert names(tmp_path) == []


def test_what_a_killed_process_left_is_removed_and_what_is_in_use_is_not(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".nuzoo-publish-link").symlink_to(tmp_path / "elsewhere")
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    held = Path(process.stdout.readline().strip())
    hour_ago = time.time() - 3600
    os.utime(held.parent, (hour_ago, hour_ago))
    kept = ["elsewhere", "thesis", ".nuzoo-publish-link"]
    with scratch_folder(tmp_path):
        assert (held / "large").exists()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert held.exists()
    with scratch_folder(tmp_path) as folder:
        assert names(tmp_path) == sorted([*kept, folder.parent.name])
    assert names(tmp_path) == sorted(kept)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_one_clear_error(tmp_path, error):
    with (
        pytest.raises(FullDiskError, match=rf"a disk is full .*{tmp_path}; .*TMPDIR"),
        scratch_folder(tmp_path),
    ):
        raise error
    with pytest.raises(FileNotFoundError), scratch_folder(tmp_path) as folder:
        (folder / "absent").read_text()
    assert names(tmp_path) == []
