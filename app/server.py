"""The server of the page: where it listens, and where uploads are kept while it does."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware

from nuzoo.app.answer_process import end_all, warm_up
from nuzoo.app.asking import Asker
from nuzoo.app.gate import Gate
from nuzoo.app.limits import Limits

HOST = "127.0.0.1"
"""This machine alone."""

QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}
"""Nothing is fetched, and nobody is told: models come with the package."""


@dataclass(frozen=True)
class Address:
    """Where the page is.

    Attributes:
        local: URL on this machine.
        public: URL of a link for others, if there is one.
    """

    local: str
    public: str | None


@contextmanager
def serving(
    limits: Limits, *, host: str = HOST, port: int | None = None, share: bool = False
) -> Iterator[Address]:
    """Serve the page until the block ends.

    Args:
        limits: Of uploads and answers.
        host: Address to listen on.
        port: Of it; None for the first free one from 7860 on.
        share: Make a link for others through the servers of Gradio.

    Raises:
        OSError: The port is taken.
    """
    with tempfile.TemporaryDirectory(prefix="nuzoo-app-", ignore_cleanup_errors=True) as place:
        uploads, answers = Path(place).resolve() / "uploads", Path(place).resolve() / "answers"
        uploads.mkdir()
        answers.mkdir()
        os.environ.update(QUIET | {"GRADIO_TEMP_DIR": str(uploads)})  # before gradio is imported
        from nuzoo.app.page import make_page, style, theme

        warm_up()
        page = make_page(Asker(limits, uploads, answers))
        options: dict[str, Any] = {"run_history": False, "ssr_mode": False, "pwa": False, "mcp_server": False}
        _, local, public = page.launch(
            server_name=host,
            server_port=port,
            share=share,
            max_file_size=limits.upload,
            app_kwargs={"middleware": [Middleware(Gate, uploads=uploads, limits=limits)]},
            theme=theme(),
            css=style(limits),
            footer_links=[],
            enable_monitoring=False,
            prevent_thread_lock=True,
            quiet=True,
            **options,
        )
        try:
            yield Address(local, public)
        finally:
            end_all()
            page.close(verbose=False)
