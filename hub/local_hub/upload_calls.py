"""Calls that write files: check the card, choose the way, upload large contents, commit."""

from __future__ import annotations

import base64
from typing import Any

from nuzoo.hub.local_hub.call import Call
from nuzoo.hub.local_hub.card_metadata import card_metadata
from nuzoo.hub.local_hub.commits import read_change
from nuzoo.hub.local_hub.messages import Reply, json_reply
from nuzoo.hub.local_hub.refusals import RefusedError, bad_request
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
    files = call.writable().find(call.revision).files
    return json_reply(
        {"files": [_upload_mode(wanted, files.get(wanted["path"])) for wanted in _wanted_files(call)]}
    )


def lfs_batch(call: Call) -> Reply:
    """Give an address for each large object that is not there yet."""
    repository = call.writable()
    fields = call.request.fields()
    if fields.get("operation") != "upload":
        raise bad_request(f"expected the operation upload, got {fields.get('operation')!r}")
    objects: list[dict[str, Any]] = []
    for wanted in fields.get("objects", []):
        sha256, size = str(wanted["oid"]), int(wanted["size"])
        answer: dict[str, Any] = {"oid": sha256, "size": size}
        if not repository.object_path(sha256).exists():
            answer["actions"] = _lfs_actions(call, sha256)
        objects.append(answer)
    return json_reply({"transfer": "basic", "objects": objects, "hash_algo": "sha256"}, headers=LFS_JSON)


def put_lfs_object(call: Call) -> Reply:
    """Store a large object if its bytes have the sha256 of its address."""
    sha256 = call.path
    call.access.check_signature(f"{call.kind} {call.name} {sha256}", call.request.query.get("signature", ""))
    repository = call.access.repositories.find(call.kind, call.name)
    if repository is None:
        raise RefusedError(404, f"{call.name} is gone", "RepoNotFound")
    repository.add_object(sha256, call.request.chunks())
    return Reply(200, {"ETag": f'"{sha256}"'})


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
    change = read_change(call.request.body)
    account = call.access.writer(call.request.headers)
    with call.access.repositories.writing:
        made = call.writable().commit(call.revision, change, account)
    url = f"{call.url}/commit/{made.id}"
    return json_reply({"success": True, "commitOid": made.id, "commitUrl": url, "hookOutput": ""})


def _wanted_files(call: Call) -> list[dict[str, Any]]:
    wanted = call.request.fields().get("files", [])
    return [file | {"path": checked_path(str(file.get("path", "")))} for file in wanted]


def _upload_mode(wanted: dict[str, Any], there: StoredFile | None) -> dict[str, Any]:
    sample = base64.b64decode(wanted.get("sample", ""))
    large = belongs_in_lfs(wanted["path"], int(wanted["size"]), sample)
    return {
        "path": wanted["path"],
        "uploadMode": "lfs" if large else "regular",
        "shouldIgnore": False,
        "oid": there.etag if there else None,
    }


def _lfs_actions(call: Call, sha256: str) -> dict[str, Any]:
    signature = call.access.signature(f"{call.kind} {call.name} {sha256}")
    address = f"{call.endpoint}/lfs/{call.kind}s/{call.name}"
    return {
        "upload": {"href": f"{address}/{sha256}?signature={signature}"},
        "verify": {"href": f"{address}/verify"},
    }
