"""Which call a request is."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from urllib.parse import unquote

from nuzoo.hub.local_hub import file_calls, repository_calls, upload_calls
from nuzoo.hub.local_hub.call import Call, Keys
from nuzoo.hub.local_hub.messages import Reply, Request, json_reply
from nuzoo.hub.local_hub.refusals import RefusedError
from nuzoo.hub.local_hub.repository import Repositories

NAME = r"(?P<name>[^/]+(?:/[^/]+)?)"
REPOSITORY = rf"/api/(?P<kind>model|dataset|space)s/{NAME}"
PAGE = rf"/(?:(?P<kind>dataset|space)s/)?{NAME}"
LFS = rf"/lfs/(?P<kind>model|dataset|space)s/{NAME}"
REVISION = r"(?P<revision>[^/]+)"

ROUTES: tuple[tuple[str, str, Callable[[Call], Reply]], ...] = (
    ("GET", "/api/whoami-v2", repository_calls.who_am_i),
    ("POST", "/api/repos/create", repository_calls.create_repository),
    ("DELETE", "/api/repos/delete", repository_calls.delete_repository),
    ("POST", "/api/validate-yaml", upload_calls.validate_card),
    ("GET", REPOSITORY + "(?:/revision/" + REVISION + ")?", repository_calls.describe),
    ("GET", REPOSITORY + "/commits/" + REVISION, repository_calls.list_commits),
    ("GET", REPOSITORY + "/tree/" + REVISION + "(?:/(?P<path>.+))?", file_calls.list_tree),
    ("POST", REPOSITORY + "/paths-info/" + REVISION, file_calls.describe_paths),
    ("POST", REPOSITORY + "/branch/" + REVISION, repository_calls.create_branch),
    ("POST", REPOSITORY + "/tag/" + REVISION, repository_calls.create_tag),
    ("POST", REPOSITORY + "/preupload/" + REVISION, upload_calls.choose_upload_modes),
    ("POST", REPOSITORY + "/commit/" + REVISION, upload_calls.commit),
    ("POST", PAGE + r"\.git/info/lfs/objects/batch", upload_calls.lfs_batch),
    ("POST", LFS + "/verify", upload_calls.verify_lfs_object),
    ("PUT", LFS + "/(?P<path>[0-9a-f]{64})", upload_calls.put_lfs_object),
    ("GET", PAGE + "/resolve/" + REVISION + "/(?P<path>.+)", file_calls.resolve),
)


def answer(request: Request, repositories: Repositories, keys: Keys, endpoint: str) -> Reply:
    """Do what a request asks for, or say why not; what may change a repository, one after another."""
    try:
        method = "GET" if request.method == "HEAD" else request.method
        for wanted, pattern, handle in ROUTES:
            found = re.fullmatch(pattern, request.raw_path) if wanted == method else None
            if found:
                named = {key: unquote(value) for key, value in found.groupdict().items() if value is not None}
                call = Call(request, repositories, keys, endpoint, **named)
                if method in ("GET", "PUT"):
                    return handle(call)
                _ = request.body  # read first: nobody shall wait for a client that is slow to send
                with repositories.writing:
                    return handle(call)
        raise RefusedError(404, f"this Hub has no {request.method} {request.path}")
    except RefusedError as refusal:
        return _refused(refusal)
    except ConnectionError:
        raise
    except Exception:
        traceback.print_exc()
        return _refused(RefusedError(500, "the local Hub failed; its error output says where"))


def _refused(refusal: RefusedError) -> Reply:
    message = " ".join(str(refusal).split()).encode("ascii", "replace").decode()
    headers = {"X-Error-Message": message, **refusal.headers}
    if refusal.code:
        headers["X-Error-Code"] = refusal.code
    return json_reply({"error": str(refusal), **refusal.body}, refusal.status, headers)
