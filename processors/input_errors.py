"""What can be wrong with a processor or its use, by name; for events see `files.events.event_errors`."""

from nuzoo.files.events.event_errors import EventError


class InputFormError(EventError):
    """The input is of no form that the processor reads."""


class ViewError(EventError):
    """Views are too many, too few or wrongly named."""


class PixelSizeError(EventError):
    """The pixels are not of the size that the processor is made for."""


class DetectorMismatchError(EventError):
    """The event was seen by another detector than the one the processor is made for."""


class MissingStatisticsError(EventError):
    """The processor has not been fitted, so it cannot normalise."""


class ProcessorSettingError(EventError):
    """A setting of the processor is unknown or out of range."""


class ProcessorModelMismatchError(EventError):
    """The processor makes other inputs than the network takes."""


class PromptError(EventError):
    """A prompt has no place for an image, labels that cannot be told apart, or cannot be read."""


class BaseProcessorError(EventError):
    """The processor of a vision-language base is missing, or splits answers so that they cannot be scored."""
