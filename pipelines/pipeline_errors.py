"""What can be wrong with a pipeline, by name."""


class PipelineError(ValueError):
    """Model and processor do not make a pipeline."""


class NonFiniteOutputError(ValueError):
    """A network whose output is not a number: its weights are broken."""


class MissingProcessorError(PipelineError):
    """The model comes without its processor."""


class ProcessorModelMismatchError(PipelineError):
    """The processor makes other images than the model takes."""
