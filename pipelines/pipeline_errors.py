"""What can be wrong with a pipeline, by name."""


class PipelineError(ValueError):
    """Model and processor do not make a pipeline."""


class MissingProcessorError(PipelineError):
    """The model comes without its processor."""


class PipelineOptionError(PipelineError):
    """An option that neither the pipeline nor the processor has."""


class NonFiniteOutputError(ValueError):
    """A network whose output is not a number: its weights are broken."""
