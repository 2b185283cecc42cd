"""What the configuration of a network holds that proposes points of interest: vertices and ends of tracks."""

from huggingface_hub.dataclasses import strict

from nuzoo.configuration.configuration_utils_nu import NuPreTrainedConfig


@strict
class KeypointConfig(NuPreTrainedConfig):
    """The proposal of points of interest, after the Point Proposal Network (arXiv 2006.14745).

    Args:
        keypoint_radius: points as near to a point of interest propose it, and of proposals as near to each
            other the best one stays, in units of the coordinates. The default is 5 voxels of a cube of 768.
    """

    keypoint_radius: float = 0.0075

    def validate_keypoint_radius(self) -> None:
        """Raise `ValueError` for a radius within which nothing or everything lies."""
        if not 0 < self.keypoint_radius < 1:
            raise ValueError(f"keypoint_radius must be above 0 and below 1, got {self.keypoint_radius}")
