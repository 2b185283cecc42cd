"""Where a cluster is: an address, or a YAML file of one that is started for a command and closed after it.

A file says of which `kind` it is, and the keyword arguments of the class of Dask that this stands for.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from nuzoo.datasets_scripts.workers.cluster_errors import ClusterFileError, ClusterPackageError
from nuzoo.files.each_field_once import EachFieldOnce
from nuzoo.files.nearest_names import did_you_mean

LARGEST_FILE = 1 << 20
SCHEMES = ("tcp", "tls", "ucx", "ws", "wss")
PACKAGES = ("distributed", "dask_jobqueue")

NO_DATA = {
    "args",
    "asynchronous",
    "blocked_handlers",
    "io_loop",
    "job_cls",
    "kwargs",
    "loop",
    "plugins",
    "preload_nanny_argv",
    "scheduler",
    "scheduler_cls",
    "scheduler_file",
    "scheduler_ip",
    "scheduler_port",
    "security",
    "self",
    "service_kwargs",
    "services",
    "start",
    "worker_class",
    "worker_kwargs",
    "worker_services",
}
"""Keyword arguments that are Python objects, or that the class sets itself."""

WAIT = "wait_seconds"
"""The one field beside `kind` that is ours."""


@dataclass(frozen=True)
class ClusterKind:
    """What `kind` stands for.

    Attributes:
        load: Imports the class, and those that it hands keyword arguments on to.
        needed: Keyword arguments that it cannot be without.
        usual: Those that it gets unless a file says otherwise.
        wait_seconds: How long its first worker is waited for.
        command: That it runs on this machine.
    """

    load: Callable[[], Sequence[Callable[..., Any]]]
    needed: tuple[str, ...]
    usual: Mapping[str, Any]
    wait_seconds: float
    command: str = ""

    def known(self) -> list[str]:
        """Return the keyword arguments that it takes."""
        names = {name for each in self.load() for name in inspect.signature(each).parameters}
        return sorted(names - NO_DATA)


@dataclass(frozen=True)
class ClusterPlace:
    """A cluster that may not be there yet.

    Attributes:
        name: What it was called: an address or a file.
        kind: A name in `KINDS`; empty of an address.
        options: Keyword arguments of its class.
        wait_seconds: How long its first worker is waited for.
    """

    name: str
    kind: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    wait_seconds: float = 10.0


def _local() -> Sequence[Callable[..., Any]]:
    from distributed import LocalCluster, Nanny, Worker

    return LocalCluster, Nanny, Worker


def _ssh() -> Sequence[Callable[..., Any]]:
    from distributed import SSHCluster

    return (SSHCluster,)


def _slurm() -> Sequence[Callable[..., Any]]:
    from dask_jobqueue import SLURMCluster
    from dask_jobqueue.core import Job
    from dask_jobqueue.slurm import SLURMJob

    return SLURMCluster, Job, SLURMJob


KINDS = {
    "local": ClusterKind(
        _local, (), {"threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": 50}, 60.0
    ),
    "ssh": ClusterKind(_ssh, ("hosts",), {"connect_options": {"connect_timeout": 10}}, 60.0),
    "slurm": ClusterKind(_slurm, ("n_workers", "cores", "memory"), {}, 600.0, "sbatch"),
}


def find_cluster(name: str) -> ClusterPlace:
    """Find out where a cluster is; nothing is started and nobody is asked.

    Args:
        name: An address such as tcp://10.0.0.1:8786, or a YAML file.

    Raises:
        ClusterPackageError: Dask is not installed.
        ClusterFileError: No such file, no address, or fields that are unknown, missing or of another type.
    """
    if missing := [package for package in PACKAGES if find_spec(package) is None]:
        raise ClusterPackageError(
            f"--cluster: expected the packages {' and '.join(PACKAGES)}, got no {' and no '.join(missing)}: "
            "pip install 'nuzoo[cluster]'"
        )
    if "://" in name:
        return _address(name)
    try:
        return _described(name, Path(name))
    except (OSError, yaml.YAMLError, RecursionError, ValueError) as error:
        raise ClusterFileError(f"{name}: {' '.join(str(error).split())}") from error


def _address(name: str) -> ClusterPlace:
    try:
        parts = urlsplit(name)
        is_address = parts.scheme in SCHEMES and bool(parts.hostname) and parts.port is not None
    except ValueError:
        is_address = False
    if not is_address:
        raise ClusterFileError(
            f"{name}: expected the address of a scheduler, such as tcp://10.0.0.1:8786 "
            f"({', '.join(SCHEMES)}), got something else: `dask scheduler` says its own"
        )
    return ClusterPlace(name)


def _described(name: str, file: Path) -> ClusterPlace:
    if not file.is_file():
        raise ValueError("expected a YAML file or an address such as tcp://10.0.0.1:8786, got no such file")
    if file.stat().st_size > LARGEST_FILE:
        raise ValueError(f"expected the description of a cluster, got more than {LARGEST_FILE} bytes")
    content = yaml.load(file.read_text(encoding="utf-8"), EachFieldOnce)
    if not isinstance(content, dict):
        raise ValueError(
            f"expected fields, kind: {' or '.join(KINDS)} among them, got {type(content).__name__}"
        )
    if (kind := content.pop("kind", None)) not in KINDS:
        raise ValueError(
            f"kind: expected one of {', '.join(KINDS)}, got {kind!r}{did_you_mean([kind], KINDS)}"
        )
    found = KINDS[kind]
    seconds = content.pop(WAIT, found.wait_seconds)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < float("inf"):
        raise ValueError(f"{WAIT}: expected a positive number of seconds, got {seconds!r}")
    _check_options(kind, content)
    return ClusterPlace(name, kind, {**found.usual, **content}, float(seconds))


def _check_options(kind: str, options: Mapping[Any, Any]) -> None:
    known, needed = KINDS[kind].known(), KINDS[kind].needed
    if unknown := [str(name) for name in options if name not in known]:
        meant = did_you_mean(unknown, [*known, WAIT])
        raise ValueError(
            f"{', '.join(unknown)}: a cluster of kind {kind} has no such field{meant or ', its own are '}"
            f"{'' if meant else ', '.join([WAIT, *known])}"
        )
    if missing := [name for name in needed if options.get(name) is None]:
        raise ValueError(f"{', '.join(missing)}: a cluster of kind {kind} needs a value, got none")
    if kind == "slurm" and not (type(options["n_workers"]) is int and options["n_workers"] > 0):
        raise ValueError(f"n_workers: expected 1 or more, which are started, got {options['n_workers']!r}")
