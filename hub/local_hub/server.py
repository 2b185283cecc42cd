"""The server: one thread for each connection, on 127.0.0.1 only."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from typing import cast

from nuzoo.hub.local_hub.call import Keys
from nuzoo.hub.local_hub.messages import CHUNK, Logged, Reply, Request
from nuzoo.hub.local_hub.repository import Repositories
from nuzoo.hub.local_hub.routes import answer

Intercept = Callable[[Request], Reply | None]


class LocalHub:
    """A Hub on this machine, whose repositories outlive it on disk.

    Args:
        root: Folder of the repositories.
        intercept: Sees each request first. What it returns is sent instead of the Hub's own reply,
            which `request.answer()` gives; None leaves the request to the Hub. May be set later.

    Attributes:
        endpoint: "http://127.0.0.1:<port>", while the Hub runs.
        token: Of the account "local", which may write everywhere.
        visitor_token: Of an account that may only read what is public.
        requests: What was asked so far and the status of the answer, oldest first.
        repositories: On disk; `repositories.find(kind, name)` gives one without HTTP.

    Example:
        ```
        with LocalHub(root) as hub:
            subprocess.run([...], env=os.environ | hub.environment(cache))
        ```
    """

    def __init__(self, root: Path, intercept: Intercept | None = None):
        self.repositories = Repositories(root)
        self.intercept = intercept
        self.requests: list[Logged] = []
        self._keys = Keys()
        self.token, self.visitor_token = self._keys.owner, self._keys.visitor
        self.endpoint = ""

    def __enter__(self) -> LocalHub:
        """Start to listen."""
        self._server = _Server(self)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and close what is still open."""
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()

    def environment(self, cache: Path) -> dict[str, str]:
        """Give the variables with which the client talks to this Hub, and to nothing else.

        The Hub is named as proxy too: what the libraries would ask of other hosts (the dataset viewer)
        ends here and is refused.

        Args:
            cache: Folder for all that the client keeps.
        """
        proxies = {"HTTP_PROXY": self.endpoint, "HTTPS_PROXY": self.endpoint, "NO_PROXY": "127.0.0.1"}
        return {
            "HF_ENDPOINT": self.endpoint,
            "HF_TOKEN": self.token,
            "HF_HOME": str(cache),
            "HF_HUB_CACHE": str(cache / "hub"),
            "HF_DATASETS_CACHE": str(cache / "datasets"),
            "HF_MODULES_CACHE": str(cache / "modules"),
            "HF_TOKEN_PATH": str(cache / "token"),
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
            "HF_UPDATE_DOWNLOAD_COUNTS": "0",
            "DISABLE_SAFETENSORS_CONVERSION": "1",
            **proxies,
            **{name.lower(): value for name, value in proxies.items()},
        }

    def gate(self, name: str, kind: str = "model") -> None:
        """Let nobody download the files of a repository that is there, as if its terms were not accepted."""
        with self.repositories.writing:
            repository = self.repositories.find(kind, name)
            assert repository is not None, f"expected a {kind} on this Hub, there is no {name}"
            repository.write_facts(repository.facts | {"gated": True})

    def reply_to(self, request: Request) -> Reply:
        """Make the reply to send, from the interceptor or from the Hub, and a line in the log."""
        reply = (self.intercept and self.intercept(request)) or request.answer()
        self.requests.append(Logged(request.method, request.path, request.headers, reply.status))
        return reply

    def answer(self, request: Request) -> Reply:
        """Make the Hub's own reply."""
        return answer(request, self.repositories, self._keys, self.endpoint)


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, hub: LocalHub):
        self.hub = hub
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def hang_up(self) -> None:
        """Close connections that clients keep open: a stopped Hub answers nobody."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        hub = cast(_Server, self.server).hub
        request = Request(self.command, self.path, self.headers, self._body(), hub.answer)
        reply = hub.reply_to(request)
        for _ in request.chunks():
            pass  # what nobody read would be taken for the next request
        self._send(reply)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    def _body(self) -> Iterator[bytes]:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield from self._exactly(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            yield from self._exactly(int(self.headers.get("Content-Length", 0)))

    def _exactly(self, size: int) -> Iterator[bytes]:
        while size:
            chunk = self.rfile.read(min(CHUNK, size))
            if not chunk:
                raise ConnectionAbortedError("the client went away in the middle of its request")
            size -= len(chunk)
            yield chunk

    def _send(self, reply: Reply) -> None:
        left = len(reply.body) if reply.stop_after is None else reply.stop_after
        self.close_connection |= reply.stop_after is not None
        if reply.stop_after == 0:
            return
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        for chunk in [reply.body] if isinstance(reply.body, bytes) else reply.body.chunks():
            self.wfile.write(chunk[:left])
            left -= len(chunk[:left])

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: `LocalHub.requests` is the log."""
