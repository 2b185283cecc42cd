"""A request that a route has recognised: who asks, and about what."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from nuzoo.hub.local_hub.messages import Request
from nuzoo.hub.local_hub.refusals import RefusedError, not_signed_in
from nuzoo.hub.local_hub.repository import Repositories, Repository

OWNER, VISITOR = "local", "visitor"


def _new_token() -> str:
    return f"hf_{secrets.token_hex(17)}"


@dataclass(frozen=True)
class Keys:
    """The secrets of a Hub, new whenever it starts.

    Attributes:
        owner: Token of the account that may write everywhere.
        visitor: Token of an account that owns nothing: private repositories do not exist for it.
        upload: In addresses for large files, whose uploads bring no token.
    """

    owner: str = field(default_factory=_new_token)
    visitor: str = field(default_factory=_new_token)
    upload: str = field(default_factory=secrets.token_hex)


@dataclass(frozen=True)
class Call:
    """A request that a route has recognised.

    Attributes:
        request: As it came.
        repositories: All of the Hub.
        keys: By which the sender is known.
        endpoint: Of the server, to make addresses.
        kind: "model", "dataset" or "space".
        name: "organisation/name".
        revision: Branch, tag or commit; where a route calls for one.
        path: Of a file or a folder, empty for the root.
    """

    request: Request
    repositories: Repositories
    keys: Keys
    endpoint: str
    kind: str = "model"
    name: str = ""
    revision: str = "main"
    path: str = ""

    @property
    def url(self) -> str:
        """Address of the repository's page."""
        return f"{self.endpoint}/{'' if self.kind == 'model' else f'{self.kind}s/'}{self.name}"

    def account(self) -> str | None:
        """Name the account whose token the request carries, None without one; refuse a wrong token."""
        names = {None: None, f"Bearer {self.keys.owner}": OWNER, f"Bearer {self.keys.visitor}": VISITOR}
        sent = self.request.headers.get("Authorization")
        if sent not in names:
            raise RefusedError(401, "Invalid credentials in Authorization header")
        return names[sent]

    def signed_in(self) -> str:
        """Name the account; refuse a request without a token."""
        account = self.account()
        if account is None:
            raise not_signed_in()
        return account

    def writer(self) -> str:
        """Name an account that may write; refuse others."""
        account = self.signed_in()
        if account != OWNER:
            raise RefusedError(403, f"the account {account} may not write here")
        return account

    def readable(self) -> Repository:
        """Find the repository, to list.

        Raises:
            RefusedError: There is none, or it is private and not the sender's. Without a token, both
                look like a missing sign-in.
        """
        account, repository = self.account(), self.repositories.find(self.kind, self.name)
        if repository and (account == OWNER or not repository.facts["private"]):
            return repository
        if account is None:
            raise not_signed_in()
        raise RefusedError(404, f"Repository {self.name} not found", "RepoNotFound")

    def writable(self) -> Repository:
        """Find the repository, to change; refuse one that is not readable, or not the sender's."""
        repository = self.readable()
        self.writer()
        return repository

    def downloadable(self) -> Repository:
        """Find the repository, to read its files; refuse one that is not readable, or gated."""
        repository = self.readable()
        if repository.facts["gated"]:
            status = 403 if self.account() else 401
            raise RefusedError(status, f"Access to {self.kind} {self.name} is restricted", "GatedRepo")
        return repository
