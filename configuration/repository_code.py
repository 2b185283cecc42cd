"""How the classes of the installed package and their flat copies in a repository differ.

The installed package puts its exporter here when it is imported. In a copy there is none: a copy is
pushed with the files that it came with, as transformers does.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

PUSHING = ("repo_id", "commit_message", "private", "token", "revision", "create_pr")
"""Options of `push_to_hub` that `save_pretrained` takes as well."""

CODE_KEYS = ("auto_map", "custom_pipelines")
"""Keys of saved files that point to the code beside them."""


class PushedWithCode:
    """`push_to_hub` that sends the flat code along, as `nuzoo publish` does.

    Attributes:
        exporter: called with the object, the repository and the options; None in a flat copy.
    """

    exporter: ClassVar[Callable[..., Any] | None] = None

    def push_to_hub(self, repo_id: str, *args: Any, **options: Any) -> Any:
        """Upload as one commit: files, the code that loads them, and the checksums of all.

        A push has no card: `nuzoo publish` makes one from measured results.

        Args:
            repo_id: "organisation/name".
            *args: none; transformers allows some.
            **options: `commit_message`, `private`, `token`, `revision`, `create_pr`; a model also takes
                `processor`, to send both in one commit, and the options of `save_pretrained`.

        Returns:
            The commit.

        Raises:
            HubError: see `nuzoo.hub.errors`.
        """
        if PushedWithCode.exporter is None:
            return super().push_to_hub(repo_id, *args, **options)  # type: ignore[misc]
        return PushedWithCode.exporter(self, repo_id, *args, **options)

    def save_pretrained(
        self, save_directory: Any, *args: Any, push_to_hub: bool = False, **options: Any
    ) -> Any:
        """Write to a folder, and with `push_to_hub` to a repository as the method of that name does.

        Args:
            save_directory: the folder.
            *args: passed to transformers.
            push_to_hub: also upload; `repo_id` and the options of `push_to_hub` say where and how.
            **options: passed to transformers.
        """
        pushing = {key: options.pop(key) for key in PUSHING if push_to_hub and key in options}
        saved = self._save(save_directory, *args, **options)
        if push_to_hub:
            self.push_to_hub(pushing.pop("repo_id", Path(save_directory).name), **pushing)
        return saved

    def _save(self, save_directory: Any, *args: Any, **options: Any) -> Any:
        """Write to a folder; what has files of its own overrides this."""
        return super().save_pretrained(save_directory, *args, **options)  # type: ignore[misc]


def is_installed() -> bool:
    """Whether this is the installed package, which needs no code of a repository."""
    return PushedWithCode.exporter is not None
