"""Files of a repository or folder, wherever it is: found, fetched, and compared with their checksums."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from transformers.utils import cached_file
from transformers.utils.hub import extract_commit_hash

from nuzoo.files.checksums import read_checksums, sha256
from nuzoo.files.errors import CorruptedFileError
from nuzoo.files.names import CHECKSUMS_FILE

WHEREABOUTS = ("cache_dir", "force_download", "local_files_only", "proxies", "subfolder", "token")


def whereabouts(origin: str | Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Choose the options of `from_pretrained` that say where files come from.

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


def verify_files(origin: str | Path, names: Iterable[str], *, subfolder: str = "", **where: Any) -> None:
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
    listed = find_file(origin, CHECKSUMS_FILE, **where)
    if listed is None:
        return
    checksums = read_checksums(listed)
    for name in names:
        path = f"{subfolder.strip('/')}/{name}".lstrip("/")
        file = find_file(origin, path, **where)
        expected, got = checksums.get(path), None if file is None else sha256(file)
        if expected != got:
            raise CorruptedFileError(
                f"{origin}: expected {path} with {_described(expected)}, as {CHECKSUMS_FILE} says, got "
                f"{_described(got)}. Download it again (force_download=True, or delete the copy); if it was "
                "changed on purpose, save the model anew with save_pretrained."
            )


def find_file(origin: str | Path, name: str, **where: Any) -> Path | None:
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


def _described(checksum: str | None) -> str:
    return f"sha256 {checksum}" if checksum else "no such file"
