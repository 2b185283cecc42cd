"""Verify a published model, dataset or benchmark: that it is whole, safe, and still gives what it gave.

Of a model, every file is compared with its checksum, searched for pickles, secrets and paths, the card is
read, the network is loaded with nuzoo's own classes, and its golden outputs are computed again. Code of the
repository runs only with --run-code. Of a dataset, card, configurations, splits and every row are checked.
Of a benchmark: the frozen tasks, every answer by its checksum, the tables. Ends with status 1 if anything is
wrong.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nuzoo.files.hub_access import check_repo_id, check_there
from nuzoo.zoo.bundled import find_model

if TYPE_CHECKING:
    from nuzoo.hub.checks import Check

TYPES = {"model": "model", "dataset": "dataset", "benchmark": "dataset"}
"""What can be verified, and which type of repository it is."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("repository", help="ORGANISATION/NAME, a folder, or a model that comes with nuzoo")
    parser.add_argument("--type", choices=TYPES, default="model")
    parser.add_argument("--revision", help="commit, tag or branch (default: main)")
    parser.add_argument(
        "--run-code",
        action="store_true",
        help="also load it without nuzoo, by the code in the repository: only if you trust it",
    )


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    if args.type == "model":
        args.repository = find_model(args.repository)
    if not Path(args.repository).is_dir():
        check_repo_id(args.repository)
        check_there(args.repository, TYPES[args.type])
    return f"verifying {args.repository}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.hub.verify import fetch, verify_benchmark, verify_dataset, verify_model

    folder = fetch(args.repository, TYPES[args.type], args.revision)
    verify: dict[str, Callable[[Path], Iterator[Check]]] = {
        "model": partial(verify_model, run_code=args.run_code),
        "dataset": verify_dataset,
        "benchmark": verify_benchmark,
    }
    problems = 0
    for check in verify[args.type](folder):
        problems += check.problem is not None
        print(f"{_verdict(check)} {check.name}", flush=True)
        if text := check.problem or check.note:
            print(f"      {text}", flush=True)
    print(f"{args.repository}: {f'{problems} checks failed' if problems else 'verified'}")
    return 1 if problems else 0


def _verdict(check: Check) -> str:
    if check.problem:
        return "WRONG"
    return "note " if check.note else "ok   "
