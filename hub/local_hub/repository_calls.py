"""Calls about a repository as a whole: create, delete, describe, its branches, tags and commits."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import yaml

from nuzoo.files.names import CARD_FILE
from nuzoo.hub.local_hub.call import Call
from nuzoo.hub.local_hub.commits import Commit
from nuzoo.hub.local_hub.messages import Reply, json_reply
from nuzoo.hub.local_hub.refusals import RefusedError, bad_request
from nuzoo.hub.local_hub.repository import Repository

HEAD = re.compile(r"\A\s*---[ \t]*\r?\n(.*?\r?\n)?---[ \t]*(\r?\n|\Z)", re.DOTALL)
"""The YAML at the head of a card."""


def who_am_i(call: Call) -> Reply:
    """Describe the account of the token."""
    name = call.signed_in()
    return json_reply({"type": "user", "name": name, "fullname": name, "orgs": []})


def create_repository(call: Call) -> Reply:
    """Make a repository; if there is one, 409 with its address."""
    account, fields = call.writer(), call.request.fields()
    call = _named(call, fields, account)
    private = fields.get("private") is True or fields.get("visibility") == "private"
    made = {"url": call.url, "name": call.name}
    try:
        call.repositories.create(call.kind, call.name, private=private, author=account)
    except RefusedError as refusal:
        refusal.body = dict(made)
        raise
    return json_reply(made)


def delete_repository(call: Call) -> Reply:
    """Remove a repository."""
    call.repositories.delete(_named(call, call.request.fields(), call.signed_in()).writable())
    return json_reply({})


def describe(call: Call) -> Reply:
    """Describe a repository at a revision: id, commit, dates, files, and what its card says."""
    repository = call.readable()
    commit, facts = repository.find(call.revision), repository.facts
    card = _card(repository, commit)
    detailed = call.request.flag("blobs")
    described = {
        "id": call.name,
        "author": call.name.partition("/")[0],
        "sha": commit.id,
        "lastModified": commit.date,
        "createdAt": facts["created"],
        "private": facts["private"],
        "gated": "manual" if facts["gated"] else False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": card.get("tags", []),
        "cardData": card,
        "siblings": [
            {"rfilename": path}
            | ({"size": file.size, "blobId": file.oid, **file.lfs_facts("sha256")} if detailed else {})
            for path, file in sorted(commit.files.items())
        ],
    }
    described |= {key: card[key] for key in ("pipeline_tag", "library_name") if key in card}
    return json_reply(described, headers={"X-Repo-Commit": commit.id})


def create_branch(call: Call) -> Reply:
    """Start a branch at a revision."""
    call.writable().add_reference(
        "branches", call.revision, call.request.fields().get("startingPoint", "main")
    )
    return json_reply({})


def create_tag(call: Call) -> Reply:
    """Name a revision for good."""
    call.writable().add_reference("tags", str(call.request.fields().get("tag", "")), call.revision)
    return json_reply({})


def list_commits(call: Call) -> Reply:
    """Tell the history of a revision, newest first."""
    repository = call.readable()
    return json_reply(
        [
            {"id": commit.id, "title": commit.title, "message": commit.message, "date": commit.date}
            | {"authors": [{"user": commit.author}]}
            for commit in repository.history(repository.find(call.revision))
        ]
    )


def card_metadata(text: str) -> dict[str, Any]:
    """Read the YAML at the head of a card; empty if it has none.

    Raises:
        ValueError: Not YAML, or no mapping.
    """
    head = HEAD.match(text)
    try:
        found = yaml.safe_load(head[1] or "") if head else None
    except yaml.YAMLError as error:
        raise ValueError(f"the head of {CARD_FILE} is not YAML: {error}") from error
    if not isinstance(found, dict | None):
        raise ValueError(f"the head of {CARD_FILE} should be a mapping, it is a {type(found).__name__}")
    return found or {}


def _named(call: Call, fields: dict[str, Any], account: str) -> Call:
    kind, name = fields.get("type") or "model", fields.get("name")
    if not isinstance(name, str):
        raise bad_request(f"expected the name of a repository, got {name!r}")
    return replace(call, kind=kind, name=f"{fields.get('organization') or account}/{name}")


def _card(repository: Repository, commit: Commit) -> dict[str, Any]:
    readme = commit.files.get(CARD_FILE)
    if readme is None:
        return {}
    try:
        return card_metadata(repository.object_path(readme.sha256).read_bytes().decode(errors="replace"))
    except ValueError:
        return {}
