"""One repository on disk: commits, the names that point to them, and the contents of the files."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nuzoo.hub.local_hub.commits import Change, Commit, changed_files, load_commit, next_commit, write_commit
from nuzoo.hub.local_hub.refusals import RefusedError, bad_request, no_revision
from nuzoo.hub.local_hub.stored_files import GIT_ATTRIBUTES

MAIN = "main"
COMMIT_ID = re.compile(r"[0-9a-f]{40}")
SHA256 = re.compile(r"[0-9a-f]{64}")
REFERENCE_NAME = re.compile(r"(?!.*(\.\.|//|\.lock$|/$))[A-Za-z0-9][\w./-]*")


class Repository:
    """A folder with `repository.json` (facts, branches, tags), `commits/` and `objects/`.

    Contents lie in `objects/` by their sha256. A commit takes effect when `repository.json`, which
    says where the branch stands, is replaced by one rename; what was written before it is then only
    unused. Writing is not locked here: callers write one at a time.

    Args:
        folder: Of the repository.
        kind: "model" or "dataset".
        name: "organisation/name".
    """

    def __init__(self, folder: Path, kind: str, name: str):
        self.folder, self.kind, self.name = folder, kind, name

    @classmethod
    def create(cls, folder: Path, kind: str, name: str, *, private: bool, author: str) -> Repository:
        """Make a repository whose first commit holds `.gitattributes`."""
        repository = cls(folder, kind, name)
        for part in ("commits", "objects"):
            (folder / part).mkdir(parents=True)
        attributes = {"path": ".gitattributes", "content": GIT_ATTRIBUTES, "encoding": "utf-8"}
        first = repository._add_commit(None, Change("initial commit", steps=(("file", attributes),)), author)
        repository._write(
            {
                "private": private,
                "gated": False,
                "created": first.date,
                "branches": {MAIN: first.id},
                "tags": {},
            }
        )
        return repository

    @property
    def facts(self) -> dict[str, Any]:
        """Private and gated (bool), created (ISO 8601), branches and tags (name to commit id)."""
        return json.loads((self.folder / "repository.json").read_bytes())

    def gate(self) -> None:
        """Let nobody download the files, as for one who has not accepted the terms of a gated repository."""
        self._write(self.facts | {"gated": True})

    def find(self, revision: str) -> Commit:
        """The commit that a branch, a tag or a commit id means.

        Raises:
            RefusedError: There is none.
        """
        facts = self.facts
        name = facts["branches"].get(revision) or facts["tags"].get(revision) or revision
        path = self.folder / "commits" / f"{name}.json"
        if not COMMIT_ID.fullmatch(name) or not path.exists():
            raise no_revision(revision)
        return load_commit(path.read_bytes())

    def history(self, commit: Commit) -> Iterator[Commit]:
        """The commit and all before it, newest first."""
        yield commit
        while commit.parent:
            commit = self.find(commit.parent)
            yield commit

    def object_path(self, sha256: str) -> Path:
        """Where contents lie, or will lie.

        Raises:
            RefusedError: Not a sha256.
        """
        if not SHA256.fullmatch(sha256):
            raise bad_request(f"expected a sha256 of 64 hexadecimal digits, got {sha256!r}")
        return self.folder / "objects" / sha256

    def add_object(self, sha256: str, chunks: Iterable[bytes]) -> None:
        """Store contents, complete or not at all.

        Raises:
            RefusedError: The bytes have another sha256.
        """
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
        parent = self.find(branch)
        if change.expected_parent not in (None, parent.id):
            raise RefusedError(
                412,
                f"the branch {branch} stands at {parent.id}, the commit expected {change.expected_parent}",
            )
        commit = self._add_commit(parent, change, author)
        facts["branches"][branch] = commit.id
        self._write(facts)
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
        self._write(facts)

    def remove_reference(self, group: str, name: str) -> None:
        """Forget a name; the commits stay.

        Raises:
            RefusedError: There is none, or it is the main branch.
        """
        facts = self.facts
        if name not in facts[group]:
            raise no_revision(name)
        if (group, name) == ("branches", MAIN):
            raise RefusedError(403, "the main branch cannot be deleted")
        del facts[group][name]
        self._write(facts)

    def _add_commit(self, parent: Commit | None, change: Change, author: str) -> Commit:
        uploaded = {path.name: path.stat().st_size for path in (self.folder / "objects").iterdir()}
        files, contents = changed_files(parent.files if parent else {}, change, uploaded)
        for content in contents:
            self.add_object(hashlib.sha256(content).hexdigest(), [content])
        commit = next_commit(parent, change, files, author)
        _write_whole(self.folder / "commits" / f"{commit.id}.json", write_commit(commit))
        return commit

    def _write(self, facts: dict[str, Any]) -> None:
        _write_whole(self.folder / "repository.json", json.dumps(facts, indent=1).encode())


def _write_whole(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)
