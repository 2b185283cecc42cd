"""Warn of pages that load something from another machine: the site is read where there is no network."""

import re

from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.pages import Page

LOADED = re.compile(
    r"<(?:script|img|link|iframe|source|video)\b[^>]*?\b(?:src|href)=[\"']?((?:https?:)?//[^\"'\s>]+)"
)
NOT_LOADED = re.compile(r"<link\b[^>]*\brel=[\"']?(?:canonical|prev|next)\b[^>]*>")

log = get_plugin_logger("offline")


def on_post_page(output: str, page: Page, **_: object) -> str:
    """Name what a built page loads from elsewhere; `--strict` makes that an error."""
    for address in LOADED.findall(NOT_LOADED.sub("", output)):
        log.warning("%s loads %s", page.file.src_uri, address)
    return output
