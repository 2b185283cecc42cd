"""Calls about a repository as a whole: create, delete, describe, its branches, tags and commits."""

from __future__ import annotations

from typing import Any

from nuzoo.hub.local_hub.call import Call, repository_url
from nuzoo.hub.local_hub.card_metadata import card_metadata
from nuzoo.hub.local_hub.commits import Commit
from nuzoo.hub.local_hub.messages import Reply, json_reply
from nuzoo.hub.local_hub.refusals import RefusedError, bad_request
from nuzoo.hub.local_hub.repository import Repository


def who_am_i(call: Call) -> Reply:
    """The account of the token."""
    name = call.access.signed_in(call.request.headers)
    return json_reply({"type": "user", "name": name, "fullname": name, "orgs": []})


def create_repository(call: Call) -> Reply:
    """Make a repository; if there is one, 409 with its address."""
    account = call.access.writer(call.request.headers)
    fields = call.request.fields()
    kind, name = _named(fields, account)
    url = repository_url(call.endpoint, kind, name)
    private = fields.get("private") is True or fields.get("visibility") == "private"
    try:
        with call.access.repositories.writing:
            call.access.repositories.create(kind, name, private=private, author=account)
    except RefusedError as refusal:
        refusal.body = {"url": url, "name": name}
        raise
    return json_reply({"url": url, "name": name})


def delete_repository(call: Call) -> Reply:
    """Remove a repository."""
    headers = call.request.headers
    kind, name = _named(call.request.fields(), call.access.signed_in(headers))
    with call.access.repositories.writing:
        call.access.repositories.delete(call.access.writable(headers, kind, name))
    return json_reply({})


def describe(call: Call) -> Reply:
    """A repository at a revision: id, commit, dates, files, and what its card says."""
    repository = call.readable()
    commit, facts = repository.find(call.revision), repository.facts
    card = _card(repository, commit)
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
        "siblings": _siblings(commit, detailed=call.request.flag("blobs")),
    }
    for key in ("pipeline_tag", "library_name"):
        if key in card:
            described[key] = card[key]
    return json_reply(described, headers={"X-Repo-Commit": commit.id})


def check_access(call: Call) -> Reply:
    """Whether the files may be read."""
    call.downloadable()
    return json_reply({})


def list_references(call: Call) -> Reply:
    """Branches and tags."""
    facts = call.readable().facts
    listed: dict[str, list[dict[str, str]]] = {"converts": [], "pullRequests": []}
    for group, prefix in (("branches", "heads"), ("tags", "tags")):
        listed[group] = [
            {"name": name, "ref": f"refs/{prefix}/{name}", "targetCommit": commit}
            for name, commit in facts[group].items()
        ]
    return json_reply(listed)


def create_branch(call: Call) -> Reply:
    """Start a branch at a revision."""
    start = call.request.fields().get("startingPoint", "main")
    return _add_reference(call, "branches", call.revision, start)


def delete_branch(call: Call) -> Reply:
    """Forget a branch."""
    return _remove_reference(call, "branches")


def create_tag(call: Call) -> Reply:
    """Name a revision for good."""
    return _add_reference(call, "tags", str(call.request.fields().get("tag", "")), call.revision)


def delete_tag(call: Call) -> Reply:
    """Forget a tag."""
    return _remove_reference(call, "tags")


def list_commits(call: Call) -> Reply:
    """History of a revision, newest first."""
    repository = call.readable()
    return json_reply(
        [
            {
                "id": commit.id,
                "title": commit.title,
                "message": commit.message,
                "authors": [{"user": commit.author}],
                "date": commit.date,
            }
            for commit in repository.history(repository.find(call.revision))
        ]
    )


def _named(fields: dict[str, Any], account: str) -> tuple[str, str]:
    kind, name = fields.get("type") or "model", fields.get("name")
    if not isinstance(name, str):
        raise bad_request(f"expected the name of a repository, got {name!r}")
    return kind, f"{fields.get('organization') or account}/{name}"


def _card(repository: Repository, commit: Commit) -> dict[str, Any]:
    readme = commit.files.get("README.md")
    if readme is None:
        return {}
    text = repository.object_path(readme.sha256).read_bytes().decode(errors="replace")
    try:
        return card_metadata(text)
    except ValueError:
        return {}


def _siblings(commit: Commit, detailed: bool) -> list[dict[str, Any]]:
    siblings: list[dict[str, Any]] = []
    for path, file in sorted(commit.files.items()):
        sibling: dict[str, Any] = {"rfilename": path}
        if detailed:
            sibling |= {"size": file.size, "blobId": file.oid}
            if file.lfs:
                sibling["lfs"] = {"size": file.size, "sha256": file.sha256, "pointerSize": file.pointer_size}
        siblings.append(sibling)
    return siblings


def _add_reference(call: Call, group: str, name: str, revision: str) -> Reply:
    with call.access.repositories.writing:
        call.writable().add_reference(group, name, revision)
    return json_reply({})


def _remove_reference(call: Call, group: str) -> Reply:
    with call.access.repositories.writing:
        call.writable().remove_reference(group, call.revision)
    return json_reply({})
