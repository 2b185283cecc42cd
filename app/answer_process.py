"""Each answer is made in a process of its own, which is ended where it takes too long, and has bounds.

Processes are forked from a server that has imported all that they need, and has done nothing else: they begin
at once, know nothing of each other, and what one of them reads cannot touch the next. Nothing that a process
has read comes back as a pickle: it leaves JSON and pictures in a folder, which is removed.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import active_children, get_context
from pathlib import Path

from nuzoo.app.answer import Answer, Question, answer
from nuzoo.app.errors import AppError, LimitError, UnknownFailureError
from nuzoo.app.limits import MEGABYTE, Limits
from nuzoo.app.offered import offered_models
from nuzoo.app.sample_events import sample_event
from nuzoo.datasets_scripts.common.compilation import telling_of_compilation

PRELOADED = "nuzoo.app.preloaded"
NAME = "nuzoo-answer"
ERROR_FILE = "error.json"
OWN_MODULES = "nuzoo."
NO_MEMORY = "allocate memory"
"""What errors of the system and of torch say that are no `MemoryError`."""

LARGEST_FILE = 100 * MEGABYTE
"""Bytes of a file that a process may write."""

COMPILING = "compiling the simulation, once on this machine: up to two minutes"

_PROCESSES = get_context("forkserver")
_PROCESSES.set_forkserver_preload([PRELOADED])


class ToldError(AppError):
    """What a process said instead of an answer."""


def warm_up() -> None:
    """Start the server of processes, and let one compile the simulations: no answer has the time for that.

    Raises:
        UnknownFailureError: It did not end well, of which the log tells.
    """
    process = _PROCESSES.Process(target=_simulate_all, daemon=True)
    process.start()
    process.join()
    if process.exitcode:
        raise UnknownFailureError("expected sample events of every model, got an error, see above")


def end_all() -> None:
    """End the processes that are at work: nobody waits for their answers any more."""
    for process in active_children():
        if process.name == NAME:
            process.kill()


@contextmanager
def answered(question: Question, folder: Path, limits: Limits) -> Iterator[tuple[Answer, Path]]:
    """Make an answer.

    Args:
        question: What is asked.
        folder: Where a folder for the answer is made; it is removed when the block ends.
        limits: Of time and memory.

    Yields:
        The answer, and the folder of its files.

    Raises:
        ToldError: What was wrong with the question, in a sentence without a path.
        LimitError: It took too long, or too much memory.
        UnknownFailureError: Anything else, of which the log tells.
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        out = Path(place)
        process = _PROCESSES.Process(target=_answer, args=(question, out, limits), name=NAME, daemon=True)
        process.start()
        process.join(limits.seconds)
        if process.is_alive():
            process.kill()
            process.join()
            raise LimitError(
                f"expected an answer within {limits.seconds} s, got none: take a smaller event, or use nuzoo "
                "predict on your own machine"
            )
        if (error := out / ERROR_FILE).is_file():
            raise ToldError(json.loads(error.read_text(encoding="utf-8")))
        if process.exitcode:
            raise UnknownFailureError(
                "the process that made the answer broke: expected an event of the usual size, and whole "
                "files; take another event"
            )
        yield Answer.read(out), out


def _simulate_all() -> None:
    """Simulate an event as each model was trained on, once of alike ones."""
    with telling_of_compilation(partial(print, COMPILING, file=sys.stderr, flush=True)):
        for model in {str(model.events): model for model in offered_models().values()}.values():
            sample_event(model, model.events.plan["seed"] + 1)


def _answer(question: Question, out: Path, limits: Limits) -> None:
    """Answer within bounds, and leave the answer or one sentence in a folder."""
    os.environ["TMPDIR"] = tempfile.tempdir = str(out)
    _bound(limits)
    try:
        answer(question, out).write(out)
    except Exception as error:
        folders = {str(out), *(str(file.parent) for file in question.files)}
        (out / ERROR_FILE).write_text(json.dumps(_sentence(error, folders, limits)), encoding="utf-8")


def _bound(limits: Limits) -> None:
    """Bound memory, time and files of this process; the system ends or refuses what goes beyond."""
    cores = os.cpu_count() or 1
    for kind, most in (
        (resource.RLIMIT_DATA, _memory() + limits.memory_mb * MEGABYTE),
        (resource.RLIMIT_CPU, limits.seconds * cores),
        (resource.RLIMIT_FSIZE, LARGEST_FILE),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _memory() -> int:
    """Count the bytes that this process has room for already, as far as the system tells."""
    told = Path("/proc/self/statm")
    return int(told.read_text().split()[5]) * resource.getpagesize() if told.is_file() else 0


def _sentence(error: Exception, folders: set[str], limits: Limits) -> str:
    """Say what was wrong, without what nobody needs to know of this machine."""
    if _ran_out_of_memory(error):
        return (
            f"expected an event that can be read within {limits.memory_mb} MB of memory, got one that "
            "unfolds to more: take a smaller one"
        )
    if not type(error).__module__.startswith(OWN_MODULES):
        print(time.strftime("%F %T"), *traceback.format_exception(error), file=sys.stderr, flush=True)
        return "expected an event that can be read, got one that nuzoo failed on: take another event"
    told = " ".join(str(error).split())
    for folder in folders:
        told = told.replace(f"{folder}/", "").replace(folder, "")
    return told


def _ran_out_of_memory(error: BaseException | None) -> bool:
    """Say whether memory was what an error, or one that led to it, was about."""
    while error is not None:
        if isinstance(error, MemoryError) or NO_MEMORY in str(error).lower():
            return True
        error = error.__cause__ or error.__context__
    return False
