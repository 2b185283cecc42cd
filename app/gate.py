"""What stands before the page: it refuses what is too large unread, and keeps uploads apart."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

from nuzoo.app.limits import KEPT_SECONDS, MEGABYTE, Limits
from nuzoo.app.uploads import keep_apart, too_large

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

UPLOAD = "/gradio_api/upload"
CLOSED = ("/gradio_api/file", "/gradio_api/proxy", "/gradio_api/stream", "/gradio_api/process_recording")
"""Nothing on the disk is served: what a page shows is in it."""

REST = MEGABYTE
"""Bytes of a request beside its files."""

UPLOADS_KEPT = 20
"""Full uploads that may wait for their questions."""

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'self'"
)
"""Nothing is fetched from elsewhere, whatever the page or an event would have."""


class Gate:
    """Middleware before Gradio.

    Args:
        app: What is behind it.
        uploads: Folder of uploads.
        limits: Of these.
    """

    def __init__(self, app: ASGIApp, uploads: Path, limits: Limits) -> None:
        self.app, self.uploads, self.limits = app, uploads, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
        elif scope["path"].rstrip("/") == UPLOAD:
            await self._upload(scope, receive, send)
        else:
            await self.app(scope, receive, _with_policy(send))

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        """Say no to a request that is not for this page, or is too large."""
        path = scope["path"]
        if path.startswith(CLOSED):
            return PlainTextResponse("expected a page, got a file: none is served", 403)
        if scope["method"] not in ("POST", "PUT", "PATCH"):
            return None
        length = Headers(scope=scope).get("content-length", "")
        if not length.isdecimal():
            return PlainTextResponse("expected the length of what is sent, got none", 411)
        is_upload = path.startswith(UPLOAD)
        if int(length) > (self.limits.upload if is_upload else 0) + REST:
            return PlainTextResponse(too_large(self.limits, f"{int(length) / MEGABYTE:.0f} MB"), 413)
        if is_upload and self._waiting() > UPLOADS_KEPT * self.limits.upload:
            return PlainTextResponse("too many files wait for an answer: try again in some minutes", 503)
        return None

    def _waiting(self) -> int:
        """Count the bytes of all uploads."""
        return sum(file.stat().st_size for file in self.uploads.rglob("*") if file.is_file())

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let files in, each into a folder of a random name, for some time."""
        messages: list[Message] = []

        async def hold(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, hold)
        start, body = messages[0], b"".join(message.get("body", b"") for message in messages[1:])
        if start["status"] == 200:
            body = json.dumps([str(self._keep(Path(path))) for path in json.loads(body)]).encode()
        MutableHeaders(scope=start)["content-length"] = str(len(body))
        await send(start)
        await send({"type": "http.response.body", "body": body})

    def _keep(self, path: Path) -> Path:
        kept = keep_apart(path, self.uploads)
        asyncio.get_running_loop().call_later(KEPT_SECONDS, shutil.rmtree, kept.parent, True)
        return kept


def _with_policy(send: Send) -> Send:
    """Add to the head of an answer what its page may do."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["content-security-policy"] = POLICY
        await send(message)

    return sent
