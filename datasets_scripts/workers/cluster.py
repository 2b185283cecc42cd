"""Workers of a cluster of Dask, and the check that they make the bytes that this process would make."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from multiprocessing import resource_tracker
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any

from nuzoo.datasets_scripts.workers.cluster_errors import ClusterError, NoClusterError, UnlikeWorkersError
from nuzoo.datasets_scripts.workers.cluster_file import KINDS, ClusterPlace
from nuzoo.datasets_scripts.workers.workers import (
    IN_FLIGHT,
    SECONDS_BETWEEN_LOOKS,
    Piece,
    Result,
    Tell,
    Work,
    in_order,
)
from nuzoo.files.atomic import PARTIAL

if TYPE_CHECKING:
    from distributed import Client, Future

SECONDS_TO_ANSWER = 10.0
SECONDS_WITHOUT_WORKERS = 60.0
"""So long a cluster that has lost all its workers is waited for: it may start others."""

PACKAGES = ("nuzoo", "numpy", "numba", "pyarrow", "pillow", "torch", "distributed")
"""What decides the bytes, or must understand the other side."""

UNWATCHED = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "2s",
}
"""Settings of clusters that are started: nobody looks at the profiles that Dask takes many times a second."""

GOES_ON = "what is finished is kept, and the same command goes on from there"

_ONE_AT_A_TIME = threading.Lock()
"""A worker with several threads does one piece at a time: memory is that of one, and no state is shared."""

Facts = Mapping[str, str]


@contextmanager
def cluster_of(place: ClusterPlace, written: Path, read: Sequence[Path] = ()) -> Iterator[ClusterWorkers]:
    """Find or start a cluster for the block; what was started is closed after it.

    Args:
        place: From `find_cluster`.
        written: File or folder that workers write to; all must see where it is to be.
        read: Files and folders that they read.

    Raises:
        NoClusterError: No answer, no workers in time, or it cannot be started.
        UnlikeWorkersError: Workers without nuzoo, with another version of what decides bytes, or without the
            files.
    """
    import dask
    from distributed import Client

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what it says, errors of ours say
    with dask.config.set(UNWATCHED), ExitStack() as stack:
        with _interrupts_held():  # which workers that are started inherit
            cluster = _start(place) if place.kind else None
        if cluster is not None:
            stack.callback(cluster.close)
        try:
            client = stack.enter_context(
                Client(place.name if cluster is None else cluster, timeout=SECONDS_TO_ANSWER)
            )
        except (OSError, ValueError) as error:
            raise NoClusterError(
                f"{place.name}: expected a scheduler that answers within {SECONDS_TO_ANSWER:g} s, got none "
                f"({error}): start it (`dask scheduler`), or correct the address"
            ) from error
        _await_workers(client, place)
        with _token(written.absolute()) as token:
            paths = [str(token), *(str(path.absolute()) for path in read)]
            _check(place, client.run(_asked(), PACKAGES, paths, on_error="return"), own_facts())
        yield ClusterWorkers(client, place.name)


class ClusterWorkers:
    """Workers of an open cluster; pieces of one that is killed are done again by others.

    Args:
        client: Of the cluster.
        name: What the cluster is called, for messages.
    """

    are_many = True

    def __init__(self, client: Client, name: str) -> None:
        self.client, self.name = client, name
        self.threads: Mapping[str, int] = client.nthreads()
        self._seen = time.monotonic()

    def told(self) -> str:
        """Say how many workers there are, and what of them lies idle."""
        number, most = len(self.threads), max(self.threads.values(), default=1)
        idle = f"; each does one piece at a time, on one of {most} threads (--nthreads 1)" if most > 1 else ""
        return f"{number} {'worker' if number == 1 else 'workers'} of {self.name}{idle}"

    def do(
        self, work: Work[Piece, Result], pieces: Iterable[Piece], tell: Tell
    ) -> Generator[Result, None, None]:
        """Do pieces of work; see `Workers`. Events are told of as the results of pieces are taken."""
        from distributed.client import ClosedClientError

        away: set[Future] = set()

        def submitted() -> Iterator[Future]:
            for piece in pieces:
                try:
                    future = self.client.submit(_done, work, own_facts(), piece, pure=False)
                except ClosedClientError as error:
                    raise self._gone() from error
                away.add(future)
                yield future

        self._seen = time.monotonic()
        try:
            for future in in_order(submitted(), self._most, self._look):
                result, events = self._result(future)
                away.discard(future)
                tell(events)
                yield result
        finally:
            if self.client.status == "running":
                self.client.cancel(list(away))

    @property
    def _most(self) -> int:
        return IN_FLIGHT * max(1, len(self.threads))

    def _look(self, future: Future) -> int:
        """Wait for a piece a while, and see which workers are there."""
        from distributed import wait

        with suppress(TimeoutError, CancelledError):
            wait(future, timeout=SECONDS_BETWEEN_LOOKS)
        with suppress(OSError):
            self.threads = self.client.nthreads() if self.client.status == "running" else {}
        now = time.monotonic()
        if self.threads:
            self._seen = now
        elif now - self._seen > SECONDS_WITHOUT_WORKERS and not future.done():
            raise ClusterError(
                f"{self.name}: expected workers, got none for {SECONDS_WITHOUT_WORKERS:g} s: start some; "
                f"{GOES_ON}"
            )
        return self._most

    def _gone(self) -> ClusterError:
        return ClusterError(
            f"{self.name}: expected a scheduler, got none any more: start it again; {GOES_ON}"
        )

    def _result(self, future: Future) -> Any:
        from distributed import KilledWorker

        try:
            return future.result()
        except KilledWorker as error:
            raise ClusterError(
                f"{self.name}: expected a worker that finishes its work, got "
                f"{error.allowed_failures + 1} that ended during the same, by want of memory perhaps: "
                f"give them more; {GOES_ON}"
            ) from error
        except CancelledError as error:
            raise self._gone() from error
        except ModuleNotFoundError as error:
            raise UnlikeWorkersError(
                f"{self.name}: expected workers with nuzoo, got one without {error.name}: install it there"
            ) from error


@cache
def own_facts() -> Facts:
    """Return what of this process decides the bytes that it makes."""
    facts: Facts = _asked()(PACKAGES, [])[0]
    return facts


def _done(work: Work[Piece, Result], facts: Facts, piece: Piece) -> tuple[Result, int]:
    """Do a piece in a worker; it may have come after the others were checked."""
    if different := _differences(own_facts(), facts):
        raise UnlikeWorkersError(f"a worker on {os.uname().nodename}: {different}")
    told: list[int] = []
    with _ONE_AT_A_TIME:
        return work(told.append, piece), sum(told)


def _asked() -> Callable[[Sequence[str], Sequence[str]], tuple[dict[str, str], list[str]]]:
    """Make what a worker is asked; its code is sent along, since it may have no nuzoo to find it in."""

    def facts_and_missing(packages: Sequence[str], paths: Sequence[str]) -> tuple[dict[str, str], list[str]]:
        import sys
        from importlib.metadata import PackageNotFoundError, version
        from pathlib import Path

        facts = {"Python": ".".join(map(str, sys.version_info[:2]))}
        for name in packages:
            try:
                facts[name] = version(name).partition("+")[0]
            except PackageNotFoundError:
                facts[name] = "none"
        try:
            from nuzoo.simulation import SOURCE_DIGEST
        except ImportError:
            facts["nuzoo"] = "none"
        else:
            facts["SOURCE_DIGEST"] = SOURCE_DIGEST
        return facts, [path for path in paths if not Path(path).exists()]

    return facts_and_missing


def _check(place: ClusterPlace, answers: Mapping[str, Any], own: Facts) -> None:
    """Refuse workers that would make other bytes, or do not see files."""
    for worker, answer in answers.items():
        if isinstance(answer, BaseException):
            raise UnlikeWorkersError(f"{place.name}: worker {worker}: expected an answer, got {answer!r}")
        facts, missing = answer
        if different := _differences(facts, own):
            raise UnlikeWorkersError(f"{place.name}: worker {worker}: {different}")
        if missing:
            raise UnlikeWorkersError(
                f"{place.name}: worker {worker}: expected to see {', '.join(missing)}, got no such file there"
                ": take folders that all machines share"
            )


def _differences(facts: Facts, own: Facts) -> str:
    if facts.get("nuzoo") == "none":
        return "expected nuzoo, got none: install it where the worker runs"
    names = [name for name in own if facts.get(name) != own[name]]
    told = ", ".join(f"{name} {own[name]}" for name in names)
    got = ", ".join(str(facts.get(name)) for name in names)
    return f"expected {told}, as here, got {got}: install the same there" if names else ""


def _start(place: ClusterPlace) -> Any:
    kind = KINDS[place.kind]
    if kind.command and which(kind.command) is None:
        raise NoClusterError(
            f"{place.name}: expected the command {kind.command}, got none on this machine: start "
            "it where jobs are submitted"
        )
    cluster_class, *_ = kind.load()
    try:
        return cluster_class(**place.options)
    except Exception as error:  # each kind has its own, and those of asyncssh, of sbatch and of the system
        told = " ".join(str(error).split()) or type(error).__name__
        raise NoClusterError(f"{place.name}: expected a cluster of kind {place.kind}, got: {told}") from error


def _await_workers(client: Client, place: ClusterPlace) -> None:
    try:
        client.wait_for_workers(1, timeout=place.wait_seconds)
    except TimeoutError as error:
        raise NoClusterError(
            f"{place.name}: expected workers within {place.wait_seconds:g} s, got none: "
            + (
                "give more wait_seconds, or see the logs of its jobs"
                if place.kind
                else "start some, `dask worker`"
            )
        ) from error


@contextmanager
def _token(written: Path) -> Iterator[Path]:
    """Give a file where something is to be written, which those see who share that place."""
    folder = next(path for path in (written, *written.parents) if path.is_dir())
    token = folder / f".nuzoo-{secrets.token_hex(4)}{PARTIAL}"
    token.touch()
    try:
        yield token
    finally:
        token.unlink(missing_ok=True)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold back Ctrl-C, which goes to all processes of a terminal, from what is started in the block."""
    resource_tracker.ensure_running()  # which would let it through to the process that is started next
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
