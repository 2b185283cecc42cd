"""Simulate detector events into a folder of Parquet shards that `datasets.load_dataset` reads.

Killed at any moment, the same command goes on and ends with the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nuzoo.command_parser import at_least
from nuzoo.commands.cluster_option import add_cluster_option, asked_cluster, check_cluster
from nuzoo.files.output_folder import check_output
from nuzoo.files.plain_text import counted
from nuzoo.registry import DATASETS, import_object


def simulations() -> dict[str, str]:
    """Return the path of the function that simulates each dataset that can be, by its name."""
    return {name: row.simulate for name, row in DATASETS.items() if row.simulate}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    absent = argparse.SUPPRESS
    parser.add_argument("dataset", choices=simulations())
    parser.add_argument("--events", type=at_least(1), required=True, help="how many events")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--num-proc", type=at_least(1), default=absent, help="processes (default: 1)")
    add_cluster_option(parser)
    parser.add_argument(
        "--seed", type=at_least(0), default=absent, help="seed of the simulation (default: 0)"
    )
    parser.add_argument(
        "--detector",
        default=absent,
        help="a name of `nuzoo detectors`, or a YAML file (default: the dataset's)",
    )
    parser.add_argument(
        "--shard-size", type=at_least(1), default=absent, help="events in a file at most (default: 500)"
    )
    parser.add_argument("--spectrum", default=absent, help="flat-0-10 or broad-0.5-40 (default: the first)")


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    if hasattr(args, "detector"):
        from nuzoo.simulation.detectors import find_detector

        find_detector(args.detector)
    check_output(args.out)
    check_cluster(args)
    return f"simulating {counted(args.events, 'event')} of {args.dataset} into {args.out}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.commands.options import check_options, tell_empty
    from nuzoo.datasets_scripts.common.compilation import telling_of_compilation

    options = dict(vars(args))
    dataset, out = options.pop("dataset"), options.pop("out").absolute()
    simulate = import_object(simulations()[dataset])
    check_options(simulate, options, dataset)
    with asked_cluster(args, out) as cluster, telling_of_compilation(_tell_compiling):
        manifest = simulate(out, **options | ({"cluster": cluster} if cluster else {}))
    splits = ", ".join(f"{events} {split}" for split, events in manifest["splits"].items())
    print(f"dataset: {args.out} ({splits})")
    tell_empty(manifest["splits"], "simulate more")
    return 0


def _tell_compiling() -> None:
    from tqdm.auto import tqdm

    tqdm.write("compiling the simulation, once on this machine: up to two minutes", file=sys.stderr)
