"""Publish a trained model, a dataset, a benchmark or a Space on the Hub, complete and checked, as one commit.

Of a model goes out: weights, processor, pipeline, the code that loads them without nuzoo, a card with the
measured results and their pictures, golden outputs and checksums. It must have been evaluated, and its
dataset must be on the Hub. Of a dataset: the Parquet files, checked row by row, lists of events and a card;
several folders become configurations of one dataset. Of a benchmark: the leaderboard, the frozen tasks and
all answers, as a dataset; --benchmark and --leaderboard put its numbers into a model's repository. Of a
Space: what `nuzoo app --space` wrote. Log in first with `hf auth login`. Nothing is published unless all of
it is good, and the same command can be repeated.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nuzoo.command_parser import CommandLineError
from nuzoo.commands.inputs import listed
from nuzoo.files.hub_access import check_access
from nuzoo.hub.licences import DATA_LICENCES, MODEL_LICENCES, check_licence

OF_TYPES = {
    "model": ("report", "dataset", "base", "benchmark", "leaderboard"),
    "dataset": ("citation",),
    "benchmark": (),
    "space": (),
}
"""Options that one type alone heeds."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "folders",
        nargs="+",
        type=Path,
        metavar="FOLDER",
        help="of a run, of datasets, of a benchmark, or of a Space",
    )
    parser.add_argument("--repo", required=True, help="ORGANISATION/NAME")
    parser.add_argument("--type", choices=OF_TYPES, default="model")
    parser.add_argument("--report", type=Path, help="folder of the evaluation (default: FOLDER/report)")
    parser.add_argument(
        "--dataset", help="ORGANISATION/NAME[@REVISION] of a model's dataset (default: that of its recipe)"
    )
    parser.add_argument("--base", help="ORGANISATION/NAME[@REVISION] of the network that an adapter is for")
    parser.add_argument("--benchmark", type=Path, help="folder of `nuzoo benchmark` that has the model")
    parser.add_argument(
        "--leaderboard", help="ORGANISATION/NAME[@REVISION] that this folder was published as"
    )
    parser.add_argument("--licence", help="identifier of the Hub (default: apache-2.0 for what nuzoo made)")
    parser.add_argument("--citation", help="Markdown: what users of a dataset cite, such as a paper")
    parser.add_argument("--private", action="store_true", default=None, help="create a private repository")
    parser.add_argument("--message", help="of the commit")


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    for kind, names in OF_TYPES.items():
        given = [f"--{name}" for name in names if getattr(args, name) is not None]
        if kind != args.type and given:
            raise CommandLineError(
                f"{', '.join(given)}: expected of a {kind} alone, got --type {args.type}; leave it out"
            )
    if args.type == "space" and args.licence is not None:
        raise CommandLineError("--licence: expected in the README.md of a Space, got it here; leave it out")
    if (args.benchmark is None) != (args.leaderboard is None):
        raise CommandLineError("--benchmark, --leaderboard: expected both or none, got one of them")
    if missing := [str(folder) for folder in args.folders if not folder.is_dir()]:
        kinds = "a run, a dataset, a benchmark or a Space"
        raise ValueError(f"expected the folder of {kinds}, got no folder: {', '.join(missing)}")
    check_access(args.repo)
    if args.licence is not None:
        check_licence(args.licence, MODEL_LICENCES if args.type == "model" else DATA_LICENCES)
    return f"checking {listed(args.folders)} for {args.repo}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.hub.publish import publish

    names = ("licence", "private", "message", *OF_TYPES[args.type])
    options = {name: getattr(args, name) for name in names}
    commit = publish(args.folders, args.repo, args.type, **options)
    said = "published" if commit.changed else "nothing to publish, it is all there already:"
    print(f"{said} {commit.repo_id} at {commit.revision}\n{commit.url}")
    return 0
