"""What must not leave this machine: pickles, tokens, and paths of its disk."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np

from nuzoo.hub.checksums import repository_files
from nuzoo.hub.errors import UnpublishableContentError

PICKLE_SUFFIXES = {".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth"}
PICKLE_START = re.compile(rb"\x80[\x02-\x05]")
PICKLE_END = b"."
TEXT_SUFFIXES = {".csv", ".html", ".json", ".jsonl", ".md", ".py", ".svg", ".txt", ".yaml", ".yml"}
TOKEN = re.compile(
    rb"hf_[A-Za-z0-9]{30,}|gh[opsu]_[A-Za-z0-9]{36}|github_pat_\w{40,}|AKIA[0-9A-Z]{16}"
    rb"|glpat-[\w-]{20}|sk-[A-Za-z0-9_-]{40,}|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
"""Keys of the Hub, GitHub, AWS, GitLab and OpenAI, and private keys."""

DISK_PATH = re.compile(r"(?:(?<=[\s\"'`(=])|^)(?:/|~/|[A-Z]:\\)[\w.-]+[/\\][\w./\\-]+", re.MULTILINE)
"""In text an absolute path: a slash, home or drive that begins a word, with at least two parts."""

HOME_PATH = re.compile(rb"(?:/home/|/Users/|/root/|[A-Z]:\\Users\\)[\w.-]{2,}")
"""In any bytes only a home directory: two slashes are nothing rare in an image."""


def check_publishable(folder: Path) -> None:
    """Refuse a folder that holds something which must not be published.

    Raises:
        UnpublishableContentError: With the first offending file, what is wrong and how to mend it.
    """
    for name in repository_files(folder):
        check_name(name)
        for problem in (_pickle, _token, _path):
            found = problem(folder / name)
            if found:
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
    if path.suffix == ".npy" and _holds_objects(path):
        return "is an array of Python objects, which is stored as a pickle; save numbers or strings"
    return None


def _is_pickle(path: Path) -> bool:
    with path.open("rb") as stream:
        start = stream.read(2)
        stream.seek(max(path.stat().st_size - 1, 0))
        return bool(PICKLE_START.match(start)) and stream.read(1) == PICKLE_END


def _is_pickled_archive(path: Path) -> bool:
    """A zip file of torch, or an .npz with an array of objects."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(
            name.endswith(".pkl")
            or (name.endswith(".npy") and _is_object_header(archive.open(name).read(256)))
            for name in archive.namelist()
        )


def _holds_objects(path: Path) -> bool:
    with path.open("rb") as stream:
        return _is_object_header(stream.read(256))


def _is_object_header(header: bytes) -> bool:
    return header.startswith(np.lib.format.MAGIC_PREFIX) and b"'|O'" in header


def _token(path: Path) -> str | None:
    found = _search(TOKEN, path)
    return (
        f"holds what looks like a secret key ({found[:6].decode()}…); remove it, and revoke it"
        if found
        else None
    )


def _path(path: Path) -> str | None:
    if path.suffix in TEXT_SUFFIXES:
        text = DISK_PATH.search(path.read_text(encoding="utf-8", errors="replace"))
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


def _search(pattern: re.Pattern[bytes], path: Path, block: int = 1 << 24, overlap: int = 256) -> bytes | None:
    """The first match in a file of any size."""
    tail = b""
    with path.open("rb") as stream:
        while data := stream.read(block):
            if found := pattern.search(tail + data):
                return found[0]
            tail = data[-overlap:]
    return None
