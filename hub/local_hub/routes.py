"""Which call a request is."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from urllib.parse import unquote

from nuzoo.hub.local_hub import file_calls, repository_calls, upload_calls
from nuzoo.hub.local_hub.access import Access
from nuzoo.hub.local_hub.call import Call
from nuzoo.hub.local_hub.messages import Reply, Request, json_reply
from nuzoo.hub.local_hub.refusals import RefusedError

NAME = r"(?P<name>[^/]+(?:/[^/]+)?)"
REPOSITORY = rf"/api/(?P<kind>model|dataset)s/{NAME}"
PAGE = rf"/(?:(?P<kind>dataset)s/)?{NAME}"
REVISION = r"(?P<revision>[^/]+)"

ROUTES: tuple[tuple[str, str, Callable[[Call], Reply]], ...] = (
    ("GET", "/api/whoami-v2", repository_calls.who_am_i),
    ("POST", "/api/repos/create", repository_calls.create_repository),
    ("DELETE", "/api/repos/delete", repository_calls.delete_repository),
    ("POST", "/api/validate-yaml", upload_calls.validate_card),
    ("GET", REPOSITORY + "/auth-check", repository_calls.check_access),
    ("GET", REPOSITORY + "/refs", repository_calls.list_references),
    ("GET", REPOSITORY, repository_calls.describe),
    ("GET", REPOSITORY + "/revision/" + REVISION, repository_calls.describe),
    ("GET", REPOSITORY + "/commits/" + REVISION, repository_calls.list_commits),
    ("GET", REPOSITORY + "/tree/" + REVISION + "(?:/(?P<path>.+))?", file_calls.list_tree),
    ("POST", REPOSITORY + "/paths-info/" + REVISION, file_calls.describe_paths),
    ("POST", REPOSITORY + "/branch/" + REVISION, repository_calls.create_branch),
    ("DELETE", REPOSITORY + "/branch/" + REVISION, repository_calls.delete_branch),
    ("POST", REPOSITORY + "/tag/" + REVISION, repository_calls.create_tag),
    ("DELETE", REPOSITORY + "/tag/" + REVISION, repository_calls.delete_tag),
    ("POST", REPOSITORY + "/preupload/" + REVISION, upload_calls.choose_upload_modes),
    ("POST", REPOSITORY + "/commit/" + REVISION, upload_calls.commit),
    ("POST", PAGE + r"\.git/info/lfs/objects/batch", upload_calls.lfs_batch),
    ("POST", "/lfs/(?P<kind>model|dataset)s/" + NAME + "/verify", upload_calls.verify_lfs_object),
    (
        "PUT",
        "/lfs/(?P<kind>model|dataset)s/" + NAME + "/(?P<path>[0-9a-f]{64})",
        upload_calls.put_lfs_object,
    ),
    ("GET", PAGE + "/resolve/" + REVISION + "/(?P<path>.+)", file_calls.resolve),
)


def answer(request: Request, access: Access, endpoint: str) -> Reply:
    """Do what a request asks for, or say why not."""
    try:
        return _dispatch(request, access, endpoint)
    except RefusedError as refusal:
        return _refused(refusal)
    except ConnectionError:
        raise
    except Exception:
        traceback.print_exc()
        return _refused(RefusedError(500, "the local Hub failed; its error output says where"))


def _dispatch(request: Request, access: Access, endpoint: str) -> Reply:
    method = "GET" if request.method == "HEAD" else request.method
    for wanted, pattern, handle in ROUTES:
        found = re.fullmatch(pattern, request.raw_path) if wanted == method else None
        if found:
            named = {key: unquote(value) for key, value in found.groupdict().items() if value is not None}
            return handle(Call(request, access, endpoint, **named))
    raise RefusedError(404, f"this Hub has no {request.method} {request.path}")


def _refused(refusal: RefusedError) -> Reply:
    headers = {"X-Error-Message": _one_line(str(refusal)), **refusal.headers}
    if refusal.code:
        headers["X-Error-Code"] = refusal.code
    return json_reply({"error": str(refusal), **refusal.body}, refusal.status, headers)


def _one_line(text: str) -> str:
    return " ".join(text.split()).encode("ascii", "replace").decode()
