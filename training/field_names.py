"""Names of the fields of a class of a library that takes seconds to import, read from its source."""

import ast
from importlib.util import find_spec
from pathlib import Path


def field_names(package: str, file: str, kind: str) -> list[str]:
    """Name the annotated fields of a class.

    Args:
        package: Where it is; it is not imported.
        file: In the package.
        kind: The class.

    Returns:
        The names; none where the package keeps the class elsewhere.
    """
    spec = find_spec(package)
    source = Path(spec.origin or "").parent / file if spec else Path()
    if not source.is_file():
        return []
    classes = [
        node
        for node in ast.parse(source.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name == kind
    ]
    fields = [line.target for one in classes for line in one.body if isinstance(line, ast.AnnAssign)]
    return [field.id for field in fields if isinstance(field, ast.Name)]
