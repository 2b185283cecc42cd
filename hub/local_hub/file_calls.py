"""Calls that read: the tree of a revision, facts about paths, and the files themselves."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from nuzoo.hub.local_hub.call import Call
from nuzoo.hub.local_hub.commits import Commit, folders
from nuzoo.hub.local_hub.messages import FilePart, Reply, json_reply
from nuzoo.hub.local_hub.refusals import RefusedError, no_entry

RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def list_tree(call: Call) -> Reply:
    """List files and folders below a path, all levels if the query says recursive."""
    commit = call.readable().find(call.revision)
    above = f"{call.path.rstrip('/')}/" if call.path else ""
    listed = [path for path in commit.files.keys() | folders(commit.files) if path.startswith(above)]
    if above and not listed:
        raise no_entry(call.path, commit.id)
    if not call.request.flag("recursive"):
        listed = [path for path in listed if "/" not in path[len(above) :]]
    return json_reply([_entry(commit, path) for path in sorted(listed)])


def describe_paths(call: Call) -> Reply:
    """Describe the paths of a form, leaving out what is not there."""
    commit = call.readable().find(call.revision)
    there = commit.files.keys() | folders(commit.files)
    paths = [path.strip("/") for path in call.request.fields().get("paths", [])]
    return json_reply([_entry(commit, path) for path in paths if path in there])


def resolve(call: Call) -> Reply:
    """Send a file, or the range of it that the header asks for; HEAD is answered alike, without the body."""
    repository = call.downloadable()
    commit = repository.find(call.revision)
    file = commit.files.get(call.path)
    if file is None:
        raise no_entry(call.path, commit.id)
    headers = {
        "X-Repo-Commit": commit.id,
        "ETag": f'"{file.etag}"',
        "Accept-Ranges": "bytes",
        "Content-Type": "application/octet-stream",
    }
    if file.lfs:
        headers |= {"X-Linked-Etag": f'"{file.sha256}"', "X-Linked-Size": str(file.size)}
    asked = RANGE.fullmatch(call.request.headers.get("Range", ""))
    start, stop = _range(asked, file.size) if asked else (0, file.size)
    if asked:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{file.size}"
    part = FilePart(repository.object_path(file.sha256), start, stop)
    return Reply(206 if asked else 200, headers, part)


def _range(asked: re.Match[str], size: int) -> tuple[int, int]:
    first, last = asked.groups()
    if first:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    else:
        start, stop = max(size - int(last or 0), 0), size
    if start >= stop:
        headers = {"Content-Range": f"bytes */{size}"}
        raise RefusedError(416, f"no bytes {asked[0]} in {size}", headers=headers)
    return start, stop


def _entry(commit: Commit, path: str) -> dict[str, Any]:
    """Describe a file or folder; the identity of a folder is of all files below: unlike git's, not nested."""
    if file := commit.files.get(path):
        return {"type": "file", "path": path, "size": file.size, "oid": file.oid} | file.lfs_facts("oid")
    below = sorted((p, file.oid) for p, file in commit.files.items() if p.startswith(f"{path}/"))
    return {
        "type": "directory",
        "path": path,
        "size": 0,
        "oid": hashlib.sha1(repr(below).encode()).hexdigest(),
    }
