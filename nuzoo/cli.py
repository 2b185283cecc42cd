"""The command line: `nuzoo COMMAND …`. A command's code is imported when it is called, not before."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from signal import SIGINT

from nuzoo.command_parser import CommandLineError, CommandParser
from nuzoo.quiet_libraries import quieten_libraries
from nuzoo.stopping import stopping

COMMANDS = {
    "simulate": "simulate detector events into a Parquet dataset",
    "convert": "turn real detector files into a Parquet dataset",
    "convert-weights": "turn released weights of another code into a model of nuzoo",
    "train": "train a model by a recipe",
    "recipes": "list the recipes that come with nuzoo, or show one",
    "evaluate": "measure a trained model and write the report",
    "predict": "ask a model about the events in detector files: classes, hits, particles or quantities",
    "explain": "show what an answer rests on, and test whether what is cited matters",
    "display": "draw events as PNG and interactive HTML",
    "retrieve": "find events like one, by what a network sees in them",
    "bench": "run a study of many trainings: how many events a network needs, how it transfers, …",
    "app": "try the models that come with nuzoo in a browser, on simulated events or files",
    "benchmark": "measure models and answers of other code on frozen tasks, side by side",
    "models": "list the trained models that come with nuzoo, show one, or make one again",
    "detectors": "list the detectors that are known, or show one as a start for your own",
    "export": "write a trained network as an ONNX file, checked with onnxruntime",
    "publish": "put a trained model or a dataset on the Hub, complete and checked",
    "verify": "check a published model or dataset, file by file and by its golden outputs",
    "demo": "simulate, train, evaluate, draw, publish to a local Hub and load back, in one go",
}

STATUSES = {
    0: "all was done",
    1: "it could not be done, or something that was verified is wrong",
    2: "the command line was wrong",
    3: "some of it was done and some was left out, which left-out.csv lists",
    130: "stopped by Ctrl-C",
    143: "stopped by SIGTERM",
}

RESUMED = ("simulate", "train", "bench", "benchmark")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments; those of the process by default.

    Returns:
        The exit status, see `STATUSES`.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] not in COMMANDS:
        _overview().parse_args(arguments[:1] or ["--help"])
        return 2
    name, rest = arguments[0], arguments[1:]
    with stopping() as stop:
        try:
            return _run(name, rest)
        except BaseException as error:
            if stop.signal is not None or isinstance(error, KeyboardInterrupt):
                resumes = "; the same command goes on from here" if name in RESUMED else ""
                print(f"nuzoo {name}: stopped{resumes}", file=sys.stderr)
                return 128 + (stop.signal or SIGINT)
            if not isinstance(error, ValueError | OSError):
                raise
            print(f"nuzoo {name}: {error}", file=sys.stderr)
            return 2 if isinstance(error, CommandLineError) else 1


def _run(name: str, arguments: Sequence[str]) -> int:
    """Read the arguments, refuse what they alone show to be wrong, say what begins, and do it."""
    command = import_module(f"nuzoo.commands.{name.replace('-', '_')}")
    parser = CommandParser(prog=f"nuzoo {name}", description=command.__doc__)
    command.add_arguments(parser)
    given = parser.parse(arguments)
    begin = getattr(command, "begin", None)  # what is done at once needs no first word
    first_word = begin(given) if begin else ""
    if first_word and os.environ.get("RANK", "0") == "0":
        print(first_word, file=sys.stderr, flush=True)
    quieten_libraries()
    return int(command.run(given))


def _overview() -> CommandParser:
    from nuzoo import __version__

    lines = "\n".join(f"  {name:15s} {purpose}" for name, purpose in COMMANDS.items())
    statuses = "\n".join(f"  {status:<10d} {meaning}" for status, meaning in STATUSES.items())
    parser = CommandParser(
        prog="nuzoo",
        description="A Hugging Face Hub-native model zoo for neutrino detectors.",
        epilog=f"commands:\n{lines}\n\n`nuzoo COMMAND --help` says what a command takes.\n\n"
        f"exit status:\n{statuses}",
    )
    parser.add_argument("--version", action="version", version=f"nuzoo {__version__}")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    return parser


if __name__ == "__main__":
    sys.exit(main())
