"""What can be wrong with a cluster, by name."""

from nuzoo.datasets_scripts.workers.workers import WorkerLostError


class ClusterError(WorkerLostError):
    """Base of every error on a cluster."""


class ClusterPackageError(ClusterError):
    """The packages that clusters need are not there."""


class ClusterFileError(ClusterError):
    """A description of a cluster that cannot be read, or means nothing."""


class NoClusterError(ClusterError):
    """A cluster that is not there: no answer, or no workers in time."""


class UnlikeWorkersError(ClusterError):
    """Workers that would make other bytes than this process, or do not see its files."""
