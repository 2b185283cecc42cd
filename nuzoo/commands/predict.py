"""Ask a model about the events in detector files and write one row per event.

Reads DUNE CVN files (.gz with .info), <event>_xz.png and <event>_yz.png, HDF5 (images, pids), .npy and .npz
arrays, OPERA's .npz, Wire-Cell frames, Parquet, and folders of these; for a model of point clouds HDF5 of
PILArNet, larcv3 and ndlar_flow, Bee, .pt, .npz and Parquet; for one of detector events .npz of FASERCal,
.tar of these, and Parquet. Writes event_id, what the model says (a classifier: label, score, the calibrated
probability of each class; a segmentation: lists with an entry for each hit; a reconstruction: classes, their
probabilities, momenta in GeV/c, the vertex in mm), what the file knows of the truth (classes as true_...,
neutrino_energy in GeV), and source, as .parquet, .csv or .jsonl. What cannot be read is left out, and listed
beside it: in p.left-out.csv beside p.csv.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.command_parser import CommandLineError, at_least
from nuzoo.commands.inputs import check_apart, check_files, listed
from nuzoo.commands.options import PARTIAL, add_reading_options, reading_options, tell_left_out, tell_reading
from nuzoo.files.errors import UnusableOutputError
from nuzoo.files.left_out import omissions_beside
from nuzoo.files.plain_text import counted
from nuzoo.pipelines.loading import resolve_model
from nuzoo.pipelines.written_tables import check_table_path, types_of, write_table

if TYPE_CHECKING:
    from nuzoo.files.events.event_schema import EventSchema

Row = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files and folders")
    parser.add_argument("--model", required=True, help="model folder or repository")
    default = Path("predictions.parquet")
    parser.add_argument("--out", type=Path, default=default, help="default: predictions.parquet")
    add_reading_options(parser)
    parser.add_argument("--batch-size", type=at_least(1), default=16)
    parser.add_argument(
        "--any-detector",
        action="store_true",
        help="take events of another detector than the model is made for: its answers are no measurement",
    )
    parser.add_argument(
        "--passes",
        type=at_least(2),
        default=argparse.SUPPRESS,
        help="ask so often with dropout, for errors of reconstructed quantities",
    )


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    check_files(args.files)
    try:
        check_table_path(args.out)
        omissions_beside(args.out)
    except UnusableOutputError:
        raise
    except ValueError as error:
        raise CommandLineError(f"--out: {error}") from error
    check_apart(args.out, args.files, endings=(".parquet",))
    resolve_model(args.model)
    return f"reading {listed(args.files)} for {args.model}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from tqdm.auto import tqdm

    from nuzoo.datasets_scripts.common.other_detectors import OtherDetectors
    from nuzoo.files.events.event_truth import LABEL_COLUMN
    from nuzoo.files.left_out import Omission
    from nuzoo.pipelines.loading import load_pipeline
    from nuzoo.pipelines.predictions import predict_rows
    from nuzoo.pipelines.reading import reading_for
    from nuzoo.registry import MODALITIES, import_object

    asking = {"passes": args.passes} if hasattr(args, "passes") else {}
    pipeline = load_pipeline(args.model, batch_size=args.batch_size, **asking)
    processor = pipeline.image_processor
    reader = import_object(MODALITIES[processor.modality].reader)
    options = reading_for(pipeline, reader) | reading_options(args, reader, processor.modality)
    files = reader(args.files, truth=False, **options)
    schema = processor.schema
    if "classes" in options:
        schema = schema.with_classes(LABEL_COLUMN.name, files.classes)
    refused: list[Omission] = []
    names: list[str] = []
    empty: list[str] = []
    others = OtherDetectors(vars(processor))
    rows = tqdm(files, desc="predict", unit="event")
    shown = _noting_empty(others.taken(rows) if args.any_detector else rows, schema, empty)
    predictions = _noting(predict_rows(pipeline, shown, refused, schema), names)
    if (first := next(predictions, None)) is not None:
        write_table(chain([first], predictions), args.out, types_of(pipeline, schema))
    left_out = tell_reading(files) + refused
    if not (names or left_out):
        raise ValueError(
            f"{listed(args.files)}: expected events, got no file of any (`nuzoo predict --help`)"
        )
    for line in others.told():
        print(line, file=sys.stderr)
    if repeated := len(names) - len(set(names)):
        print(
            f"warning: events with the event_id of another: {repeated}; the column source tells them apart",
            file=sys.stderr,
        )
    if empty:
        print(
            f"warning: events without hits: {len(empty)}, such as {empty[0]}; they are told from none",
            file=sys.stderr,
        )
    tell_left_out(left_out, omissions_beside(args.out))
    print(f"predicted {counted(len(names), 'event')}, left out {len(left_out)}")
    if not names:
        return 1
    print(f"predictions: {args.out}")
    return PARTIAL if left_out else 0


def _noting(rows: Iterable[Row], names: list[str]) -> Iterator[Row]:
    for row in rows:
        names.append(row["event_id"])
        yield row


def _noting_empty(rows: Iterable[Row], schema: EventSchema, names: list[str]) -> Iterator[Row]:
    hits = [column.name for column in schema.hits]
    for row in rows:
        lists = [row.get(name) for name in hits]
        if lists and all(values is not None and len(values) == 0 for values in lists):
            names.append(row["event_id"])
        yield row
