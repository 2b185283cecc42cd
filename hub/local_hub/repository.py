"""Repositories on disk: commits, the names that point to them, and the contents of the files."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import RLock
from typing import Any

from nuzoo.files.atomic import replacing, write_atomically
from nuzoo.files.names import ATTRIBUTES_FILE
from nuzoo.hub.local_hub.commits import Change, Commit, changed_files
from nuzoo.hub.local_hub.refusals import RefusedError, bad_request, no_revision
from nuzoo.hub.local_hub.stored_files import GIT_ATTRIBUTES

KINDS = ("model", "dataset", "space")
FACTS_FILE = "repository.json"
COMMIT_ID = re.compile(r"[0-9a-f]{40}")
SHA256 = re.compile(r"[0-9a-f]{64}")
REFERENCE_NAME = re.compile(r"(?!.*(\.\.|//|\.lock$|/$))[A-Za-z0-9][\w./-]*")
REPOSITORY_NAME = re.compile(r"(?!.*(--|\.\.|\.git$))[A-Za-z0-9_][\w.-]{0,95}(?<![.-])", re.ASCII)


class Repository:
    """A folder with `repository.json` (facts, branches, tags), `commits/` and `objects/`.

    Contents lie in `objects/` by their sha256. A commit takes effect when `repository.json`, which
    says where the branch stands, is replaced by one rename; what was written before it is then only
    unused. Writing is not locked here: callers write one at a time.

    Args:
        folder: Of the repository.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    @classmethod
    def create(cls, folder: Path, *, private: bool, author: str) -> Repository:
        """Make a repository whose first commit holds `.gitattributes`."""
        repository = cls(folder)
        for part in ("commits", "objects"):
            (folder / part).mkdir(parents=True)
        attributes = {"path": ATTRIBUTES_FILE, "content": GIT_ATTRIBUTES, "encoding": "utf-8"}
        first = repository._add_commit(None, Change("initial commit", steps=(("file", attributes),)), author)
        state = {"private": private, "gated": False, "created": first.date}
        repository.write_facts({**state, "branches": {"main": first.id}, "tags": {}})
        return repository

    @property
    def facts(self) -> dict[str, Any]:
        """Private and gated (bool), created (ISO 8601), branches and tags (name to commit id)."""
        return json.loads((self.folder / FACTS_FILE).read_bytes())

    def write_facts(self, facts: dict[str, Any]) -> None:
        """Replace the facts, whole or not at all."""
        write_atomically(self.folder / FACTS_FILE, json.dumps(facts, indent=1))

    def find(self, revision: str) -> Commit:
        """Find the commit that a branch, a tag or a commit id means; refuse what means none."""
        facts = self.facts
        name = facts["branches"].get(revision) or facts["tags"].get(revision) or revision
        path = self.folder / "commits" / f"{name}.json"
        if not COMMIT_ID.fullmatch(name) or not path.exists():
            raise no_revision(revision)
        return Commit.from_json(path.read_bytes())

    def history(self, commit: Commit) -> Iterator[Commit]:
        """Give the commit and all before it, newest first."""
        yield commit
        while commit.parent:
            commit = self.find(commit.parent)
            yield commit

    def object_path(self, sha256: str) -> Path:
        """Say where contents of a sha256 lie, or would lie; refuse what is none."""
        if not SHA256.fullmatch(sha256):
            raise bad_request(f"expected a sha256 of 64 hexadecimal digits, got {sha256!r}")
        return self.folder / "objects" / sha256

    def add_object(self, sha256: str, chunks: Iterable[bytes]) -> None:
        """Store contents, complete or not at all; refuse those of another sha256."""
        digest = hashlib.sha256()
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            partial = Path(scratch) / sha256
            with partial.open("wb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    file.write(chunk)
            if digest.hexdigest() != sha256:
                raise bad_request(f"expected contents with sha256 {sha256}, got {digest.hexdigest()}")
            partial.replace(self.object_path(sha256))

    def commit(self, branch: str, change: Change, author: str) -> Commit:
        """Add a commit to a branch, whole or not at all.

        Raises:
            RefusedError: No such branch, it stands at another commit than expected, or a step is refused.
        """
        facts = self.facts
        if branch not in facts["branches"]:
            raise no_revision(branch)
        parent, expected = self.find(branch), change.expected_parent
        if expected not in (None, parent.id):
            raise RefusedError(
                412, f"the branch {branch} stands at {parent.id}, the commit expected {expected}"
            )
        commit = self._add_commit(parent, change, author)
        facts["branches"][branch] = commit.id
        self.write_facts(facts)
        return commit

    def add_reference(self, group: str, name: str, revision: str) -> None:
        """Name a commit.

        Args:
            group: "branches" or "tags".
            name: To give.
            revision: What it shall stand at.

        Raises:
            RefusedError: The name is taken or cannot be one, or the revision is missing.
        """
        facts, commit = self.facts, self.find(revision)
        if not REFERENCE_NAME.fullmatch(name) or COMMIT_ID.fullmatch(name):
            raise bad_request(f"expected a name that git would take, got {name!r}")
        if name in facts[group]:
            raise RefusedError(409, f"Reference already exists: {name}")
        facts[group][name] = commit.id
        self.write_facts(facts)

    def _add_commit(self, parent: Commit | None, change: Change, author: str) -> Commit:
        uploaded = {path.name: path.stat().st_size for path in (self.folder / "objects").iterdir()}
        files, contents = changed_files(parent.files if parent else {}, change, uploaded)
        for content in contents:
            self.add_object(hashlib.sha256(content).hexdigest(), [content])
        commit = Commit.after(parent, change, files, author)
        with replacing(self.folder / "commits" / f"{commit.id}.json") as partial:
            partial.write_bytes(commit.to_json())
        return commit


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
        """Find a repository; None if there is none."""
        folder = self._folder(kind, name)
        return Repository(folder) if folder and (folder / FACTS_FILE).exists() else None

    def create(self, kind: str, name: str, *, private: bool, author: str) -> Repository:
        """Make a repository, whole or not at all; refuse a name that cannot be one, or is taken."""
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
            made = Repository.create(Path(scratch) / "new", private=private, author=author)
            made.folder.rename(folder)
        return Repository(folder)

    def delete(self, repository: Repository) -> None:
        """Remove a repository with all its contents."""
        with tempfile.TemporaryDirectory(dir=self.root) as scratch:
            repository.folder.rename(Path(scratch) / "gone")

    def _folder(self, kind: str, name: str) -> Path | None:
        parts = name.split("/")
        if kind not in KINDS or len(parts) != 2 or not all(map(REPOSITORY_NAME.fullmatch, parts)):
            return None
        return self.root.joinpath(f"{kind}s", *parts)
