"""Commands that are made of other commands, on a Hub that is a folder of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def on_local_hub(folder: Path) -> Iterator[None]:
    """Put a small Hub with its repositories in FOLDER/hub in the place of the Hugging Face Hub."""
    from nuzoo.hub.local_hub import LocalHub

    with LocalHub(folder / "hub") as hub:
        os.environ.update(hub.environment((folder / "cache").absolute()))  # before its client is imported
        yield


def run_command(*arguments: object) -> None:
    """Show a command of nuzoo as a user would give it, and run it.

    Raises:
        ValueError: It failed.
    """
    from nuzoo.cli import main

    print("$ nuzoo", *arguments, flush=True)
    if main([str(argument) for argument in arguments]):
        raise ValueError(f"`nuzoo {arguments[0]}` failed, see above")
