"""What the configuration of every network over pixel maps holds: its views."""

from huggingface_hub.dataclasses import strict

from nuzoo.configuration.configuration_utils_nu import NuPreTrainedConfig


@strict
class PixelMapConfig(NuPreTrainedConfig):
    """A network over the pixel maps of an event.

    Args:
        num_views: number of views of an event, one to three.
    """

    num_views: int = 2

    def validate_views(self) -> None:
        """Raise `ValueError` for a number of views that is out of range."""
        if not 1 <= self.num_views <= 3:
            raise ValueError(f"num_views must be 1, 2 or 3, got {self.num_views}")
