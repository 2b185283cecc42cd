"""Turn real detector files into a folder of Parquet shards that `datasets.load_dataset` reads.

Reads DUNE CVN files (.gz with .info), <event>_xz.png and <event>_yz.png with <event>_pid.txt, HDF5 (images,
pids), .npy and .npz arrays, and folders of these. Files that cannot be read are listed and left out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nuzoo.commands.inputs import check_files, listed
from nuzoo.files.output_folder import check_output
from nuzoo.registry import DATASETS, import_object


def conversions() -> dict[str, str]:
    """Return the path of the function that reads each dataset that files are known of, by its name."""
    return {name: row.convert for name, row in DATASETS.items() if row.convert}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    absent, formats = argparse.SUPPRESS, list(conversions())
    one = {"default": formats[0]} if len(formats) == 1 else {"required": True}
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files and folders")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--format", choices=formats, **one, help="the dataset that they become")
    parser.add_argument("--detector", default=absent, help="whose events these are (default: by the arrays)")
    parser.add_argument("--mev-per-count", type=float, default=absent, help="MeV of one count in 8-bit files")


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    check_files(args.files)
    check_output(args.out)
    return f"reading {listed(args.files)} into {args.out}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.commands.options import check_options

    options = vars(args)
    name, out, files = (options.pop(key) for key in ("format", "out", "files"))
    convert = import_object(conversions()[name])
    check_options(convert, options, name)
    manifest, left_out = convert(out, files, **options)
    for item in left_out:
        print(f"left out {item.path}: {item.error}", file=sys.stderr)
    print(f"converted {sum(manifest['splits'].values())} events, left out {len(left_out)}")
    print(f"dataset: {out}")
    return 0
