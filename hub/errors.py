"""What the hub room says when a repository may not be written."""

from __future__ import annotations


class HubError(ValueError):
    """Base of every error that this room raises itself."""


class FolderInUseError(HubError):
    """The folder holds something else than a repository written before."""


class ResultsMismatchError(HubError):
    """The results were not measured with this model, or not with its temperature."""


class IncompleteCardError(HubError):
    """A card would have an empty section or a placeholder left."""


class UnpublishableContentError(HubError):
    """A file would carry what must not leave this machine: a pickle, or a path of its disk."""


class NotExportableError(HubError):
    """Code that a repository cannot bring along."""
