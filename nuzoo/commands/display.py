"""Draw events as PNG and as self-contained interactive HTML pages.

SOURCE is a dataset folder, a repository, or detector files as `nuzoo predict` reads them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nuzoo.commands.inputs import check_files, listed, place_of_model
from nuzoo.files.output_folder import check_output
from nuzoo.files.places import check_place
from nuzoo.registry import MODALITIES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("source", nargs="+", metavar="SOURCE")
    parser.add_argument("--split", default="test", help="split of a dataset (default: test)")
    parser.add_argument("--event", action="append", help="event id; may be repeated (default: the first)")
    parser.add_argument("--number", type=int, default=4, help="how many without --event (default: 4)")
    parser.add_argument("--model", help="model folder or repository, to show its predictions")
    parser.add_argument("--modality", choices=MODALITIES, help="of the events in files (default: the first)")
    parser.add_argument("--out", type=Path, default=Path("displays"), help="folder (default: displays)")
    parser.add_argument("--sample", help="what the events are called, unless they are nuzoo's simulation")


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    if len(args.source) == 1 and not Path(args.source[0]).is_file():
        check_place(args.source[0], "dataset")
    else:
        check_files([Path(file) for file in args.source])
    if args.model is not None:
        args.model = place_of_model(args.model)
    check_output(args.out)
    return f"drawing events of {listed(args.source)} into {args.out}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.evaluation.display.draw_events import choose_rows, draw_events, read_rows

    rows = list(choose_rows(read_rows(args.source, args.split, args.modality), args.event, args.number))
    if not rows:
        raise ValueError(f"no such events in {' '.join(args.source)}: {args.event or 'it is empty'}")
    for path in draw_events(rows, args.out, model=args.model, sample=args.sample, modality=args.modality):
        print(path)
    return 0
