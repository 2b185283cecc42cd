"""The recipe of masked modelling of events."""

from typing import ClassVar

from nuzoo.evaluation.tasks.pre_training.probe_settings import EventProbe
from nuzoo.training.masked_autoencoding.recipe import MaskedAutoencodingRecipe


class MaskedEventRecipe(MaskedAutoencodingRecipe):
    """One pre-training run by masked modelling of events; see `MaskedAutoencodingRecipe`."""

    probe_type: ClassVar[type[EventProbe]] = EventProbe
