"""What can be wrong with a file of ours or with the place it comes from, by name."""


class FormatVersionError(ValueError):
    """The file was written by a later nuzoo than this one, or by one whose files cannot be migrated."""


class CorruptedFileError(ValueError):
    """A file is not the one that was published with its checksum."""


class HubError(ValueError):
    """Base of every error on a repository of the Hub."""


class ChecksumsFileError(HubError, CorruptedFileError):
    """The list of checksums cannot be read, or cannot be trusted."""


class UnusableOutputError(ValueError):
    """A folder that cannot be made or written to."""


class FolderInUseError(UnusableOutputError):
    """A folder that another run is writing to."""


class RepositoryNameError(HubError):
    """A repository is not named as the Hub names them."""


class HubAccessError(HubError):
    """The Hub cannot be reached, or does not allow what was asked."""


class PlaceError(ValueError):
    """What is neither a folder of this machine nor the name of a repository."""
