"""What a process does that stays: commands of nuzoo, one after the other."""

import contextlib
import io
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

from ..fresh_process import begin


def serve(tasks, wakeup, cache, environment):
    """Run what comes, until the process is killed: commands of nuzoo, and lines of Python."""
    begin(cache, environment, os.devnull, os.devnull)
    os.set_blocking(wakeup.fileno(), False)
    signal.set_wakeup_fd(wakeup.fileno())
    from nuzoo.cli import main

    names = {"json": json, "os": os, "sys": sys, "time": time, "Path": Path, "main": main}
    time.sleep = lambda seconds: None
    while True:
        task, out, err = tasks.recv(), io.StringIO(), io.StringIO()
        os.environ.update(task["environment"])
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = main(task["command"]) if "command" in task else exec(task["code"], names)
            except BaseException:
                status = traceback.format_exc()
        tasks.send((status, out.getvalue(), err.getvalue()))
