"""Draw events as PNG, PDF and self-contained interactive HTML pages, with one page that shows them all.

SOURCE is a dataset folder, a repository, or detector files as `nuzoo predict` reads them. What cannot be
drawn is left out, and listed in left-out.csv beside the pictures.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.commands.options import PARTIAL, add_reading_options, reading_options, tell_left_out
from nuzoo.files.names import LEFT_OUT_FILE
from nuzoo.files.output_folder import check_output
from nuzoo.registry import MODALITIES, import_object

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from nuzoo.files.left_out import Omission


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("source", nargs="+", metavar="SOURCE")
    parser.add_argument("--split", default="test", help="split of a dataset (default: test)")
    parser.add_argument("--event", action="append", help="event id; may be repeated (default: the first)")
    parser.add_argument("--number", type=int, default=4, help="how many without --event (default: 4)")
    parser.add_argument("--model", help="model folder or repository, to show its predictions")
    parser.add_argument("--modality", choices=MODALITIES, help="of the events in files (default: the first)")
    add_reading_options(parser)
    parser.add_argument("--out", type=Path, default=Path("displays"), help="folder (default: displays)")
    parser.add_argument(
        "--sample", help="what the events are called; that they are simulated is said beside it"
    )


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.evaluation.display.draw_events import choose_rows, draw_events

    if args.number < 1:
        raise ValueError(f"--number: expected 1 or more, got {args.number}")
    check_output(args.out)
    left_out: list[Omission] = []
    source = _read(args, left_out)
    rows = list(choose_rows(source, args.event, args.number))
    source.close()
    options = {"model": args.model, "sample": args.sample, "modality": args.modality}
    paths = draw_events(rows, args.out, left_out=left_out, **options)
    for path in paths:
        print(path)
    tell_left_out(left_out, args.out / LEFT_OUT_FILE)
    if not (rows or left_out):
        raise ValueError(f"no events in {' '.join(args.source)}: it is empty")
    if not paths:
        return 1
    return PARTIAL if left_out else 0


def _read(args: argparse.Namespace, left_out: list[Omission]) -> Generator[Mapping[str, Any], None, None]:
    from nuzoo.evaluation.display.draw_events import is_dataset, read_dataset, read_files

    modality = args.modality or next(iter(MODALITIES))
    options = reading_options(args, import_object(MODALITIES[modality].reader), modality)
    if not is_dataset(args.source):
        return read_files(args.source, modality, left_out, **options)
    if options:
        given = ", ".join(f"--{name.replace('_', '-')}" for name in options)
        raise ValueError(f"{given}: {args.source[0]} is a dataset, which says so itself: leave it out")
    return read_dataset(args.source[0], args.split)
