"""Find events like one: the nearest by what a network sees in them, as a table and a page of displays.

The nearest are by the cosine between the mean features of the network without its head. With --particle they
are particles like one of the event's. It needs `pip install nuzoo[retrieval]`.
"""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

from nuzoo.command_parser import CommandLineError, at_least
from nuzoo.files.output_folder import check_output
from nuzoo.files.places import check_place
from nuzoo.pipelines.loading import resolve_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--model", required=True, help="model folder or repository")
    parser.add_argument("--data", required=True, help="dataset folder or repository")
    parser.add_argument("--split", default="test", help="split to search in (default: test)")
    parser.add_argument("--like", required=True, metavar="EVENT", help="event id")
    parser.add_argument("--particle", type=at_least(0), help="row of a particle of it: find such particles")
    parser.add_argument("--number", type=at_least(1), default=10, help="how many (default: 10)")
    parser.add_argument("--batch-size", type=at_least(1), default=16)
    parser.add_argument("--out", type=Path, default=Path("retrieved"), help="folder (default: retrieved)")
    parser.add_argument(
        "--sample", help="what the events are called; that they are simulated is said beside it"
    )


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    if find_spec("faiss") is None:
        raise CommandLineError("expected the package faiss-cpu, got none: pip install nuzoo[retrieval]")
    check_place(args.data, "dataset")
    args.model = resolve_model(args.model)
    check_output(args.out)
    return f"looking for events like {args.like} in {args.data}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.evaluation.core.events import read_splits
    from nuzoo.evaluation.retrieval.retrieve import retrieve

    if args.split == "all":
        raise CommandLineError("--split: expected the name of a split, got all")
    rows = read_splits(args.data, args.split)[args.split]
    options = {"particle": args.particle, "number": args.number, "batch_size": args.batch_size}
    for path in retrieve(args.model, rows, args.like, args.out, sample=args.sample, **options):
        print(path)
    return 0
