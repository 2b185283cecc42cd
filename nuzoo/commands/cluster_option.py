"""The option `--cluster`: whose workers do the work of a command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from nuzoo.command_parser import CommandLineError

if TYPE_CHECKING:
    from nuzoo.datasets_scripts.workers.workers import Workers


def add_cluster_option(parser: argparse.ArgumentParser) -> None:
    """Let a command give its work to a cluster of Dask."""
    parser.add_argument(
        "--cluster",
        default=argparse.SUPPRESS,
        metavar="ADDRESS or FILE",
        help="workers of Dask: tcp://…, or a YAML file (kind: local, ssh or slurm), see docs/cluster.md",
    )


def check_cluster(args: argparse.Namespace) -> None:
    """Refuse a cluster that the arguments alone show to be none; put where it is in its place.

    Raises:
        CommandLineError: Processes of this machine are asked for too.
        ClusterError: See `find_cluster`.
    """
    if not hasattr(args, "cluster"):
        return
    from nuzoo.datasets_scripts.workers.cluster_file import find_cluster

    if hasattr(args, "num_proc"):
        raise CommandLineError(
            "--cluster, --num-proc: expected one of them, got both; the cluster says how many workers it has"
        )
    args.cluster = find_cluster(args.cluster)


@contextmanager
def asked_cluster(
    args: argparse.Namespace, written: Path, read: Sequence[Path] = ()
) -> Iterator[Workers | None]:
    """Open the cluster that was asked for, if one was; see `cluster_of`."""
    if not hasattr(args, "cluster"):
        yield None
        return
    from nuzoo.datasets_scripts.workers.cluster import cluster_of

    with cluster_of(args.cluster, written, read) as workers:
        print(f"working on {workers.told()}", file=sys.stderr, flush=True)
        yield workers
