"""Calls that write files: check the card, choose the way, upload large contents, commit."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import Any

from nuzoo.hub.local_hub.call import Call
from nuzoo.hub.local_hub.commits import Change
from nuzoo.hub.local_hub.messages import Reply, json_reply
from nuzoo.hub.local_hub.refusals import RefusedError, bad_request
from nuzoo.hub.local_hub.repository_calls import card_metadata
from nuzoo.hub.local_hub.stored_files import StoredFile, belongs_in_lfs, checked_path

LFS_JSON = {"Content-Type": "application/vnd.git-lfs+json"}


def validate_card(call: Call) -> Reply:
    """Read the metadata of a card before it is uploaded."""
    try:
        metadata = card_metadata(str(call.request.fields().get("content", "")))
    except ValueError as error:
        return json_reply({"errors": [{"message": str(error)}], "warnings": []}, status=400)
    warnings = [] if metadata else [{"message": "empty or missing yaml metadata in repo card"}]
    return json_reply({"errors": [], "warnings": warnings})


def choose_upload_modes(call: Call) -> Reply:
    """Say of each file to come whether it goes through LFS, and what lies at its path now."""
    there = call.writable().find(call.revision).files
    try:
        modes = [_upload_mode(file, there) for file in call.request.fields()["files"]]
    except (KeyError, TypeError, ValueError) as error:
        raise bad_request(f"expected files with path, size and sample: {error!r}") from error
    return json_reply({"files": modes})


def lfs_batch(call: Call) -> Reply:
    """Give an address for each large object that is not there yet."""
    repository, fields = call.writable(), call.request.fields()
    if fields.get("operation") != "upload":
        raise bad_request(f"expected the operation upload, got {fields.get('operation')!r}")
    address = f"{call.endpoint}/lfs/{call.kind}s/{call.name}"
    objects: list[dict[str, Any]] = []
    try:
        for wanted in fields["objects"]:
            sha256, size = str(wanted["oid"]), int(wanted["size"])
            upload, verify = f"{address}/{sha256}?key={call.keys.upload}", f"{address}/verify"
            actions = {"actions": {"upload": {"href": upload}, "verify": {"href": verify}}}
            there = repository.object_path(sha256).exists()
            objects.append({"oid": sha256, "size": size} | ({} if there else actions))
    except (KeyError, TypeError, ValueError) as error:
        raise bad_request(f"expected objects with oid and size: {error!r}") from error
    return json_reply({"transfer": "basic", "objects": objects, "hash_algo": "sha256"}, headers=LFS_JSON)


def put_lfs_object(call: Call) -> Reply:
    """Store a large object if its bytes have the sha256 of its address."""
    key = call.request.query.get("key", "")
    if not secrets.compare_digest(key.encode(), call.keys.upload.encode()):
        raise RefusedError(403, "the address of this upload was not given out by this Hub")
    repository = call.repositories.find(call.kind, call.name)
    if repository is None:
        raise RefusedError(404, f"{call.name} is gone", "RepoNotFound")
    repository.add_object(call.path, call.request.chunks())
    return Reply(200, {"ETag": f'"{call.path}"'})


def verify_lfs_object(call: Call) -> Reply:
    """Confirm that a large object arrived with its size."""
    repository, fields = call.writable(), call.request.fields()
    path = repository.object_path(str(fields.get("oid")))
    if not path.exists() or path.stat().st_size != fields.get("size"):
        raise RefusedError(404, f"no LFS object {path.name} of {fields.get('size')} bytes")
    return json_reply({}, headers=LFS_JSON)


def commit(call: Call) -> Reply:
    """Add a commit to a branch."""
    if call.request.flag("create_pr"):
        raise bad_request("this Hub knows no pull requests; commit to a branch")
    change = Change.of(call.request.body)
    made = call.writable().commit(call.revision, change, call.writer())
    url = f"{call.url}/commit/{made.id}"
    return json_reply({"success": True, "commitOid": made.id, "commitUrl": url, "hookOutput": ""})


def _upload_mode(file: dict[str, Any], there: Mapping[str, StoredFile]) -> dict[str, Any]:
    path = checked_path(file["path"])
    large = belongs_in_lfs(path, int(file["size"]), base64.b64decode(file["sample"]))
    oid = there[path].etag if path in there else None
    return {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False, "oid": oid}
