"""The checksums that a repository carries: a file that changed on its way is found before it is used."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from transformers.utils import cached_file
from transformers.utils.hub import extract_commit_hash

from nuzoo.configuration.config_errors import CorruptedFileError

CHECKSUMS_FILE = "checksums.json"
WHEREABOUTS = ("cache_dir", "force_download", "local_files_only", "proxies", "subfolder", "token")


def whereabouts(origin: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Of the options of `from_pretrained`, those that say where files come from.

    Args:
        origin: Hub repository or local folder.
        options: keyword arguments of `from_pretrained`.

    Returns:
        Arguments of `transformers.utils.cached_file`. Where there are checksums, the revision is pinned to
        their commit: the files of one loading are all of the same.
    """
    where = {key: options[key] for key in WHEREABOUTS if key in options}
    revision = options.get("revision") or "main"
    anywhere = {key: value for key, value in where.items() if key != "subfolder"}
    checksums = find_file(origin, CHECKSUMS_FILE, revision=revision, **anywhere)
    return {**where, "revision": extract_commit_hash(str(checksums) if checksums else None, None) or revision}


def verify_files(origin: Any, names: Iterable[str], *, subfolder: str = "", **where: Any) -> None:
    """Compare files with the checksums of their repository; one without checksums is taken as it is.

    It costs less than a second for each gigabyte.

    Args:
        origin: Hub repository or local folder.
        names: the files; one that neither exists nor is listed is passed over.
        subfolder: where in the repository they are. The checksums are in its root.
        **where: see `whereabouts`.

    Raises:
        CorruptedFileError: a file differs from what was published, is missing, or was not published.
    """
    checksums = _read_checksums(origin, **where)
    if checksums is None:
        return
    for name in names:
        path = f"{subfolder.strip('/')}/{name}".lstrip("/")
        file = find_file(origin, path, **where)
        expected, got = checksums.get(path), None if file is None else _sha256(file)
        if expected != got:
            raise CorruptedFileError(
                f"{origin}: expected {path} with {_described(expected)}, as {CHECKSUMS_FILE} says, got "
                f"{_described(got)}. Download it again (force_download=True, or delete the copy); if it was "
                "changed on purpose, save the model anew with save_pretrained."
            )


def find_file(origin: Any, name: str, **where: Any) -> Path | None:
    """Fetch a file of a Hub repository, or find it in a local folder.

    Args:
        origin: Hub repository or local folder.
        name: path in it.
        **where: see `whereabouts`.

    Returns:
        The file on this machine; None where there is none.
    """
    found = cached_file(str(origin), name, _raise_exceptions_for_missing_entries=False, **where)
    return Path(found) if found else None


def discard_checksums(folder: Any) -> None:
    """Forget the checksums of a folder whose files are written anew: they are those of other files.

    Args:
        folder: the folder; one without checksums stays as it is.
    """
    (Path(folder) / CHECKSUMS_FILE).unlink(missing_ok=True)


def _read_checksums(origin: Any, **where: Any) -> dict[str, str] | None:
    file = find_file(origin, CHECKSUMS_FILE, **where)
    if file is None:
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["algorithm"] == "sha256":
            return dict(content["files"])
    except (ValueError, KeyError, TypeError):
        pass
    raise CorruptedFileError(
        f'{origin}: expected {CHECKSUMS_FILE} to hold {{"algorithm": "sha256", "files": {{name: sum}}}}, '
        "got something else. Download it again (force_download=True, or delete the copy)."
    )


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _described(checksum: str | None) -> str:
    return f"sha256 {checksum}" if checksum else "no such file"
