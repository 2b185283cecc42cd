"""The YAML at the head of a README.md."""

from __future__ import annotations

import re
from typing import Any

import yaml

HEAD = re.compile(r"\A\s*---[ \t]*\r?\n(.*?\r?\n)?---[ \t]*(\r?\n|\Z)", re.DOTALL)


def card_metadata(text: str) -> dict[str, Any]:
    """Read the metadata of a card; empty if it has none.

    Raises:
        ValueError: Not YAML, or no mapping.
    """
    head = HEAD.match(text)
    if head is None:
        return {}
    try:
        found = yaml.safe_load(head[1] or "")
    except yaml.YAMLError as error:
        raise ValueError(f"the head of README.md is not YAML: {error}") from error
    if not isinstance(found, dict | None):
        raise ValueError(f"the head of README.md should be a mapping, it is a {type(found).__name__}")
    return found or {}
