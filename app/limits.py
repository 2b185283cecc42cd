"""What an answer may cost."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1_000_000

KEPT_SECONDS = 600
"""How long an upload waits for its question."""

MOST_FILES = 10
"""Of one question: an event may be several."""

MOST_WAITING = 20
"""Questions that wait for their turn."""


@dataclass(frozen=True)
class Limits:
    """What an answer may cost.

    Attributes:
        upload_mb: Megabytes of the files of a question together.
        seconds: For an answer.
        memory_mb: Megabytes of memory that it may take, beside models and libraries.
        at_once: Answers that are made at the same time.
    """

    upload_mb: int = 50
    seconds: int = 60
    memory_mb: int = 2000
    at_once: int = 2

    @property
    def upload(self) -> int:
        """Bytes of an upload."""
        return self.upload_mb * MEGABYTE
