"""A commit: what it is, and how the lines of a request make the next one."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from nuzoo.hub.local_hub.refusals import bad_request, no_entry
from nuzoo.hub.local_hub.stored_files import StoredFile, checked_path, large_file, regular_file


@dataclass(frozen=True)
class Change:
    """What a commit does to the files of its parent.

    Attributes:
        title: First line of the message.
        message: The rest of it.
        expected_parent: Commit that the branch must stand at, None for any.
        steps: (kind, fields) in order: file, lfsFile, deletedFile or deletedFolder.
    """

    title: str
    message: str = ""
    expected_parent: str | None = None
    steps: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    @classmethod
    def of(cls, lines: bytes) -> Change:
        """Read the lines of a commit request, one JSON object each, the header first."""
        try:
            items = [json.loads(line) for line in lines.splitlines() if line.strip()]
            (kind, header), *steps = [(str(item["key"]), dict(item["value"])) for item in items]
            if kind != "header":
                raise ValueError(f"first line has key {kind!r}")
            parent = header.get("parentCommit")
            return cls(header["summary"], header.get("description", ""), parent, tuple(steps))
        except (ValueError, KeyError, TypeError) as error:
            expected = "expected JSON lines with key and value, the header first"
            raise bad_request(f"{expected}: {error!r}") from error


@dataclass(frozen=True)
class Commit:
    """A state of a repository.

    Attributes:
        id: Sha1 of all the rest, 40 hexadecimal digits.
        parent: Id of the commit before, None for the first.
        title: First line of the message.
        message: The rest of it.
        author: Name of the account.
        date: ISO 8601, UTC.
        files: By path.
    """

    id: str
    parent: str | None
    title: str
    message: str
    author: str
    date: str
    files: Mapping[str, StoredFile]

    @classmethod
    def after(
        cls, parent: Commit | None, change: Change, files: Mapping[str, StoredFile], author: str
    ) -> Commit:
        """Make a commit, named by its contents."""
        date = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        before = parent.id if parent else None
        unnamed = cls("", before, change.title, change.message, author, date, files)
        return replace(unnamed, id=hashlib.sha1(unnamed.to_json()).hexdigest())

    def to_json(self) -> bytes:
        """Write it as JSON."""
        return json.dumps(asdict(self), sort_keys=True).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Commit:
        """Read it from JSON."""
        fields = json.loads(content)
        files = {path: StoredFile(**file) for path, file in fields.pop("files").items()}
        return cls(**fields, files=files)


def changed_files(
    files: Mapping[str, StoredFile], change: Change, large: Mapping[str, int]
) -> tuple[dict[str, StoredFile], list[bytes]]:
    """Apply the steps of a change.

    Args:
        files: Of the parent.
        change: To make.
        large: Sizes, bytes, of the LFS objects that were uploaded, by sha256.

    Returns:
        The files after it, and the contents that are to be stored with it.

    Raises:
        RefusedError: A path leaves the repository, is missing, or is both a file and a folder; an LFS
            object was not uploaded.
    """
    after, contents = dict(files), []
    for kind, fields in change.steps:
        path = checked_path(str(fields.get("path", "")).rstrip("/"))
        if kind == "file":
            contents.append(_content(fields))
            after[path] = regular_file(contents[-1])
        elif kind == "lfsFile":
            sha256 = str(fields.get("oid"))
            if sha256 not in large:
                raise bad_request(f"the LFS object {sha256} of {path} was not uploaded")
            after[path] = large_file(sha256, large[sha256])
        elif kind in ("deletedFile", "deletedFolder"):
            gone = [p for p in after if (p == path if kind == "deletedFile" else p.startswith(path + "/"))]
            if not gone:
                raise no_entry(path)
            for each in gone:
                del after[each]
        else:
            known = "file, lfsFile, deletedFile or deletedFolder"
            raise bad_request(f"expected a line with key {known}, got {kind!r}")
    if both := folders(after) & after.keys():
        raise bad_request(f"{min(both)} cannot be a file and a folder at once")
    return after, contents


def folders(paths: Iterable[str]) -> set[str]:
    """Give all folders that lie above files."""
    found: set[str] = set()
    for path in paths:
        while path := path.rpartition("/")[0]:
            found.add(path)
    return found


def _content(fields: Mapping[str, Any]) -> bytes:
    try:
        if fields.get("encoding", "utf-8") == "base64":
            return base64.b64decode(fields["content"], validate=True)
        return fields["content"].encode()
    except (KeyError, AttributeError, TypeError, binascii.Error) as error:
        raise bad_request(f"expected the content of {fields['path']} in base64 or utf-8") from error
