"""The SHA-256 of every file of a repository, in a file of its own."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from nuzoo.files.errors import ChecksumsFileError
from nuzoo.files.names import ATTRIBUTES_FILE, CHECKSUMS_FILE

ALGORITHM = "sha256"
UNLISTED = frozenset({CHECKSUMS_FILE, ATTRIBUTES_FILE})
CLIENT_FOLDERS = frozenset({".cache", ".git"})
"""What the Hub's client and git put beside the files of a repository."""


def repository_files(folder: Path) -> Iterator[Path]:
    """Give the path of every file of a repository, relative to its folder, sorted."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and name.parts[0] not in CLIENT_FOLDERS:
            yield name


def sha256(file: Path) -> str:
    """Compute the SHA-256 of a file, as hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, ALGORITHM).hexdigest()


def write_checksums(
    folder: Path, kept: Mapping[str, str] | None = None, computed: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Write `checksums.json` for all files of a folder.

    Args:
        folder: the repository.
        kept: checksums of files that are in the repository already and not in this folder.
        computed: checksums of files in this folder, as far as they are known.

    Returns:
        The checksums of the files of the folder by name.
    """
    found = {
        name.as_posix(): (computed or {}).get(name.as_posix()) or sha256(folder / name)
        for name in repository_files(folder)
        if name.as_posix() not in UNLISTED
    }
    content = {"algorithm": ALGORITHM, "files": dict(sorted({**(kept or {}), **found}.items()))}
    (folder / CHECKSUMS_FILE).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return found


def read_checksums(path: Path) -> dict[str, str]:
    """Read the SHA-256 of each file by name.

    Raises:
        ChecksumsFileError: no such list, or a name that points out of the repository.
    """
    if not path.is_file():
        raise ChecksumsFileError(
            f"there is no {path.name}, so that nobody can tell whether a file was changed; publish the "
            "repository again with `nuzoo publish`, which puts all of it in its place"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        files, algorithm = content["files"], content["algorithm"]
        names = {name: str(digest) for name, digest in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ChecksumsFileError(
            f'{path.name}: expected {{"algorithm": "{ALGORITHM}", "files": {{name: sum}}}}, got {error!r}; '
            "download it again (force_download=True, or delete the copy), or publish the repository again"
        ) from error
    outside = [name for name in names if name.startswith("/") or "\\" in name or ".." in name.split("/")]
    if outside or algorithm != ALGORITHM:
        raise ChecksumsFileError(
            f"{path.name}: expected {ALGORITHM} of files inside the repository, "
            f"got {algorithm} of {', '.join(outside) or 'files'}; do not use this repository"
        )
    return names


def differences(folder: Path) -> list[str]:
    """Say how a folder differs from its list: a sentence for each file changed, missing, or not listed.

    Raises:
        ChecksumsFileError: see `read_checksums`.
    """
    listed = read_checksums(folder / CHECKSUMS_FILE)
    present = {name.as_posix() for name in repository_files(folder)} - UNLISTED
    changed = [
        f"{name} was changed: its sha256 should be {listed[name]}, it is {digest}"
        for name in sorted(present & listed.keys())
        if (digest := sha256(folder / name)) != listed[name]
    ]
    missing = [f"{name} is missing" for name in sorted(listed.keys() - present)]
    unlisted = [f"{name} is not in the list" for name in sorted(present - listed.keys())]
    return changed + missing + unlisted


def discard_checksums(folder: str | Path) -> None:
    """Forget the checksums of a folder whose files are written anew: they are those of other files."""
    (Path(folder) / CHECKSUMS_FILE).unlink(missing_ok=True)
