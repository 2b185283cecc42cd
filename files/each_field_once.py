"""YAML in which no field is there twice."""

from __future__ import annotations

from typing import Any

import yaml


class EachFieldOnce(yaml.SafeLoader):
    """Refuses a field that is there twice, of which YAML would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Make the fields of a section.

        Raises:
            ValueError: One is there twice.
        """
        names = [key.value for key, _ in node.value]
        if twice := sorted({str(name) for name in names if names.count(name) > 1}):
            raise ValueError(
                f"line {node.start_mark.line + 1}: expected each field once, got {', '.join(twice)} again"
            )
        return super().construct_mapping(node, deep)
