import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nuzoo.datasets_scripts.common.worker_pool import worker_pool

PARENT = """
import os, time
from nuzoo.datasets_scripts.common.worker_pool import worker_pool
if __name__ == "__main__":
    with worker_pool(1) as submit:
        print(submit(os.getpid).result(), flush=True)
        submit(time.sleep, 600).result()
"""


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ends(pid):
    deadline = time.monotonic() + 60
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


def test_an_error_ends_the_processes_without_waiting_for_their_work():
    with pytest.raises(ZeroDivisionError), worker_pool(1) as submit:
        pid = submit(os.getpid).result()
        submit(time.sleep, 600)
        raise ZeroDivisionError
    assert ends(pid)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_processes_die_with_the_one_that_they_work_for(tmp_path, number):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE) as parent:
        worker = int(parent.stdout.readline())
        parent.send_signal(number)
    assert ends(worker)
