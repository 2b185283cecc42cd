"""Turn real detector files into a folder of Parquet shards that `datasets.load_dataset` reads.

Pixel maps, the format if none is named: DUNE CVN files (.gz with .info), <event>_xz.png and <event>_yz.png
with <event>_pid.txt, HDF5 (images, pids), .npy and .npz arrays, Parquet, open data of OPERA (.npz), frames of
Wire-Cell (.tar, .tar.bz2, .npz), and folders of these. What the numbers in a column of labels mean is decided
once for the column and said. Point clouds: --format pilarnet-m (HDF5), pilarnet-2020 (HDF5 of larcv3),
scintillator-particles (.pt of Zenodo 7347562), lartpc-cubes (HDF5 of ndlar_flow, .json and .zip of Bee).
Events of several detectors in a row: --format fasercal (.npz of single events, and .tar of them).

Events that cannot be read are left out and listed in left-out.csv. The exit status is 0 although single
events of a file are left out, 3 if there was nothing to read in a file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nuzoo.command_parser import at_least
from nuzoo.commands.cluster_option import add_cluster_option, asked_cluster, check_cluster
from nuzoo.commands.inputs import check_apart, check_files, listed
from nuzoo.commands.options import PARTIAL, add_reading_options, check_options, tell_empty
from nuzoo.files.names import LEFT_OUT_FILE
from nuzoo.files.output_folder import check_output
from nuzoo.files.plain_text import counted
from nuzoo.registry import DATASETS, import_object


def conversions() -> dict[str, str]:
    """Return the path of the function that reads each dataset that files are known of, by its name."""
    return {name: row.convert for name, row in DATASETS.items() if row.convert}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    formats = list(conversions())
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files and folders")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument(
        "--format",
        choices=formats,
        default=formats[0],
        help=f"the dataset that they become (default: {formats[0]})",
    )

    def option(name: str, **arguments: object) -> None:
        parser.add_argument(name, default=argparse.SUPPRESS, **arguments)  # type: ignore[arg-type]

    add_reading_options(parser)
    add_cluster_option(parser)
    option(
        "--vertices",
        action="store_true",
        help="refuse files of PILArNet-M whose vertices are not in the frame of their points",
    )
    option(
        "--least-hits",
        type=at_least(0),
        help="leave out events with fewer hits that are no ghosts (default: 0)",
    )
    option(
        "--ghosts",
        choices=("status", "unmatched"),
        help="what a ghost is: by its status, or every hit without a true particle (default: status)",
    )
    option(
        "--split-fractions",
        type=_fractions,
        metavar="train=0.8,…",
        help="share of each split (default: train=0.9,validation=0.05,test=0.05)",
    )
    option(
        "--manifests", type=Path, help="folder of train.txt, validation.txt and test.txt, an event id a line"
    )


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    check_files(args.files)
    check_apart(args.out, args.files)
    check_output(args.out)
    check_cluster(args)
    return f"reading {listed(args.files)} into {args.out}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.datasets_scripts.common.converted import told_apart

    options = dict(vars(args))
    name, out, files = (options.pop(key) for key in ("format", "out", "files"))
    convert = import_object(conversions()[name])
    check_options(convert, options, name)
    with asked_cluster(args, out, files) as cluster:
        made = convert(out, files, **options | ({"cluster": cluster} if cluster else {}))
    for line in made.notes:
        print(line)
    for line in told_apart(made.left_out, made.passed_over):
        print(line, file=sys.stderr)
    splits = ", ".join(f"{events:,} {split}" for split, events in made.manifest["splits"].items())
    total = sum(made.manifest["splits"].values())
    print(f"converted {counted(total, 'event')} ({splits}), left out {len(made.left_out):,}")
    if len(made.left_out) or len(made.passed_over):
        print(f"left out: all of it is in {out / LEFT_OUT_FILE}", file=sys.stderr)
    tell_empty(made.manifest["splits"], "convert more, or give other --split-fractions")
    print(f"dataset: {out}")
    return PARTIAL if made.lost else 0


def _fractions(text: str) -> dict[str, float]:
    pairs = [pair.partition("=") for pair in text.split(",")]
    try:
        return {name.strip(): float(fraction) for name, _, fraction in pairs}
    except ValueError as error:
        example = "train=0.8,validation=0.1,test=0.1"
        raise argparse.ArgumentTypeError(f"expected numbers, as in {example}, got {text!r}") from error
