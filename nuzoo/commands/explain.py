"""Let a vision-language model explain its answers, and test whether what it cites matters.

Each event is drawn with the answer and the explanation, which is written after the decision. With
--faithfulness what the explanation cites is masked, and as much energy elsewhere, and the probability of the
answer is compared; this also works with a classifier that writes no text, for the most energetic object.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.files.output_folder import check_output

if TYPE_CHECKING:
    from datasets import Dataset


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Says what the command takes."""
    parser.add_argument("--model", required=True, help="model folder or repository")
    parser.add_argument("--data", required=True, help="dataset folder or repository")
    parser.add_argument("--split", default="test", help="events of which split (default: test)")
    parser.add_argument("--events", type=int, default=5, help="how many to explain (default: 5)")
    parser.add_argument("--event-id", action="append", help="explain this one; may be repeated")
    parser.add_argument("--prompt", help="ask with another prompt: a name or file")
    parser.add_argument(
        "--faithfulness", type=int, default=0, metavar="N", help="mask what is cited in N events of the split"
    )
    parser.add_argument(
        "--region", help="mask this rectangle in place of what is cited: view:row0,column0,row1,column1"
    )
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--out", type=Path, required=True, help="folder for pictures and report")
    parser.add_argument("--sample", help="what the events are called, unless they are nuzoo's simulation")


def run(args: argparse.Namespace) -> int:
    """Does it."""
    from nuzoo.configuration.event_classifier_config import class_names_of
    from nuzoo.datasets_scripts.common.labelled_rows import check_class_names
    from nuzoo.datasets_scripts.common.loading import load_events
    from nuzoo.evaluation.explain.explanations import (
        check_explains,
        draw_explanations,
        explain,
        write_explanations,
    )
    from nuzoo.evaluation.tasks.event_classification.asking import Asking, load_asked
    from nuzoo.evaluation.tasks.event_classification.measure import inference_device

    for name, least in (("batch_size", 1), ("events", 1), ("faithfulness", 0)):
        if (number := getattr(args, name)) < least:
            raise ValueError(f"--{name.replace('_', '-')}: expected {least} or more, got {number}")
    if args.region and args.faithfulness:
        raise ValueError("--region and --faithfulness: expected one of them, got both")
    check_output(args.out)
    splits = load_events(args.data)
    if args.split not in splits:
        raise ValueError(f"{args.data} has no split {args.split!r}, it has {', '.join(splits)}")
    events = splits[args.split]
    model, processor = load_asked(args.model, Asking(prompt=args.prompt), None)
    if "label" in events.column_names:
        check_class_names(events, class_names_of(model.config), f"split {args.split}")
    writes = hasattr(model.config, "label_token_ids")
    if not (writes or args.faithfulness or args.region):
        check_explains(model)
    model = model.to(inference_device()).eval()
    shown = list(_chosen(events, args.event_id, args.events)) if writes else []
    detectors = _detectors(shown)
    said = explain(model, processor, shown, batch_size=args.batch_size) if writes else []
    args.out.mkdir(parents=True, exist_ok=True)
    masked = _mask(args, model, processor, events, shown, writes)
    pictures = draw_explanations(said, shown, detectors, args.out, args.sample)
    report = write_explanations(said, pictures, masked, args.out, Path(args.model).name)
    for one in said:
        print(f"{one.event_id} ({one.truth}): {one.answer} {one.text}")
    if masked is not None:
        print(masked["conclusion"])
    print(f"report: {report}")
    return 0


def _mask(
    args: argparse.Namespace, model: Any, processor: Any, events: Dataset, shown: list[Any], writes: bool
) -> dict[str, Any] | None:
    """What masking did, if it was asked for."""
    import numpy as np

    from nuzoo.evaluation.explain.explanations import explain
    from nuzoo.evaluation.explain.faithfulness import masks_of, measure_masks, with_controls
    from nuzoo.evaluation.explain.masking import rectangle

    if args.region:
        rows = shown or list(_chosen(events, args.event_id, args.events))
        rng = np.random.default_rng(0)
        masks = [
            mask
            for event, (row, detector) in enumerate(zip(rows, _detectors(rows), strict=True))
            for mask in with_controls(
                event, row, detector, "region", rectangle(row, detector, args.region), rng
            )
            if mask.energy_fraction
        ]
    elif args.faithfulness:
        rows = list(_chosen(events, None, args.faithfulness))
        texts = None
        if writes:
            texts = [one.text for one in explain(model, processor, rows, batch_size=args.batch_size)]
        masks = masks_of(rows, _detectors(rows), texts)
    else:
        return None
    if not masks:
        raise ValueError("expected something to mask in these events, found nothing: take more of them")
    return measure_masks(model, processor, rows, masks, batch_size=args.batch_size)


def _chosen(events: Dataset, event_ids: list[str] | None, number: int) -> Iterator[dict[str, Any]]:
    """The events that are named, or some of each class in turn, in the order of the dataset."""
    known = list(events["event_id"])
    if event_ids:
        if missing := [name for name in event_ids if name not in known]:
            raise ValueError(f"no event {', '.join(missing)} there, but for example {known[0]}")
        yield from (events[known.index(name)] for name in event_ids)
        return
    labels = list(events["label"]) if "label" in events.column_names else [0] * len(known)
    turns: dict[int, int] = {}
    order = []
    for place, label in enumerate(labels):
        turns[label] = turns.get(label, -1) + 1
        order.append((turns[label], label, place))
    order.sort(key=lambda one: (one[0], one[1] is None, one[1] or 0, one[2]))
    yield from (events[place] for *_, place in order[:number])


def _detectors(rows: list[Any]) -> list[Any]:
    from nuzoo.simulation.detectors import DETECTORS

    if unknown := {row["detector"] for row in rows} - DETECTORS.keys():
        raise ValueError(
            f"expected events of {', '.join(DETECTORS)}, got {', '.join(sorted(map(str, unknown)))}"
        )
    return [DETECTORS[row["detector"]] for row in rows]
