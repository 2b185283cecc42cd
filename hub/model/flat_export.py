"""Copy the code that a repository needs to where its weights are: flat, and without this package.

`trust_remote_code=True` reads modules from the top of a repository only, and follows relative imports
between them. So the modules of the classes, which may be those of a plug-in, and the closure of what they
import of ours and of its package are copied there, each `from nuzoo.room.module import …` rewritten to
`from .module import …`, and nothing else changed. What cannot be copied is refused.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from nuzoo import __version__
from nuzoo.hub.errors import NotExportableError

PACKAGE = "nuzoo"
ROOMS = ("files", "configuration", "processors", "modeling", "pipelines")
ALWAYS_THERE = frozenset({"torch", "transformers", "numpy", "huggingface_hub", "safetensors", "tokenizers"})
"""What the code may import unguarded: torch, and transformers with what it cannot be without."""

DYNAMIC_IMPORTS = frozenset({"import_module", "__import__"})
SIBLING = re.compile(r"^\s*from\s+\.(\S+)\s+import", re.MULTILINE)
"""What transformers takes for an import of a sibling, in docstrings too (`get_relative_imports`)."""


@dataclass(frozen=True)
class SourceImport:
    """One import in a module.

    Attributes:
        module: Absolute name.
        names: What is imported from it; empty for `import module`.
        line: Line number, from one.
        guarded: Whether it may fail: in a `try`, or under `if is_…_available()`.
        copied: Whether the module goes into the repository as well.
    """

    module: str
    names: tuple[str, ...]
    line: int
    guarded: bool
    copied: bool


def export_code(classes: Iterable[type], folder: Path) -> list[str]:
    """Write the modules of some classes, and all of ours that these import, into a folder.

    Args:
        classes: Of our rooms, or of a plug-in; several of one module make one file.
        folder: Where; it exists.

    Returns:
        The names of the files.

    Raises:
        NotExportableError: Something imports what a repository cannot bring along; nothing is written.
    """
    sources = flat_sources(kind.__module__ for kind in classes)
    for name, text in sources.items():
        (folder / name).write_text(text, encoding="utf-8")
    return sorted(sources)


def reference(kind: type) -> str:
    """Name a class of an exported module as an `auto_map` does: "modeling_nu_cnn.NuCnnModel"."""
    return f"{_stem(kind.__module__)}.{kind.__name__}"


def flat_sources(modules: Iterable[str]) -> dict[str, str]:
    """Make the text of each file of the flat copy, by its name.

    Args:
        modules: Absolute names, of this package or of another.

    Raises:
        NotExportableError: See `export_code`.
    """
    waiting = sorted(set(modules))
    packages = frozenset({PACKAGE, *(_package(module) for module in waiting)})
    flat: dict[str, str] = {}
    origins: dict[str, str] = {}
    siblings: dict[str, list[str]] = {}
    while waiting:
        module = waiting.pop()
        name = f"{_stem(module)}.py"
        if origins.setdefault(name, module) != module:
            raise NotExportableError(
                f"{module} and {origins[name]} would both become {name}: give one of them another name"
            )
        if name not in flat:
            if _package(module) == PACKAGE:
                _refuse_other_room(module)
            text = _source(module)
            imports = list(_imports_below(ast.parse(text), module, packages, guarded=False))
            for found in imports:
                _refuse(module, found)
            flat[name] = _rewritten(module, text, imports)
            copied = [found.module for found in imports if found.copied]
            siblings[name] = [f"{_stem(other)}.py" for other in copied]
            waiting += copied
    return {name: text + _all_at_once(name, siblings) for name, text in flat.items()}


def _all_at_once(name: str, siblings: Mapping[str, list[str]]) -> str:
    """Name every file that one needs, also through others, where transformers looks for their names.

    It fetches what a file names and has not been fetched, and takes for complete whatever has been: of two
    processes that load a repository for the first time, one would miss what the other is still fetching.
    """
    needed, waiting = set[str](), list(siblings[name])
    while waiting:
        if (other := waiting.pop()) not in needed:
            needed.add(other)
            waiting += siblings[other]
    indirect = sorted(needed - {name, *siblings[name]})
    lines = (f"    from .{other.removesuffix('.py')} import __name__ as _\n" for other in indirect)
    return f"\n\nif False:  # what it needs through others\n{''.join(lines)}" if indirect else ""


def _stem(module: str) -> str:
    return module.rpartition(".")[2]


def _package(module: str) -> str:
    return module.partition(".")[0]


def _refuse_other_room(module: str) -> None:
    parts = module.split(".")
    if len(parts) < 3 or parts[1] not in ROOMS:
        raise NotExportableError(
            f"{module} cannot go into a repository: expected a module of {', '.join(ROOMS)}. "
            "Move what is needed there, or import it where it is used outside of these rooms"
        )


def _source(module: str) -> str:
    spec = find_spec(module)
    if spec is None or spec.origin is None or spec.submodule_search_locations is not None:
        raise NotExportableError(f"{module} is no module with a source file: name the module itself")
    return Path(spec.origin).read_text(encoding="utf-8")


def _imports_below(
    node: ast.AST, module: str, packages: frozenset[str], guarded: bool
) -> Iterator[SourceImport]:
    """Give every import of a module, wherever it stands."""

    def found(name: str, names: tuple[str, ...], line: int) -> SourceImport:
        return SourceImport(name, names, line, guarded, copied=_package(name) in packages)

    if isinstance(node, ast.Import):
        for alias in node.names:
            yield found(alias.name, (), node.lineno)
    elif isinstance(node, ast.ImportFrom):
        yield found(_absolute(module, node), tuple(alias.name for alias in node.names), node.lineno)
    elif isinstance(node, ast.Call) and _called(node) in DYNAMIC_IMPORTS:
        raise NotExportableError(
            f"{module}, line {node.lineno}: {_called(node)}() hides what it imports; use an import statement"
        )
    for child in ast.iter_child_nodes(node):
        yield from _imports_below(child, module, packages, guarded or _guards(node, child))


def _absolute(module: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    return ".".join([*module.split(".")[: -node.level], *filter(None, [node.module])])


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _guards(node: ast.AST, child: ast.AST) -> bool:
    """Tell whether transformers lets an import below `node` fail (`get_imports`)."""
    if isinstance(node, ast.Try):
        return child in node.body
    if isinstance(node, ast.If) and child in node.body and isinstance(node.test, ast.Call):
        name = _called(node.test)
        return name.startswith("is_") and name.endswith("_available")
    return False


def _refuse(module: str, found: SourceImport) -> None:
    """Raise `NotExportableError` for an import that a repository cannot satisfy."""
    place = f"{module}, line {found.line}"
    if found.copied and not found.names:
        raise NotExportableError(f"{place}: expected `from {found.module} import name`, got `import …`")
    if found.copied and found.guarded:
        raise NotExportableError(
            f"{place}: {found.module} always comes along, so it must be imported unguarded"
        )
    for name in found.names:
        if found.copied and (name == "*" or _is_module(f"{found.module}.{name}")):
            raise NotExportableError(
                f"{place}: `from {found.module} import {name}` does not name what is used: "
                "expected `from nuzoo.room.module import name`"
            )
    top = _package(found.module)
    if not (found.copied or found.guarded or top in ALWAYS_THERE or top in sys.stdlib_module_names):
        raise NotExportableError(
            f"{place} imports {top}, which a user of the repository may not have: expected "
            f"{', '.join(sorted(ALWAYS_THERE))} or the standard library. Put it into try/except ImportError"
        )


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _rewritten(module: str, text: str, imports: Iterable[SourceImport]) -> str:
    lines = text.splitlines(keepends=True)
    for found in imports:
        if found.copied:
            line = lines[found.line - 1]
            lines[found.line - 1] = re.sub(r"from\s+\S+", f"from .{_stem(found.module)}", line, count=1)
    flat = f"# Generated by nuzoo {__version__} from {module}.\n" + "".join(lines)
    expected = {_stem(found.module) for found in imports if found.copied}
    if set(SIBLING.findall(flat)) != expected:
        raise NotExportableError(
            f"{module}: transformers would look for {sorted(set(SIBLING.findall(flat)) - expected)} beside "
            "it, because a line of its text reads like a relative import; word it otherwise"
        )
    return flat
