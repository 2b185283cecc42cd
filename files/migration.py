"""Files of earlier formats become files of the latest one, step by step."""

from collections.abc import Callable, Mapping
from typing import Any

from nuzoo.files.errors import FormatVersionError

FORMAT_KEY = "format_version"

Migration = Callable[[dict[str, Any]], dict[str, Any]]
"""Takes the keys of one format and returns those of the next."""


def migrate(
    keys: Mapping[str, Any], latest: int, steps: Mapping[int, Migration], kind: str
) -> dict[str, Any]:
    """Bring the keys of a file to the latest format.

    Args:
        keys: what the file holds; one that does not say its format is of format 1.
        latest: the format to reach.
        steps: for each earlier format, how it becomes the next.
        kind: of file, for messages.

    Returns:
        The keys in the latest format, which they state.

    Raises:
        FormatVersionError: the format is later than `latest`, is no version, or a step is missing.
    """
    version = keys.get(FORMAT_KEY, 1)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise FormatVersionError(
            f"expected {FORMAT_KEY} of {kind} to be an integer from 1 to {latest}, got {version!r}: "
            "download or save the file again."
        )
    if version > latest:
        raise FormatVersionError(
            f"{FORMAT_KEY} {version} is later than {latest}, the latest that this nuzoo reads for {kind}: "
            "update nuzoo."
        )
    migrated = dict(keys)
    for earlier in range(version, latest):
        if earlier not in steps:
            raise FormatVersionError(
                f"expected {kind} of format {earlier + 1} to {latest}, got format {version}, which this "
                "nuzoo no longer reads: save the file anew with an earlier nuzoo."
            )
        migrated = steps[earlier](migrated)
    return migrated | {FORMAT_KEY: latest}
