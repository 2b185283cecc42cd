"""Classify the events in detector files and write one row per event.

Reads DUNE CVN files (.gz with .info), <event>_xz.png and <event>_yz.png, HDF5 (images, pids), .npy and .npz
arrays, Parquet, and folders of these. Writes event_id, label, score, the calibrated probability of each
class, and source, as .parquet, .csv or .jsonl. Files that cannot be read are listed and left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from nuzoo.files.output_folder import check_output

EVENTS_AT_A_TIME = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Says what the command takes."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files and folders")
    parser.add_argument("--model", required=True, help="model folder or repository")
    parser.add_argument(
        "--out", type=Path, default=Path("predictions.parquet"), help="default: predictions.parquet"
    )
    parser.add_argument("--detector", help="whose events these are; inferred from the arrays by default")
    parser.add_argument("--mev-per-count", type=float, help="energy of one count in 8-bit files, MeV")
    parser.add_argument("--batch-size", type=int, default=16)


def run(args: argparse.Namespace) -> int:
    """Does it."""
    from nuzoo.datasets_scripts.readers.detector_files import read_detector_files
    from nuzoo.files.atomic import replacing
    from nuzoo.pipelines.loading import load_classifier

    write = _writer(args.out)
    classify = load_classifier(args.model, batch_size=args.batch_size)
    scale = args.mev_per_count or classify.image_processor.mev_per_count
    files = read_detector_files(args.files, detector=args.detector, mev_per_count=scale, truth=False)
    refused: list[tuple[str, Exception]] = []
    predictions = list(_predictions(classify, files, refused))
    left_out = [(str(item.path), item.error) for item in files.left_out] + refused
    for name, error in left_out:
        print(f"left out {name}: {error}", file=sys.stderr)
    if repeated := len(predictions) - len({row["event_id"] for row in predictions}):
        print(
            f"warning: events with the event_id of another: {repeated}; tell them apart by their order",
            file=sys.stderr,
        )
    print(f"classified {len(predictions)} events, left out {len(left_out)}")
    if not predictions:
        return 1
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(args.out) as partial:
        write(predictions, partial)
    print(f"predictions: {args.out}")
    return 0


def _predictions(
    classify: Any, rows: Iterable[dict[str, Any]], refused: list[tuple[str, Exception]]
) -> Iterator[dict[str, Any]]:
    from tqdm.auto import tqdm

    with tqdm(desc="classify", unit="event") as bar:
        for chunk in _chunks(rows, EVENTS_AT_A_TIME):
            for row, result in _classified(classify, chunk, refused):
                yield {
                    "event_id": row["event_id"],
                    "label": result["label"],
                    "score": result["score"],
                    **result["scores"],
                    "source": row["source"],
                }
            bar.update(len(chunk))


def _classified(
    classify: Any, rows: list[dict[str, Any]], refused: list[tuple[str, Exception]]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Rows with their results; rows that the processor refuses go to `refused`."""
    from nuzoo.processors.input_errors import PixelMapError

    try:
        yield from zip(rows, classify(rows), strict=True)
    except PixelMapError as error:
        if len(rows) == 1:
            refused.append((rows[0]["source"], error))
            return
        for row in rows:
            yield from _classified(classify, [row], refused)


def _chunks(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _writer(path: Path) -> Callable[[list[dict[str, Any]], Path], None]:
    writers = {".parquet": _write_parquet, ".csv": _write_csv, ".jsonl": _write_jsonl}
    if path.suffix not in writers:
        raise ValueError(f"--out {path}: expected a name ending in {', '.join(writers)}")
    if path.is_dir():
        raise ValueError(f"--out {path}: expected the name of a file, got a folder")
    check_output(path.parent)
    return writers[path.suffix]


def _write_parquet(rows: list[dict[str, Any]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), path)


def _write_csv(rows: list[dict[str, Any]], path: Path) -> None:
    import pyarrow as pa
    from pyarrow import csv

    csv.write_csv(pa.Table.from_pylist(rows), path)


def _write_jsonl(rows: list[dict[str, Any]], path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
