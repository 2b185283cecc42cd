"""Classify neutrino events: detector data in, calibrated class probabilities out."""

from collections.abc import Mapping
from typing import Any

import torch
from torch.utils.data import Dataset
from transformers.pipelines import Pipeline

from nuzoo.configuration.repository_code import PushedWithCode
from nuzoo.pipelines.agreement import check_agreement
from nuzoo.pipelines.pipeline_errors import MissingProcessorError, NonFiniteOutputError
from nuzoo.processors.pixel_maps.read_pixel_maps import is_single_event, split_events

PROCESSOR_OPTIONS = ("detector", "pixel_pitch_mm", "mev_per_count", "half_resolution")


class NeutrinoEventClassificationPipeline(PushedWithCode, Pipeline):
    """`pipeline("neutrino-event-classification")`.

    An event is anything that the model's processor reads: a dataset row, an array
    (views, rows, columns) in MeV, images, sparse maps. Several events are a list of them, a
    `datasets.Dataset`, a batch, or an array (events, views, rows, columns).

    >>> classify(events[0])
    {'label': 'numu_cc', 'score': 0.93, 'scores': {'nue_cc': 0.04, 'numu_cc': 0.93, 'nc': 0.03}}

    Probabilities are softmax(logits / temperature), with the temperature of the model's configuration.

    Args:
        *args: see `transformers.Pipeline`.
        **kwargs: see `transformers.Pipeline`.

    Raises:
        MissingProcessorError: the model has no processor.
        ProcessorModelMismatchError: processor and model disagree on the views or on the labels.
    """

    _load_image_processor = None
    _load_processor = False  # type: ignore[assignment]
    _load_tokenizer = False  # type: ignore[assignment]
    _load_feature_extractor = False  # type: ignore[assignment]
    _load_video_processor = False  # type: ignore[assignment]

    model: Any
    image_processor: Any

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._check_processor()

    def _check_processor(self) -> None:
        if self.image_processor is None:
            raise MissingProcessorError(
                f"expected a processor with the model {self.model.name_or_path!r}, got none that can be "
                "read: save the processor that it was trained with into the same folder "
                "(preprocessor_config.json), or pass image_processor=...; "
                "AutoImageProcessor.from_pretrained says what is wrong with a file that is there"
            )
        check_agreement(self.model, self.image_processor)

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """Classify one event or several.

        Args:
            inputs: one event, or several; see the class.
            **kwargs: `batch_size`, `num_workers`, and what `preprocess` of the processor takes
                (`detector`, `pixel_pitch_mm`, `mev_per_count`, `half_resolution`).

        Returns:
            For each event `label`, its `score`, and `scores` of all classes; a list for several.

        Raises:
            PixelMapError: an event cannot be read; see `nuzoo.processors.input_errors`.
        """
        if is_single_event(inputs):
            return super().__call__(inputs, **kwargs)
        events = inputs if _is_indexed(inputs) else split_events(inputs)
        return list(super().__call__(_Events(events), **kwargs))

    def _sanitize_parameters(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        return {key: kwargs[key] for key in PROCESSOR_OPTIONS if key in kwargs}, {}, {}

    def preprocess(self, input_: Any, **options: Any) -> Any:
        """Make the images of one event.

        Args:
            input_: the event.
            **options: passed to the processor.

        Returns:
            `pixel_values` (1, views, rows, columns).
        """
        return self.image_processor([input_], return_tensors="pt", **options)

    def _forward(self, input_tensors: Any, **_: Any) -> Any:
        return {"logits": self.model(**input_tensors).logits}

    def postprocess(self, model_outputs: Mapping[str, torch.Tensor], **_: Any) -> dict[str, Any]:
        """Turn the logits of one event into calibrated probabilities.

        Args:
            model_outputs: `logits` (1, classes).

        Returns:
            `label`, `score`, `scores`.

        Raises:
            NonFiniteOutputError: a logit is NaN or infinite.
        """
        config = self.model.config
        logits = model_outputs["logits"][0].double() / config.temperature
        if not bool(logits.isfinite().all()):
            raise NonFiniteOutputError(
                f"expected finite logits, got {logits.tolist()}: the weights of "
                f"{self.model.name_or_path or 'this model'} are broken; download or train it again"
            )
        probabilities = logits.softmax(dim=-1).tolist()
        scores = {config.id2label[index]: value for index, value in enumerate(probabilities)}
        label = max(scores, key=scores.__getitem__)
        return {"label": label, "score": scores[label], "scores": scores}


class _Events(Dataset[Any]):
    """Several events as the torch dataset that `Pipeline` feeds in batches.

    Args:
        events: anything with a length and positions.
    """

    def __init__(self, events: Any):
        self.events = events

    def __len__(self) -> int:
        return len(self.events)

    def __getitem__(self, position: int) -> Any:
        return self.events[position]


def _is_indexed(inputs: Any) -> bool:
    """Whether `inputs` gives event after event by position, as a `datasets.Dataset` does."""
    return hasattr(inputs, "with_format") and hasattr(inputs, "__getitem__")
