"""The folder of a Space: the page of `nuzoo app` on the Hub."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from nuzoo.app.limits import Limits
from nuzoo.files.errors import FolderInUseError

PARTS = ("README.md", "app.py", "requirements.txt")
VERSIONS = {"GRADIO_VERSION": "gradio", "NUZOO_VERSION": "nuzoo"}
"""Places in the files of the folder, and the packages whose version stands there."""


def write_space(folder: Path, limits: Limits) -> list[Path]:
    """Write the folder of a Space.

    Args:
        folder: New or empty.
        limits: Of its page.

    Returns:
        Its files.

    Raises:
        FolderInUseError: There is something in the folder.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FolderInUseError(f"{folder}: expected a new or an empty folder, got files in it: take another")
    folder.mkdir(parents=True, exist_ok=True)
    places = {place: version(package) for place, package in VERSIONS.items()} | {"Limits()": repr(limits)}
    written = []
    for name in PARTS:
        text = files(__package__).joinpath("space", name).read_text(encoding="utf-8")
        for place, value in places.items():
            text = text.replace(place, value)
        (folder / name).write_text(text, encoding="utf-8")
        written.append(folder / name)
    return written
