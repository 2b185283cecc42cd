"""Try the models that come with nuzoo in a browser: on simulated events, or on files of your own.

Listens on this machine alone, until Ctrl-C. Uploads are removed once they are answered; each answer is made
in a process of its own, which is ended where it takes too long. Needs `pip install nuzoo[app]`.

With --space a folder is written in place of that, which `nuzoo publish FOLDER --repo ORGANISATION/NAME --type
space` puts on the Hub.
"""

from __future__ import annotations

import argparse
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nuzoo.app.limits import Limits
from nuzoo.command_parser import CommandLineError, at_least
from nuzoo.files.output_folder import check_output

USUAL = Limits()

OF_PAGE: dict[str, Any] = {"host": "127.0.0.1", "port": None, "share": False}
"""Options that --space does not heed, with their defaults."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--host", default=OF_PAGE["host"], help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=at_least(1), help="of it (default: the first free one from 7860 on)")
    parser.add_argument(
        "--share", action="store_true", help="make a link for others, through the servers of Gradio"
    )
    parser.add_argument(
        "--upload-mb", type=at_least(1), default=USUAL.upload_mb, help="megabytes of an upload (default: 50)"
    )
    parser.add_argument(
        "--seconds", type=at_least(1), default=USUAL.seconds, help="for an answer (default: 60)"
    )
    parser.add_argument(
        "--memory-mb", type=at_least(1), default=USUAL.memory_mb, help="for an answer (default: 2000)"
    )
    parser.add_argument(
        "--at-once", type=at_least(1), default=USUAL.at_once, help="answers at the same time (default: 2)"
    )
    parser.add_argument("--space", type=Path, metavar="FOLDER", help="write the folder of a Space of the Hub")


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    if args.space is not None:
        if given := [f"--{name}" for name, value in OF_PAGE.items() if getattr(args, name) != value]:
            raise CommandLineError(
                f"{', '.join(given)}: expected no --space beside it, which the Hub serves; leave it out"
            )
        check_output(args.space)
        return ""
    if find_spec("gradio") is None:
        raise CommandLineError("expected the package gradio, got none: pip install nuzoo[app]")
    return "loading the models"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    limits = Limits(args.upload_mb, args.seconds, args.memory_mb, args.at_once)
    if args.space is not None:
        from nuzoo.app.space_folder import write_space

        write_space(args.space, limits)
        print(f"space: {args.space}")
        return 0
    from nuzoo.app.server import serving

    with serving(limits, host=args.host, port=args.port, share=args.share) as address:
        print(f"open {address.public or address.local} in a browser; Ctrl-C ends it", flush=True)
        while True:
            time.sleep(3600)
