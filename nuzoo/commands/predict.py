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
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.command_parser import CommandLineError, at_least
from nuzoo.commands.cluster_option import add_cluster_option, asked_cluster, check_cluster
from nuzoo.commands.inputs import check_apart, check_files, listed
from nuzoo.commands.options import PARTIAL, add_reading_options, reading_options, tell_left_out, tell_reading
from nuzoo.files.errors import UnusableOutputError
from nuzoo.files.left_out import omissions_beside
from nuzoo.files.plain_text import counted
from nuzoo.pipelines.loading import resolve_model
from nuzoo.pipelines.written_tables import check_table_path, types_of, write_table

if TYPE_CHECKING:
    from nuzoo.datasets_scripts.workers.workers import Workers
    from nuzoo.files.events.event_schema import EventSchema
    from nuzoo.files.left_out import Omission

Row = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files and folders")
    parser.add_argument("--model", required=True, help="model folder or repository")
    default = Path("predictions.parquet")
    parser.add_argument("--out", type=Path, default=default, help="default: predictions.parquet")
    add_reading_options(parser)
    parser.add_argument("--batch-size", type=at_least(1), default=16)
    add_cluster_option(parser)
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
    check_cluster(args)
    resolve_model(args.model)
    return f"reading {listed(args.files)} for {args.model}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from tqdm.auto import tqdm

    from nuzoo.datasets_scripts.common.other_detectors import OtherDetectors
    from nuzoo.files.events.event_truth import LABEL_COLUMN
    from nuzoo.pipelines.predicted_blocks import AskedModel, in_blocks, predict_block
    from nuzoo.pipelines.read_ahead import read_ahead
    from nuzoo.pipelines.reading import reading_for
    from nuzoo.registry import MODALITIES, import_object

    asked = AskedModel(_place(args.model), args.batch_size, getattr(args, "passes", None))
    pipeline = asked.pipeline()
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
    others = OtherDetectors(processor.to_dict())
    events = others.taken(files) if args.any_detector else files
    with _workers(args) as workers, tqdm(desc="predict", unit="event") as bar:
        blocks = in_blocks(_noting_empty(events, schema, empty))
        with (
            closing(read_ahead(blocks)) as read,
            closing(workers.do(partial(predict_block, asked, schema), read, bar.update)) as answers,
        ):
            predictions = _noting(_told(answers, refused), names)
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


@contextmanager
def _workers(args: argparse.Namespace) -> Iterator[Workers]:
    """Give those who ask the model: this process, or a cluster, to which events go by files."""
    from nuzoo.datasets_scripts.workers.through_files import through_files
    from nuzoo.datasets_scripts.workers.workers import ThisProcess

    model = Path(args.model)
    with asked_cluster(args, args.out, [model] if model.is_dir() else []) as cluster:
        if cluster is None:
            yield ThisProcess()
            return
        args.out.parent.mkdir(parents=True, exist_ok=True)
        with through_files(cluster, args.out) as workers:
            yield workers


def _place(model: str) -> str:
    """Give the folder of a model from the root, since workers have other current folders, or its name."""
    return str(Path(model).absolute()) if Path(model).is_dir() else model


def _told(answers: Iterable[tuple[list[Row], list[Omission]]], refused: list[Omission]) -> Iterator[Row]:
    for rows, left_out in answers:
        refused += left_out
        yield from rows


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
