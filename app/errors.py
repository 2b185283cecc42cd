"""What the page says when it cannot answer: what was expected, what came, how to mend it."""

from __future__ import annotations


class AppError(ValueError):
    """Base of every error that the page raises itself."""


class QuestionError(AppError):
    """A question with something in it that the page does not offer."""


class UploadError(AppError):
    """Files that cannot be taken: too large, too many, gone, or with no event that can be read."""


class LimitError(AppError):
    """An answer that took more time or memory than an answer may."""


class UnknownFailureError(AppError):
    """An answer that failed in a way that is not told to whoever asked, since it may tell of the machine."""
