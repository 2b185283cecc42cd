"""What the hub room says when a repository may not be written."""

from __future__ import annotations

from nuzoo.files.errors import HubError


class FolderInUseError(HubError):
    """The repository holds files that this library did not publish."""


class ResultsMismatchError(HubError):
    """The results were not measured with this model, or not with its temperature."""


class IncompleteCardError(HubError):
    """A card would have an empty section or a placeholder left."""


class UnpublishableContentError(HubError):
    """What must not be published: a pickle, a secret, a path of this machine's disk, weights that are NaN."""


class NotExportableError(HubError):
    """Code that a repository cannot bring along."""


class UnknownArchitectureError(HubError):
    """A model of another library, which this one cannot publish."""


class GoldenOutputError(HubError):
    """A model does not give the outputs that it was published with."""


class DatasetRepositoryError(HubError):
    """A dataset folder that may not be published: unfinished, altered, or with files that are not known."""


class DatasetRowError(DatasetRepositoryError):
    """A row of a dataset that is wrong; the message names file, row and column."""


class LicenceError(HubError):
    """No licence where one must be stated, or one that the Hub does not know."""


class DatasetReferenceError(HubError):
    """Nothing says on which published dataset a model was trained and measured."""


class MissingResultsError(HubError):
    """A model without measured results, which has no card."""


class BenchmarkResultsError(HubError):
    """No results of a benchmark, altered ones, or none of this model."""


class FlatCopyError(HubError):
    """The copy of a model that others would load does not work."""


class BaseModelError(HubError):
    """The network of an adapter is not on the Hub, or is another one."""


class FullDiskError(HubError):
    """There is no room on the disk to build a repository."""


class NotPublishedError(HubError):
    """A folder that is no published repository, or none of this kind."""
