"""What can be wrong with the pixel maps of an event, by name."""


class PixelMapError(ValueError):
    """Pixel maps cannot be used; the message says what was expected, what came and how to mend it."""


class InputFormError(PixelMapError):
    """The input is of no form that the processor reads."""


class ViewError(PixelMapError):
    """Views are missing, too many or wrongly named."""


class ShapeError(PixelMapError):
    """An array has another shape than the detector's map, or two columns differ in length."""


class DtypeError(PixelMapError):
    """An array has a type that cannot hold what it should."""


class PixelIndexError(PixelMapError):
    """A flat pixel index lies outside the map."""


class UnitError(PixelMapError):
    """Energies are not in MeV and nothing says how to convert them."""


class NonFiniteError(PixelMapError):
    """An energy is NaN or infinite."""


class NegativeEnergyError(PixelMapError):
    """An energy is below zero."""


class EnergyRangeError(PixelMapError):
    """An energy is larger than any pixel can hold."""


class PixelSizeError(PixelMapError):
    """The pixels are not of the size that the processor is made for."""


class DetectorMismatchError(PixelMapError):
    """The event was seen by another detector than the one the processor is made for."""


class MissingStatisticsError(PixelMapError):
    """The processor has not been fitted, so it cannot normalise."""


class ProcessorSettingError(PixelMapError):
    """A setting of the processor is unknown or out of range."""


class PromptError(PixelMapError):
    """A prompt has no place for an image, labels that cannot be told apart, or cannot be read."""


class BaseProcessorError(PixelMapError):
    """The processor of a vision-language base is missing, or splits answers so that they cannot be scored."""
