"""What can be wrong with a configuration or a file of a repository, by name."""


class ConfigError(ValueError):
    """A configuration cannot be used as it stands."""


class UnknownConfigKeyError(ConfigError):
    """A key that no field of the configuration has: a typing error, or a file of another model."""


class ModelTypeError(ConfigError):
    """The file describes another architecture."""
