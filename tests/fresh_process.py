"""Python processes for tests that begin with torch and more imported, which takes longer than most tests do.

They are forked from a server that has imported nothing which reads the environment: no library of Hugging
Face, and not nuzoo. All else is as in an interpreter that has just been started.
"""

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
from multiprocessing import forkserver
from pathlib import Path

ROOT = str(Path(__file__).parents[1])
PROCESSES = multiprocessing.get_context("forkserver")
IMPORTED = ["torch", "torchvision", "torch._dynamo", "bitsandbytes", "numba"]
IMPORTED += ["scipy.stats", "sklearn.metrics", "pandas", "pyarrow.parquet", "matplotlib.figure"]
SERVER = forkserver.ForkServer()
"""Beside that of the library, which the app has in one of its own."""
SERVER.set_forkserver_preload(IMPORTED)


def begin(folder, environment, out, err):
    """Be like a process that was started in a folder with an environment, and with files to write to."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, file in ((1, out), (2, err)):
        os.dup2(os.open(file, os.O_WRONLY), number)
    given = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:] = [*given, *(path for path in sys.path if path.startswith((sys.prefix, sys.base_prefix)))]


def _run(code, arguments, folder, environment, out, err):
    begin(folder, environment, out, err)
    sys.argv[:] = ["-c", *arguments]
    exec(compile(code, "<code of the test>", "exec"), {"__name__": "__main__"})


def start(function, *arguments):
    """Start a process that calls a function, whose module may import nothing that is to be imported anew."""
    process = PROCESSES.Process(target=function, args=arguments)
    sys.path.append(ROOT)
    other = forkserver.connect_to_new_process
    forkserver.connect_to_new_process = SERVER.connect_to_new_process
    try:
        process.start()
    finally:
        forkserver.connect_to_new_process = other
        sys.path.remove(ROOT)
    return process


def run_python(code, *arguments, folder, environment, timeout=240):
    """Run lines of Python in a process of its own, as `subprocess.run` does.

    Args:
        code: the lines.
        arguments: what `sys.argv` holds after `-c`.
        folder: where it runs; a folder `.told` in it keeps what it says.
        environment: all variables that it has. Entries of `PYTHONPATH` come before what is installed.
        timeout: seconds after which it is killed.

    Returns:
        A `subprocess.CompletedProcess` with text output.
    """
    return run_all([(code, arguments, environment)], folder, timeout)[0]


def run_all(tasks, folder, timeout=240):
    """The same of several processes side by side: of each its code, arguments and environment."""
    told = Path(folder) / ".told"
    told.mkdir(exist_ok=True)
    started = []
    for number, (code, arguments, environment) in enumerate(tasks):
        files = [told / f"{number}.{name}" for name in ("out", "err")]
        for file in files:
            file.write_text("")
        words = [str(argument) for argument in arguments]
        process = start(_run, code, words, str(folder), environment, *map(str, files))
        started.append((process, code, files))
    return [_ended(process, code, files, timeout) for process, code, files in started]


def _ended(process, code, files, timeout):
    process.join(timeout)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise subprocess.TimeoutExpired(code, timeout)
    return subprocess.CompletedProcess(code, process.exitcode, *(file.read_text() for file in files))


def run_ranks(script, *arguments, folder, ranks=2, timeout=240):
    """Run a file in processes that torch.distributed joins, as torchrun does."""
    common = os.environ | {"OMP_NUM_THREADS": "1", "WORLD_SIZE": str(ranks), "MASTER_ADDR": "127.0.0.1"}
    common |= {"MASTER_PORT": str(_free_port()), "PYTHONPATH": os.pathsep.join(sys.path)}
    each = [common | {"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(ranks)]
    code = f"import runpy\nrunpy.run_path({str(script)!r}, run_name='__main__')"
    return run_all([(code, arguments, environment) for environment in each], folder, timeout)


def _free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
