"""What the local Hub says when it refuses, with the codes that the client turns into exceptions."""

from __future__ import annotations


class RefusedError(Exception):
    """A request that is not granted.

    Args:
        status: Of HTTP.
        message: What was expected and what came.
        code: `X-Error-Code`, from which the client chooses its exception.
        headers: More headers of the answer.
        body: More fields of the answer's JSON.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        headers: dict[str, str] | None = None,
        body: dict[str, object] | None = None,
    ):
        super().__init__(message)
        self.status, self.code, self.headers, self.body = status, code, headers or {}, body or {}


def bad_request(message: str) -> RefusedError:
    """Refuse a client that asked for something that makes no sense."""
    return RefusedError(400, message)


def not_signed_in() -> RefusedError:
    """Refuse without a token; a repository that is missing looks the same then."""
    return RefusedError(401, "Invalid username or password.", "RepoNotFound")


def no_revision(revision: str) -> RefusedError:
    """Know neither a branch, nor a tag, nor a commit of this name."""
    return RefusedError(404, f"Invalid rev id: {revision}", "RevisionNotFound")


def no_entry(path: str, commit: str | None = None) -> RefusedError:
    """Know no such file or folder; the client remembers this for the commit."""
    headers = {"X-Repo-Commit": commit} if commit else {}
    return RefusedError(404, f"A file with this name doesn't exist: {path}", "EntryNotFound", headers)
