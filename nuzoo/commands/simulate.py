"""Simulate detector events into a folder of Parquet shards that `datasets.load_dataset` reads.

With --interactions the final states of another generator are transported instead of our own: a file of
GENIE (gRooTracker or gst trees), GiBUU (RootTuple), NuHepMC, or a Parquet table. With --deposits energy
deposits of Geant4 are recorded (ROOT and HDF5 of edep-sim, HDF5 of larnd-sim). Formats are recognised by
content. Events that cannot be used are left out and listed in left-out.csv.

Killed at any moment, the same command goes on and ends with the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.command_parser import CommandLineError, at_least
from nuzoo.commands.cluster_option import add_cluster_option, asked_cluster, check_cluster
from nuzoo.commands.inputs import check_apart, check_files
from nuzoo.files.names import LEFT_OUT_FILE
from nuzoo.files.output_folder import check_output
from nuzoo.files.plain_text import counted
from nuzoo.registry import DATASETS, import_object

if TYPE_CHECKING:
    from nuzoo.datasets_scripts.common.given_events import GivenDataset


def simulations() -> dict[str, str]:
    """Return the path of the function that simulates each dataset that can be, by its name."""
    return {name: row.simulate for name, row in DATASETS.items() if row.simulate}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    absent = argparse.SUPPRESS
    parser.add_argument("dataset", choices=simulations())
    parser.add_argument(
        "--events",
        type=at_least(1),
        default=absent,
        help="how many events; of a file at most so many (default: all of it)",
    )
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
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--interactions", type=Path, default=absent, metavar="FILE", help="of a generator")
    source.add_argument(
        "--deposits", type=Path, default=absent, metavar="FILE", help="of energy in a detector"
    )
    parser.add_argument(
        "--place",
        default=absent,
        choices=("centred", "kept"),
        help="each event's deposits in the middle of the detector, or where they are (default: the first)",
    )
    parser.add_argument(
        "--sensitive",
        nargs="+",
        default=absent,
        metavar="NAME",
        help="deposits in these sensitive detectors of edep-sim alone (default: in all)",
    )
    parser.add_argument("--spectrum", default=absent, help="flat-0-10 or broad-0.5-40 (default: the first)")


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    if hasattr(args, "detector"):
        from nuzoo.simulation.detectors import find_detector

        find_detector(args.detector)
    check_output(args.out)
    check_cluster(args)
    file = _file(args)
    if file is None and not hasattr(args, "events"):
        raise CommandLineError(
            "--events: expected a number of events, or --interactions or --deposits, got none"
        )
    if file is not None:
        check_files([file])
        check_apart(args.out, [file])
    events = counted(args.events, "event") if hasattr(args, "events") else "all events"
    return f"simulating {events} of {args.dataset if file is None else file} into {args.out}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.commands.options import check_options, tell_empty
    from nuzoo.datasets_scripts.common.compilation import telling_of_compilation

    options = dict(vars(args))
    dataset, out = options.pop("dataset"), options.pop("out").absolute()
    file = _file(args)
    if file is None:
        simulate = import_object(simulations()[dataset])
        check_options(simulate, options, dataset)
    else:
        if (path := DATASETS[dataset].given) is None:
            known = ", ".join(name for name, row in DATASETS.items() if row.given)
            raise CommandLineError(
                f"{dataset}: expected a dataset that begins with a file ({known}), got this"
            )
        simulate = import_object(path)
        check_options(simulate.__call__, options, f"{dataset} of a file")
    with (
        asked_cluster(args, out, [] if file is None else [file]) as cluster,
        telling_of_compilation(_tell_compiling),
    ):
        made = simulate(out, **options | ({"cluster": cluster} if cluster else {}))
    manifest = made if file is None else _told(made, out)
    splits = ", ".join(f"{events} {split}" for split, events in manifest["splits"].items())
    print(f"dataset: {args.out} ({splits})")
    remedy = "simulate more" if file is None else "give more of them, or name one with --split"
    tell_empty(manifest["splits"], remedy)
    return 0


def _file(args: argparse.Namespace) -> Path | None:
    """Return the file that the events begin with, if there is one."""
    file: Path | None = getattr(args, "interactions", None) or getattr(args, "deposits", None)
    return file


def _told(made: GivenDataset, out: Path) -> Mapping[str, Any]:
    """Say what became of a file; give the manifest."""
    for line in made.notes:
        print(line)
    for line in made.left_out.told():
        print(line, file=sys.stderr)
    if len(made.left_out):
        print(f"left out: all of it is in {out / LEFT_OUT_FILE}", file=sys.stderr)
    return made.manifest


def _tell_compiling() -> None:
    from tqdm.auto import tqdm

    tqdm.write("compiling the simulation, once on this machine: up to two minutes", file=sys.stderr)
