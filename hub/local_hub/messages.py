"""A request as it arrives, and the reply to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from nuzoo.hub.local_hub.refusals import bad_request

CHUNK = 1 << 20


@dataclass(frozen=True)
class FilePart:
    """Bytes `start` to `stop` of a file, read when they are sent."""

    path: Path
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def chunks(self) -> Iterator[bytes]:
        """Read in pieces of at most a mebibyte."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            left = len(self)
            while left and (chunk := file.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk


@dataclass(frozen=True)
class Reply:
    """What is sent back.

    Attributes:
        status: Of HTTP.
        headers: Content-Length is added where it is missing.
        body: Bytes, or a part of a file.
        stop_after: Close the connection after so many bytes of the body; 0 sends no headers either.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | FilePart = b""
    stop_after: int | None = None

    def read(self) -> bytes:
        """Read the whole body, e.g. to change a byte of it."""
        return self.body if isinstance(self.body, bytes) else b"".join(self.body.chunks())


def json_reply(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer with JSON; what JSON does not know (dates of a card) is written as text."""
    body = json.dumps(content, default=str).encode()
    return Reply(status, {"Content-Type": "application/json; charset=utf-8", **(headers or {})}, body)


Answer = Callable[["Request"], Reply]


class Request:
    """One request.

    Args:
        method: GET, HEAD, POST, PUT or DELETE.
        target: Path and query as sent, percent-encoded.
        headers: Names are looked up in any case.
        chunks: The body, which can be read once.
        answer: Gives the reply that the Hub would send by itself.
    """

    def __init__(self, method: str, target: str, headers: Message, chunks: Iterator[bytes], answer: Answer):
        self.method, self.headers = method, headers
        self.raw_path, _, query = target.partition("?")
        self.query = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
        self._chunks, self._answer = chunks, answer

    @property
    def path(self) -> str:
        """Decoded, without the query."""
        return unquote(self.raw_path)

    @cached_property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self._chunks)

    def chunks(self) -> Iterator[bytes]:
        """Give the body in pieces, without holding all of it."""
        return iter([self.body]) if "body" in self.__dict__ else self._chunks

    def fields(self) -> dict[str, Any]:
        """Read the body as JSON, or as a form whose fields are lists; refuse what is neither."""
        try:
            if "x-www-form-urlencoded" in self.headers.get("Content-Type", ""):
                return dict(parse_qs(self.body.decode()))
            return dict(json.loads(self.body or b"{}"))
        except (ValueError, TypeError) as error:
            raise bad_request(f"expected a form or a JSON object: {error}") from error

    def flag(self, name: str) -> bool:
        """Tell whether a field of the query is set to true."""
        return self.query.get(name, "").lower() in ("1", "true")

    def answer(self) -> Reply:
        """Make the reply that the Hub would send, for tests that break it on its way."""
        return self._answer(self)


@dataclass(frozen=True)
class Logged:
    """A request that was answered, without its body."""

    method: str
    path: str
    headers: Message
    status: int
