"""Ask a model about the events in detector files and write one row per event.

Reads DUNE CVN files (.gz with .info), <event>_xz.png and <event>_yz.png, HDF5 (images, pids), .npy and .npz
arrays, Parquet, and folders of these. Writes event_id, what the model says (a classifier: label, score, the
calibrated probability of each class), and source, as .parquet, .csv or .jsonl. Files that cannot be read are
listed and left out.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from pathlib import Path

from nuzoo.commands.inputs import check_files, listed, place_of_model

READER_OPTIONS = ("detector", "mev_per_count")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files and folders")
    parser.add_argument("--model", required=True, help="model folder or repository")
    default = Path("predictions.parquet")
    parser.add_argument("--out", type=Path, default=default, help="default: predictions.parquet")
    parser.add_argument("--detector", help="whose events these are; inferred from the arrays by default")
    parser.add_argument("--mev-per-count", type=float, help="energy of one count in 8-bit files, MeV")
    parser.add_argument("--batch-size", type=int, default=16)


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    check_files(args.files)
    args.model = place_of_model(args.model)
    return f"reading {listed(args.files)} for {args.model}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from tqdm.auto import tqdm

    from nuzoo.pipelines.loading import load_pipeline
    from nuzoo.pipelines.predictions import check_table_path, predict_rows, write_table
    from nuzoo.registry import MODALITIES, import_object

    check_table_path(args.out)
    pipeline = load_pipeline(args.model, batch_size=args.batch_size)
    processor = pipeline.image_processor
    given = {name: getattr(args, name) for name in READER_OPTIONS if getattr(args, name) is not None}
    reader = import_object(MODALITIES[processor.modality].reader)
    if unknown := given.keys() - inspect.signature(reader).parameters.keys():
        options = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(unknown))
        raise ValueError(f"{options}: files of {processor.modality} are read without it, leave it out")
    files = reader(args.files, truth=False, **(processor.reading_options() | given))
    refused: list[tuple[str, Exception]] = []
    predictions = list(tqdm(predict_rows(pipeline, files, refused), desc="predict", unit="event"))
    left_out = [(str(item.path), item.error) for item in files.left_out] + refused
    for name, error in left_out:
        print(f"left out {name}: {error}", file=sys.stderr)
    if repeated := len(predictions) - len({row["event_id"] for row in predictions}):
        print(
            f"warning: events with the event_id of another: {repeated}; tell them apart by their order",
            file=sys.stderr,
        )
    print(f"predicted {len(predictions)} events, left out {len(left_out)}")
    if not predictions:
        return 1
    write_table(predictions, args.out)
    print(f"predictions: {args.out}")
    return 0
