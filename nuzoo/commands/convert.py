"""Turn real detector files into a folder of Parquet shards that `datasets.load_dataset` reads.

Reads DUNE CVN files (.gz with .info), <event>_xz.png and <event>_yz.png with <event>_pid.txt, HDF5 (images,
pids), .npy and .npz arrays, and folders of these. Files that cannot be read are listed and left out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nuzoo.files.output_folder import check_output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Says what the command takes."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files and folders")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--detector", help="whose events these are; inferred from the arrays by default")
    parser.add_argument("--mev-per-count", type=float, help="energy of one count in 8-bit files, MeV")


def run(args: argparse.Namespace) -> int:
    """Does it."""
    from nuzoo.datasets_scripts.lartpc_pixelmaps import convert_files

    check_output(args.out)
    manifest, left_out = convert_files(
        args.out, args.files, detector=args.detector, mev_per_count=args.mev_per_count
    )
    for item in left_out:
        print(f"left out {item.path}: {item.error}", file=sys.stderr)
    print(f"converted {sum(manifest['splits'].values())} events, left out {len(left_out)}")
    print(f"dataset: {args.out}")
    return 0
