"""Draw events as PNG and as self-contained interactive HTML pages.

SOURCE is a dataset folder, a repository, or detector files as `nuzoo predict` reads them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from nuzoo.files.output_folder import check_output


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Says what the command takes."""
    parser.add_argument("source", nargs="+", metavar="SOURCE")
    parser.add_argument("--split", default="test", help="split of a dataset (default: test)")
    parser.add_argument("--event", action="append", help="event id; may be repeated (default: the first)")
    parser.add_argument("--number", type=int, default=4, help="how many without --event (default: 4)")
    parser.add_argument("--model", help="model folder or repository, to show its predictions")
    parser.add_argument("--out", type=Path, default=Path("displays"), help="folder (default: displays)")
    parser.add_argument("--sample", help="what the events are called, unless they are nuzoo's simulation")


def run(args: argparse.Namespace) -> int:
    """Does it."""
    check_output(args.out)
    rows = list(_chosen(_rows(args.source, args.split), args.event, args.number))
    if not rows:
        raise ValueError(f"no such events in {' '.join(args.source)}: {args.event or 'it is empty'}")
    for path in draw_events(rows, args.out, model=args.model, sample=args.sample):
        print(path)
    return 0


def draw_events(
    rows: list[dict[str, Any]], out: Path, *, model: str | None = None, sample: str | None = None
) -> list[Path]:
    """Draws rows as `<event id>.png` and `<event id>.html`, with predictions where a model is given."""
    from nuzoo.evaluation.display.pixel_maps.event_display import draw_event, file_stem
    from nuzoo.evaluation.display.pixel_maps.event_page import write_interactive
    from nuzoo.simulation.detectors import DETECTORS

    out.mkdir(parents=True, exist_ok=True)
    predictions = _predictions(rows, model)
    paths = []
    for row, prediction in zip(rows, predictions, strict=True):
        stem = out / file_stem(row["event_id"])
        detector = DETECTORS[row["detector"]]
        for draw, suffix in ((draw_event, ".png"), (write_interactive, ".html")):
            path = stem.with_name(stem.name + suffix)
            paths.append(draw(row, detector, path, prediction=prediction, sample=sample or _sample(row)))
    return paths


def _sample(row: dict[str, Any]) -> str | None:
    return None if row["source"].startswith("nuzoo-simulation") else f"from {row['source']}"


def _predictions(rows: list[dict[str, Any]], model: str | None) -> list[Any]:
    if model is None:
        return [None] * len(rows)
    from nuzoo.pipelines.loading import load_classifier

    return list(load_classifier(model)(rows))


def _rows(source: list[str], split: str) -> Iterator[dict[str, Any]]:
    if len(source) == 1 and _is_dataset(source[0]):
        from nuzoo.datasets_scripts.common.loading import load_events

        yield from load_events(source[0], split=split, streaming=True)
        return
    from nuzoo.datasets_scripts.readers.detector_files import read_detector_files

    yield from read_detector_files([Path(file) for file in source], strict=True)


def _is_dataset(source: str) -> bool:
    path = Path(source)
    return not path.exists() or (path.is_dir() and (path / "README.md").exists())


def _chosen(
    rows: Iterator[dict[str, Any]], event_ids: list[str] | None, number: int
) -> Iterator[dict[str, Any]]:
    if not event_ids:
        yield from islice(rows, number)
        return
    wanted = set(event_ids)
    for row in rows:
        if row["event_id"] in wanted:
            wanted.remove(row["event_id"])
            yield row
        if not wanted:
            return
    raise ValueError(f"no event {', '.join(sorted(wanted))} there")
