"""What must not leave this machine: pickles, tokens, paths of its disk, and JSON that only Python reads."""

from __future__ import annotations

import json
import pickletools
import re
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np

from nuzoo.files.checksums import repository_files
from nuzoo.hub.errors import UnpublishableContentError

PICKLE_SUFFIXES = {".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth"}
PICKLE_IMPORTS = {"GLOBAL", "INST"}
PICKLE_SIGNS = {"PROTO", "STACK_GLOBAL", "EXT1", "EXT2", "EXT4"}
IMPORTED = re.compile(r"[\w.]+ [\w.]+")
"""Module and name, as `pickletools` gives them."""

TEXT_SUFFIXES = {".csv", ".html", ".json", ".jsonl", ".md", ".py", ".svg", ".txt", ".yaml", ".yml"}
TOKEN = re.compile(
    rb"hf_[A-Za-z0-9]{30,}|gh[opsu]_[A-Za-z0-9]{36}|github_pat_\w{40,}|AKIA[0-9A-Z]{16}"
    rb"|glpat-[\w-]{20}|sk-[A-Za-z0-9_-]{40,}|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    rb"|[a-z][a-z0-9+.-]{1,15}://[^\s/:@\"'<>]{1,64}:[^\s/@\"'<>]{1,128}@"
)
"""Keys of the Hub, GitHub, AWS, GitLab and OpenAI, private keys, and URLs with a password."""

NAMED_SECRET = re.compile(
    r"""["']?(?P<name>[\w.-]{0,40}(?:token|password|passwd|secret|api_?key|access_?key))["']?\s*:\s*"""
    r"""(?P<quote>["']?)(?=[\w.+/=~-]*[0-9])(?=[\w.+/=~-]*[a-z])[\w.+/=~-]{8,}(?P=quote)\s*(?:[,}\]#]|$)""",
    re.IGNORECASE | re.MULTILINE,
)
"""In JSON and YAML a name like `hub_token`, and letters and digits. `<|image|>` and numbers are none."""

MARKUP_SUFFIXES = {".json", ".jsonl", ".yaml", ".yml"}
VOCABULARY_FILES = {"tokenizer.json", "vocab.json", "vocab.txt", "merges.txt"}
"""Of language models: pieces of any text, `../` and `/usr` among them."""

DISK_PATH = re.compile(
    r"(?:(?<=[\s\"'`(=:,;|<>\[{])|^)(?:/|~/|[A-Za-z]:\\)[\w.-]+[/\\][\w./\\-]+"
    r"|\bfile:/+[\w.~-][\w./\\-]*"
    r"|(?<![\w./])(?:\.\.[/\\])+[\w~-][\w./\\-]*",
    re.MULTILINE,
)
"""In text a path of a disk: a slash, home or drive that begins a word or follows a host's colon, with at
least two parts; a URL of a file; a way up from a folder."""

HOME_PATH = re.compile(rb"(?:/home/|/Users/|/root/|[A-Z]:\\Users\\)[\w.-]{2,}")
"""In any bytes only a home directory: two slashes are nothing rare in an image."""


def check_publishable(folder: Path) -> None:
    """Refuse a folder that holds something which must not be published.

    Raises:
        UnpublishableContentError: With the first offending file, what is wrong and how to mend it.
    """
    for name in repository_files(folder):
        check_name(name)
        for problem in (_pickle, _token, _path, _not_a_number, _not_finite):
            if found := problem(folder / name):
                raise UnpublishableContentError(f"{name.as_posix()} {found}")


def check_name(name: Path) -> None:
    """Refuse a name that points out of the repository, or that not every system can write.

    Raises:
        UnpublishableContentError: For `..`, an absolute name, a backslash or a control character.
    """
    text = name.as_posix()
    if name.is_absolute() or ".." in name.parts or re.search(r"[\\\x00-\x1f:*?\"<>|]", text):
        raise UnpublishableContentError(
            f"{text!r} is no name for a file of a repository: expected a relative path without '..', "
            "backslash or control character; rename the file"
        )


def _pickle(path: Path) -> str | None:
    advice = "may hold a pickle, which can run code when loaded; save as safetensors or JSON"
    if path.suffix.lower() in PICKLE_SUFFIXES or _is_pickle(path) or _is_pickled_archive(path):
        return advice
    with path.open("rb") as stream:
        is_of_objects = _is_object_header(stream.read(256))
    if is_of_objects:
        return "is an array of Python objects, which is stored as a pickle; save numbers or strings"
    return None


def _is_pickle(path: Path) -> bool:
    """Tell whether a file begins with a pickle, which is all of it or is none by chance."""
    with path.open("rb") as stream:
        try:
            steps = [(step.name, argument) for step, argument, _ in pickletools.genops(stream)]
        except Exception:  # pickletools raises as it likes on what is none
            return False
        return not stream.read(1) or any(
            step in PICKLE_SIGNS or (step in PICKLE_IMPORTS and IMPORTED.fullmatch(str(argument)))
            for step, argument in steps
        )


def _is_pickled_archive(path: Path) -> bool:
    """Tell whether it is a zip file of torch, or an .npz with an array of objects."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        arrays = [name for name in names if name.endswith(".npy")]
        return any(name.endswith(".pkl") for name in names) or any(
            _is_object_header(archive.open(name).read(256)) for name in arrays
        )


def _is_object_header(header: bytes) -> bool:
    return header.startswith(np.lib.format.MAGIC_PREFIX) and b"'|O'" in header


def _token(path: Path) -> str | None:
    if found := _search(TOKEN, path):
        shown = f"{found[:6].decode()}…"
    elif path.suffix.lower() in MARKUP_SUFFIXES and (named := NAMED_SECRET.search(_text(path))):
        shown = named["name"]
    else:
        return None
    return f"holds what looks like a secret key ({shown}); remove it, and revoke it"


def _path(path: Path) -> str | None:
    if path.suffix.lower() in TEXT_SUFFIXES and path.name not in VOCABULARY_FILES:
        text = DISK_PATH.search(_text(path))
        found = text[0] if text else None
    else:
        binary = _search(HOME_PATH, path)
        found = binary.decode(errors="replace") if binary else None
    if found is None:
        return None
    return (
        f"names the path {found!r} of this machine; remove it from what is saved (results, training facts "
        "or configuration)"
    )


def _not_a_number(path: Path) -> str | None:
    """NaN and Infinity, which JSON does not have and Python writes all the same."""
    found: list[str] = []
    if path.suffix.lower() == ".json":
        with suppress(ValueError):
            json.loads(path.read_bytes(), parse_constant=found.append)
    return f"is no JSON, it holds {found[0]}; write null, or a number" if found else None


def _not_finite(path: Path) -> str | None:
    """Tensors that are no numbers; a file that cannot be read is told of by who loads it."""
    from safetensors import SafetensorError, safe_open

    if path.suffix.lower() != ".safetensors":
        return None
    with suppress(SafetensorError), safe_open(path, framework="pt") as tensors:
        for name in tensors.keys():  # noqa: SIM118 - it is no mapping
            values = tensors.get_tensor(name)
            values = values.float() if values.element_size() == 1 else values  # float8 is not compared
            if not bool(values.isfinite().all()):
                return f"holds NaN or infinity in {name}; train it again, or take an earlier checkpoint"
    return None


def _text(path: Path) -> str:
    """Read the text of a file, a slash or backslash as one sign where JSON has two."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return text.replace("\\\\", "\\").replace("\\/", "/")


def _search(pattern: re.Pattern[bytes], path: Path, block: int = 1 << 24, overlap: int = 256) -> bytes | None:
    """Find the first match in a file of any size."""
    tail = b""
    with path.open("rb") as stream:
        while data := stream.read(block):
            if found := pattern.search(tail + data):
                return found[0]
            tail = data[-overlap:]
    return None
