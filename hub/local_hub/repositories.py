"""All repositories of a Hub, as folders below one root."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from threading import RLock

from nuzoo.hub.local_hub.refusals import RefusedError, bad_request
from nuzoo.hub.local_hub.repository import Repository

KINDS = ("model", "dataset")
REPOSITORY_NAME = re.compile(r"(?!.*(--|\.\.|\.git$))[A-Za-z0-9_][\w.-]{0,95}(?<![.-])", re.ASCII)


class Repositories:
    """Folders `<kind>s/<organisation>/<name>` below the root; they outlive the server.

    Args:
        root: Folder, made if it is missing.

    Attributes:
        writing: Lock to hold while something is changed.
    """

    def __init__(self, root: Path):
        self.root = root
        self.writing = RLock()
        root.mkdir(parents=True, exist_ok=True)

    def find(self, kind: str, name: str) -> Repository | None:
        """The repository, None if there is none."""
        folder = self._folder(kind, name)
        if folder is None or not (folder / "repository.json").exists():
            return None
        return Repository(folder, kind, name)

    def create(self, kind: str, name: str, *, private: bool, author: str) -> Repository:
        """Make a repository, whole or not at all.

        Raises:
            RefusedError: The name cannot be one, or is taken.
        """
        folder = self._folder(kind, name)
        if folder is None:
            raise bad_request(
                f"expected a model or dataset named organisation/name, of letters, digits, '-', '_' and '.', "
                f"got {kind} {name!r}"
            )
        if self.find(kind, name):
            raise RefusedError(409, f"You already created this {kind} repo: {name}")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.root) as scratch:
            made = Repository.create(Path(scratch) / "new", kind, name, private=private, author=author)
            made.folder.rename(folder)
        return Repository(folder, kind, name)

    def delete(self, repository: Repository) -> None:
        """Remove a repository with all its contents."""
        with tempfile.TemporaryDirectory(dir=self.root) as scratch:
            repository.folder.rename(Path(scratch) / "gone")

    def _folder(self, kind: str, name: str) -> Path | None:
        parts = name.split("/")
        if kind not in KINDS or len(parts) != 2 or not all(map(REPOSITORY_NAME.fullmatch, parts)):
            return None
        return self.root.joinpath(f"{kind}s", *parts)
