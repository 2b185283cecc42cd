"""What can be wrong with the weights of a checkpoint, by name."""


class WeightsError(ValueError):
    """The tensors of a checkpoint are not those of the network."""
