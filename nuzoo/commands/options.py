"""What commands have in common: options that only some rows of a table have, and exit statuses."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.command_parser import CommandLineError, at_least

if TYPE_CHECKING:
    from nuzoo.files.left_out import Omission

PARTIAL = 3
"""Exit status where some of what was asked for was done and some was left out."""

READING_OPTIONS = (
    "detector",
    "mev_per_count",
    "classes",
    "labels",
    "energy_threshold",
    "min_points",
    "mev_per_charge",
)


def check_options(
    function: Callable[..., Any], options: Mapping[str, Any], name: str, among: Collection[str] | None = None
) -> None:
    """Refuse options that a function does not take.

    Args:
        function: Of a row of a table.
        options: That the user gave.
        name: Of the row.
        among: Those that the command has, if the function takes others too.

    Raises:
        CommandLineError: With the first that does not apply, and those that do.
    """
    known = [
        _spelt(parameter.name)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY and (among is None or parameter.name in among)
    ]
    for option in map(_spelt, options):
        if option not in known:
            raise CommandLineError(
                f"{option}: {name} has no such option, its own are {', '.join(known)}; leave it out"
            )


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """Let a command say how detector files are read."""

    def option(name: str, **arguments: Any) -> None:
        parser.add_argument(name, default=argparse.SUPPRESS, **arguments)

    option("--detector", help="whose events these are: a name, or a YAML file (default: by the arrays)")
    option("--mev-per-count", type=float, help="MeV of one count, photoelectron or electron")
    option(
        "--classes",
        type=class_list,
        metavar="A,B,…",
        help="classes that labels count, such as nue_cc,nc,cosmic",
    )
    option("--labels", choices=("index", "pdg"), help="what numbers as labels are (default: by the column)")
    option("--energy-threshold", type=float, help="leave out hits of this many MeV or less")
    option("--min-points", type=at_least(0), help="pass over events of fewer points, before the threshold")
    option(
        "--mev-per-charge",
        type=float,
        help="MeV of one unit of charge: in scintillator events, of an electron (Bee), of 1,000 (ndlar_flow)",
    )


def class_list(text: str) -> tuple[str, ...]:
    """Parse names of classes.

    Raises:
        argparse.ArgumentTypeError: Fewer than two, one twice, or the name of another column.
    """
    from nuzoo.files.events.event_classes import check_class_names
    from nuzoo.files.events.event_errors import ClassNamesError

    names = tuple(name.strip() for name in text.split(","))
    if len(names) < 2 or not all(names):
        raise argparse.ArgumentTypeError(f"expected two or more names, as in nue_cc,nc,cosmic, got {text!r}")
    try:
        check_class_names(names)
    except ClassNamesError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return names


def reading_options(args: argparse.Namespace, reader: Callable[..., Any], modality: str) -> dict[str, Any]:
    """Take the options of `add_reading_options` that were given.

    Raises:
        CommandLineError: The reader of the modality has no such option.
    """
    given = {name: getattr(args, name) for name in READING_OPTIONS if hasattr(args, name)}
    check_options(reader, given, f"the reader of {modality}", READING_OPTIONS)
    return given


def tell_reading(files: Any) -> list[Omission]:
    """Say what a reader decided about files that it has read.

    Args:
        files: As `nuzoo.registry.Modality.reader` makes them.

    Returns:
        What it left out, without the files of folders that were never meant to be read.
    """
    from nuzoo.files.left_out import Omission

    notes = getattr(files, "notes", None)
    for line in notes.told() if notes else ():
        print(line)
    meant = (item for item in files.left_out if not getattr(item, "passed_over", False))
    return [Omission.of(item.path, item.error) for item in meant]


def tell_left_out(omissions: Sequence[Omission], table: Path) -> None:
    """Say what was left out, a line for each reason, and write all of it to a table."""
    from nuzoo.files.left_out import told, write_omissions

    for line in told(omissions):
        print(line, file=sys.stderr)
    if write_omissions(table, omissions):
        print(f"left out: all of it is in {table}", file=sys.stderr)


def tell_empty(splits: Collection[str], remedy: str) -> None:
    """Say which splits no event fell into, and how to mend it."""
    from nuzoo.datasets_scripts.common.splits import SPLITS

    if empty := [split for split in SPLITS if split not in splits]:
        print(f"no event fell into {', '.join(empty)}: training and evaluation need all splits, {remedy}")


def _spelt(name: str) -> str:
    return f"--{name.replace('_', '-')}"
