"""A request that a route has recognised: what it is about."""

from __future__ import annotations

from dataclasses import dataclass

from nuzoo.hub.local_hub.access import Access
from nuzoo.hub.local_hub.messages import Request
from nuzoo.hub.local_hub.repository import Repository


@dataclass(frozen=True)
class Call:
    """A request that a route has recognised.

    Attributes:
        request: As it came.
        access: To the repositories.
        endpoint: Of the server, to make addresses.
        kind: "model" or "dataset".
        name: "organisation/name".
        revision: Branch, tag or commit; where a route calls for one.
        path: Of a file or a folder, empty for the root.
    """

    request: Request
    access: Access
    endpoint: str
    kind: str = "model"
    name: str = ""
    revision: str = "main"
    path: str = ""

    @property
    def url(self) -> str:
        """Address of the repository's page."""
        return repository_url(self.endpoint, self.kind, self.name)

    def readable(self) -> Repository:
        """The repository, to list."""
        return self.access.readable(self.request.headers, self.kind, self.name)

    def writable(self) -> Repository:
        """The repository, to change."""
        return self.access.writable(self.request.headers, self.kind, self.name)

    def downloadable(self) -> Repository:
        """The repository, to read its files."""
        return self.access.downloadable(self.request.headers, self.kind, self.name)


def repository_url(endpoint: str, kind: str, name: str) -> str:
    """Address of a repository's page."""
    return f"{endpoint}/{'' if kind == 'model' else f'{kind}s/'}{name}"
