"""What evaluation says when it cannot go on: what was expected, what came, how to mend it."""

from __future__ import annotations


class EvaluationError(ValueError):
    """Base of every error that evaluation raises itself."""


class OptionError(EvaluationError):
    """Options that the task of a model does not have, or that do not go together."""


class MissingTruthError(EvaluationError):
    """The dataset has no usable label for an event that should be scored."""


class SplitOverlapError(EvaluationError):
    """Events used to calibrate are also among those whose calibration is reported."""


class ShapeMismatchError(EvaluationError):
    """Arrays that describe the same events or classes do not fit together."""


class ResultsFileError(EvaluationError):
    """A results or predictions file cannot be read by this version."""


class AnswerError(EvaluationError):
    """Answers to events that cannot be scored: not of these events, incomplete, or no probabilities."""


class BenchmarkError(EvaluationError):
    """A benchmark, its events or a submission to it that are not what they should be."""


class ComparisonError(EvaluationError):
    """Classifiers that cannot be compared: other classes, other events, or one of them twice."""


class DisplayError(EvaluationError):
    """A dataset row cannot be drawn."""


class RegionError(EvaluationError):
    """A region of a map is not given as it should be."""


class ExplanationError(EvaluationError):
    """The model writes no explanations, or there are no events to explain."""


class RunFileError(EvaluationError):
    """A file of a run folder cannot be read."""
