"""Who may do what: the owner of the token everything, a visitor only what is public."""

from __future__ import annotations

import hmac
import secrets
from email.message import Message

from nuzoo.hub.local_hub.refusals import RefusedError, no_repository, not_signed_in, wrong_token
from nuzoo.hub.local_hub.repositories import Repositories
from nuzoo.hub.local_hub.repository import Repository

OWNER = "local"
VISITOR = "visitor"


class Access:
    """The repositories, as far as the sender of a request may use them.

    Args:
        repositories: All of them.

    Attributes:
        token: Of the account that may write everywhere.
        visitor_token: Of an account that owns nothing: private repositories do not exist for it.
    """

    def __init__(self, repositories: Repositories):
        self.repositories = repositories
        self.token = f"hf_{secrets.token_hex(17)}"
        self.visitor_token = f"hf_{secrets.token_hex(17)}"
        self._secret = secrets.token_bytes(32)

    def account(self, headers: Message) -> str | None:
        """Name of the account whose token the request carries, None without a token.

        Raises:
            RefusedError: The token belongs to nobody.
        """
        sent = headers.get("Authorization")
        if sent is None:
            return None
        for token, name in ((self.token, OWNER), (self.visitor_token, VISITOR)):
            if hmac.compare_digest(sent.encode(), f"Bearer {token}".encode()):
                return name
        raise wrong_token()

    def signed_in(self, headers: Message) -> str:
        """Name of the account.

        Raises:
            RefusedError: No token, or a wrong one.
        """
        account = self.account(headers)
        if account is None:
            raise not_signed_in()
        return account

    def writer(self, headers: Message) -> str:
        """Name of an account that may write.

        Raises:
            RefusedError: No token, a wrong one, or that of a visitor.
        """
        account = self.signed_in(headers)
        if account != OWNER:
            raise RefusedError(403, f"the account {account} may not write here")
        return account

    def readable(self, headers: Message, kind: str, name: str) -> Repository:
        """A repository to list.

        Raises:
            RefusedError: There is none, or it is private and not the sender's. Without a token, both
                look like a missing sign-in.
        """
        account = self.account(headers)
        repository = self.repositories.find(kind, name)
        if repository and (account == OWNER or not repository.facts["private"]):
            return repository
        raise no_repository(name) if account else not_signed_in()

    def writable(self, headers: Message, kind: str, name: str) -> Repository:
        """A repository to change.

        Raises:
            RefusedError: It is not readable, or the sender may not write.
        """
        repository = self.readable(headers, kind, name)
        self.writer(headers)
        return repository

    def downloadable(self, headers: Message, kind: str, name: str) -> Repository:
        """A repository whose files may be read.

        Raises:
            RefusedError: It is not readable, or gated.
        """
        repository = self.readable(headers, kind, name)
        if repository.facts["gated"]:
            status = 403 if self.account(headers) else 401
            raise RefusedError(status, f"Access to {kind} {name} is restricted", "GatedRepo")
        return repository

    def signature(self, text: str) -> str:
        """What makes an address that this Hub gave out known to it: uploads of LFS bring no token."""
        return hmac.new(self._secret, text.encode(), "sha256").hexdigest()

    def check_signature(self, text: str, signature: str) -> None:
        """Let pass what `signature` made.

        Raises:
            RefusedError: Another signature.
        """
        if not hmac.compare_digest(self.signature(text), signature):
            raise RefusedError(403, "the address of this upload was not given out by this Hub")
