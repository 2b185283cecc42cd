"""Draw events as PNG, PDF and self-contained interactive HTML pages, with one page that shows them all.

SOURCE is a dataset folder, a repository, or detector files as `nuzoo predict` reads them. What cannot be
drawn is left out, and listed in left-out.csv beside the pictures.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from nuzoo.command_parser import CommandLineError, at_least
from nuzoo.commands.inputs import check_files, listed
from nuzoo.commands.options import (
    PARTIAL,
    add_reading_options,
    reading_options,
    tell_left_out,
    tell_reading,
)
from nuzoo.files.names import LEFT_OUT_FILE
from nuzoo.files.output_folder import check_output
from nuzoo.files.places import check_place
from nuzoo.pipelines.loading import resolve_model
from nuzoo.registry import MODALITIES, import_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nuzoo.files.left_out import Omission


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("source", nargs="+", metavar="SOURCE")
    parser.add_argument("--split", help="split of a dataset (default: test, or the first that there is)")
    parser.add_argument("--event", action="append", help="event id; may be repeated (default: the first)")
    parser.add_argument("--number", type=at_least(1), default=4, help="how many without --event (default: 4)")
    parser.add_argument("--model", help="model folder or repository, to show its predictions")
    parser.add_argument(
        "--modality",
        choices=MODALITIES,
        help="of the events in files (default: by the columns of Parquet, else the first)",
    )
    add_reading_options(parser)
    parser.add_argument("--out", type=Path, default=Path("displays"), help="folder (default: displays)")
    parser.add_argument(
        "--sample", help="what the events are called; that they are simulated is said beside it"
    )


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    if len(args.source) == 1 and not Path(args.source[0]).is_file():
        check_place(args.source[0], "dataset")
    else:
        check_files([Path(file) for file in args.source])
    if args.model is not None:
        resolve_model(args.model)
    check_output(args.out)
    return f"drawing events of {listed(args.source)} into {args.out}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.evaluation.display.draw_events import (
        choose_rows,
        draw_events,
        is_dataset,
        modality_of_files,
        read_dataset,
        read_files,
    )
    from nuzoo.pipelines.loading import load_pipeline
    from nuzoo.pipelines.reading import reading_for

    pipeline = None if args.model is None else load_pipeline(args.model)
    sources = [Path(file) for file in args.source]
    told = pipeline.image_processor.modality if pipeline else modality_of_files(sources)
    modality = args.modality or told or next(iter(MODALITIES))
    if pipeline is not None and pipeline.image_processor.modality != modality:
        raise CommandLineError(
            f"--modality: expected {pipeline.image_processor.modality}, which {args.model} reads, got "
            f"{modality}: leave --model out to draw the events alone"
        )
    reader = import_object(MODALITIES[modality].reader)
    options = reading_options(args, reader, modality)
    left_out: list[Omission] = []
    if is_dataset(args.source):
        _refuse_reading(args.source[0], options)
        rows = list(choose_rows(read_dataset(args.source[0], args.split), args.event, args.number))
    else:
        suited = {} if pipeline is None else reading_for(pipeline, reader)
        files = reader(sources, truth=False, **(suited | options))
        rows = list(choose_rows(read_files(files), args.event, args.number))
        left_out = tell_reading(files)
    if not (rows or left_out):
        raise ValueError(f"{' '.join(args.source)}: expected events, got none")
    shown = {"pipeline": pipeline, "sample": args.sample, "modality": args.modality}
    paths = draw_events(rows, args.out, left_out=left_out, **shown)
    for path in paths:
        print(path)
    tell_left_out(left_out, args.out / LEFT_OUT_FILE)
    if not paths:
        return 1
    return PARTIAL if left_out else 0


def _refuse_reading(dataset: str, options: Mapping[str, object]) -> None:
    if options:
        given = ", ".join(f"--{name.replace('_', '-')}" for name in options)
        raise CommandLineError(f"{given}: {dataset} is a dataset, which says so itself: leave it out")
