"""Say why a model answers as it does, and test whether what it depends on matters.

Of an event classifier, each event is drawn with the answer and the explanation, which is written after the
decision. With --faithfulness what the explanation cites is masked, and as much energy elsewhere, and the
probability of the answer is compared; this also works with a classifier that writes no text, for the most
energetic object.

Of a model that reconstructs detector events: which patches speak for the flavour of each event, tested by
leaving them out; what is lost without each part of the detector; how quantities move with the scale of all
energies; and a map of mean latents.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nuzoo.command_parser import CommandLineError, at_least
from nuzoo.datasets_scripts.common.loading import check_source
from nuzoo.files.output_folder import check_output
from nuzoo.pipelines.loading import resolve_model

OF_TASKS = ("prompt", "faithfulness", "region")
"""Options that not every task has."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--model", required=True, help="model folder or repository")
    parser.add_argument("--data", required=True, help="dataset folder or repository")
    parser.add_argument("--split", default="test", help="events of which split (default: test)")
    parser.add_argument("--events", type=at_least(1), default=5, help="how many to explain (default: 5)")
    parser.add_argument("--event-id", action="append", help="explain this one; may be repeated")
    parser.add_argument("--prompt", default=argparse.SUPPRESS, help="ask with another prompt: a name or file")
    parser.add_argument(
        "--faithfulness",
        type=at_least(0),
        default=argparse.SUPPRESS,
        metavar="N",
        help="mask what is cited, or leave salient patches out, in N events of the split",
    )
    parser.add_argument(
        "--region",
        default=argparse.SUPPRESS,
        help="mask this rectangle in place of what is cited: view:row0,column0,row1,column1",
    )
    parser.add_argument("--batch-size", type=at_least(1), default=16)
    parser.add_argument("--out", type=Path, required=True, help="folder for pictures and report")
    parser.add_argument(
        "--sample", help="what the events are called; that they are simulated is said beside it"
    )


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    if all(getattr(args, name, None) for name in ("region", "faithfulness")):
        raise CommandLineError("--region and --faithfulness: expected one of them, got both")
    resolve_model(args.model)
    check_source(args.data)
    check_output(args.out)
    return f"asking {args.model} about events of {args.data}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.evaluation.core.errors import OptionError
    from nuzoo.evaluation.explain.explain import explain_model

    try:
        found = explain_model(
            args.model,
            args.data,
            args.out,
            split=args.split,
            events=args.events,
            event_ids=args.event_id,
            batch_size=args.batch_size,
            sample=args.sample,
            **{name: getattr(args, name) for name in OF_TASKS if hasattr(args, name)},
        )
    except OptionError as error:
        raise CommandLineError(str(error)) from error
    for line in found.lines:
        print(line)
    print(f"report: {found.report}")
    return 0
