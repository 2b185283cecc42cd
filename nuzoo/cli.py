"""The command line: `nuzoo COMMAND …`. A command's code is imported when it is called, not before."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib import import_module
from signal import SIGINT

from nuzoo.stopping import stopping

COMMANDS = {
    "simulate": "simulate detector events into a Parquet dataset",
    "convert": "turn real detector files into a Parquet dataset",
    "train": "train a model by a recipe",
    "recipes": "list the recipes that come with nuzoo, or show one",
    "evaluate": "measure a trained model and write the report",
    "predict": "classify the events in detector files",
    "explain": "let a vision-language model explain its answers, and test whether what it cites matters",
    "display": "draw events as PNG and interactive HTML",
    "models": "list the trained models that come with nuzoo, show one, or make one again",
    "detectors": "list the detectors that are known, or show one as a start for your own",
    "export": "write a trained network as an ONNX file, checked with onnxruntime",
    "publish": "put a trained model or a dataset on the Hub, complete and checked",
    "verify": "check a published model or dataset, file by file and by its golden outputs",
    "demo": "simulate, train, evaluate, draw, publish to a local Hub and load back, in one go",
}

RESUMED = ("simulate", "train")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments; those of the process by default.

    Returns:
        The exit status: 0 when all went well, 1 when something asked for could not be done, 2 when the
        command line was wrong, 3 when some of what was asked for was done and some was left out, 130 when it
        was stopped by Ctrl-C, 143 by SIGTERM.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = _overview()
    if not arguments or arguments[0] not in COMMANDS:
        parser.parse_args(arguments or ["--help"])
        return 2
    with stopping() as stop:
        try:
            return _run(arguments[0], arguments[1:])
        except BaseException as error:
            if stop.signal is not None or isinstance(error, KeyboardInterrupt):
                resumes = "; the same command goes on from here" if arguments[0] in RESUMED else ""
                print(f"nuzoo {arguments[0]}: stopped{resumes}", file=sys.stderr)
                return 128 + (stop.signal or SIGINT)
            if not isinstance(error, ValueError | OSError):
                raise
            print(f"nuzoo {arguments[0]}: {error}", file=sys.stderr)
            return 1


def _run(name: str, rest: list[str]) -> int:
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it advises a package that is not needed
    command = import_module(f"nuzoo.commands.{name}")
    parser = argparse.ArgumentParser(
        prog=f"nuzoo {name}",
        description=command.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    return int(command.run(parser.parse_intermixed_args(rest)))


def _overview() -> argparse.ArgumentParser:
    from nuzoo import __version__

    lines = "\n".join(f"  {name:10s} {purpose}" for name, purpose in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="nuzoo",
        description="A Hugging Face Hub-native model zoo for neutrino detectors.",
        epilog=f"commands:\n{lines}\n\n`nuzoo COMMAND --help` says what a command takes.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"nuzoo {__version__}")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    return parser


if __name__ == "__main__":
    sys.exit(main())
