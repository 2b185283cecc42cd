"""The base of every pipeline: events in, whatever the processor reads, and a result for each of them out."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from numbers import Integral
from typing import Any, ClassVar

import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset
from transformers import BatchFeature, PreTrainedModel
from transformers.pipelines import Pipeline

from nuzoo.configuration.repository_code import PushedWithCode
from nuzoo.files.nearest_names import did_you_mean
from nuzoo.pipelines.finite_outputs import refuse_not_finite
from nuzoo.pipelines.pipeline_errors import MissingProcessorError, PipelineOptionError
from nuzoo.processors.contract import EventProcessor, network_inputs
from nuzoo.processors.event_tables import in_steps, is_dataset


class EventPipeline(PushedWithCode, Pipeline):
    """Anything that the model's processor reads in, a result for each event out.

    Several events are a list of them, a `datasets.Dataset`, a batch, or an Arrow table; their results are a
    list. Of a generator, a streaming dataset or a `torch.utils.data.Dataset` events are read as their results
    are asked for: one batch at a time. A batch is made by the processor, never by padding, so that ragged
    tensors stay as they are.

    transformers hands the processor over as `image_processor`, whatever it reads: that is the one place of
    `pipeline()` whose loader takes any class.

    Attributes:
        own_options: options of the processor that the pipeline sets itself, and does not offer.
        per_hit: results have an entry for each hit.
        list_columns: what the lists of `as_row` hold, "text" or a type of NumPy, by name: some may be empty.

    Args:
        model: the network.
        image_processor: its processor; also taken as `processor` or `feature_extractor`.
        **kwargs: see `transformers.Pipeline`, and options of the processor for every call.

    Raises:
        MissingProcessorError: the model has no processor.
        ProcessorModelMismatchError: the processor makes other inputs than the network takes.
        PipelineOptionError: an option that the processor does not have, or cannot be.
    """

    _load_image_processor = None
    _load_processor = False  # type: ignore[assignment]
    _load_tokenizer = False  # type: ignore[assignment]
    _load_feature_extractor = False  # type: ignore[assignment]
    _load_video_processor = False  # type: ignore[assignment]

    own_options: ClassVar[Mapping[str, Any]] = {}
    per_hit: ClassVar[bool] = False
    list_columns: ClassVar[Mapping[str, str]] = {}

    model: PreTrainedModel
    image_processor: EventProcessor  # type: ignore[assignment]

    def __init__(
        self,
        model: PreTrainedModel,
        image_processor: EventProcessor | None = None,
        processor: EventProcessor | None = None,
        feature_extractor: EventProcessor | None = None,
        **kwargs: Any,
    ):
        chosen = processor or feature_extractor or image_processor
        if chosen is None or isinstance(chosen, str):
            raise MissingProcessorError(
                f"expected a processor with the model {model.name_or_path!r}, got {chosen or 'none'} that "
                "can be read: save the processor that it was trained with into the same folder "
                "(preprocessor_config.json), or pass it as processor=...; "
                "AutoProcessor.from_pretrained says what is wrong with a file that is there"
            )
        self.options = chosen.call_options - self.own_options.keys()
        super().__init__(model=model, image_processor=chosen, **kwargs)  # type: ignore[arg-type]
        chosen.check_agrees(model.config)
        _checked_size(self._batch_size)

    def __call__(  # type: ignore[override]
        self, inputs: Any, *, batch_size: int | None = None, num_workers: int | None = None, **options: Any
    ) -> Any:
        """Ask the network about one event or several.

        Args:
            inputs: one event, or several; see the class.
            batch_size: events that the network sees together.
            num_workers: processes that make batches; 0 makes them in this one, as those of a stream are.
            **options: what the processor takes beside the events, and those of the pipeline itself.

        Returns:
            The result of the event; a list for several; for what is read lazily an iterator.

        Raises:
            EventError: an event cannot be read.
            PipelineOptionError: an option that the processor does not have, or cannot be.
        """
        reading, asking, telling = self._sanitize_parameters(**options)
        options = self._preprocess_params | reading
        answers = partial(self._answers, self._forward_params | asking, self._postprocess_params | telling)
        size = _checked_size(self._batch_size if batch_size is None else batch_size)
        if _is_stream(inputs):
            steps = in_steps(iter(inputs), size, None)
            return answers(self.preprocess(step, **options) for step in steps)
        is_lazy = isinstance(inputs, Dataset)
        is_single = not is_lazy and self.image_processor.is_single_event(inputs)
        events = self._events(inputs, is_single)
        make_batch = partial(self._batch, events, size, options)
        workers = (self._num_workers or 0) if num_workers is None else num_workers
        starts: Any = range(0, len(events), size)
        found = answers(DataLoader(starts, batch_size=None, num_workers=workers, collate_fn=make_batch))
        if is_lazy:
            return found
        return next(found) if is_single else list(found)

    def _answers(
        self, asking: dict[str, Any], telling: dict[str, Any], batches: Iterable[BatchFeature]
    ) -> Iterator[dict[str, Any]]:
        for batch in batches:
            yield from self.postprocess(self.forward(batch, **asking), **telling)

    def _events(self, inputs: Any, is_single: bool) -> Any:
        """Give the events in a form of which a slice is a batch."""
        if is_single:
            return [inputs]
        if isinstance(inputs, Dataset):
            return _Slices(inputs)
        if is_dataset(inputs):
            return inputs.with_format("arrow")
        return self.image_processor.split_events(inputs)

    def _batch(self, events: Any, size: int, options: dict[str, Any], start: int) -> BatchFeature:
        return self.preprocess(events[start : start + size], **options)

    def _sanitize_parameters(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        if unknown := sorted(kwargs.keys() - self.options):
            raise PipelineOptionError(
                f"expected options of the processor ({', '.join(sorted(self.options))}), batch_size or "
                f"num_workers, got {', '.join(unknown)}{did_you_mean(unknown, self.options)}. "
                "Correct or remove them"
            )
        return kwargs, {}, {}

    def preprocess(self, input_: Any, **options: Any) -> BatchFeature:  # type: ignore[override]
        """Make a batch of events: what the network takes."""
        return self.image_processor(input_, **self.own_options, **options)

    def _forward(  # type: ignore[override]
        self, input_tensors: Mapping[str, Any], **_: Any
    ) -> dict[str, torch.Tensor]:
        outputs = self.model(**network_inputs(self.image_processor, input_tensors))
        found = {name: value for name, value in outputs.items() if isinstance(value, torch.Tensor)}
        kept = ("offset", "event_offset", *self.image_processor.kept_from_network)
        return found | {name: value for name, value in input_tensors.items() if name in kept}

    @abstractmethod
    def postprocess(self, model_outputs: Mapping[str, torch.Tensor], **_: Any) -> list[dict[str, Any]]:
        """Turn the outputs of a batch into results.

        Args:
            model_outputs: tensors of the network's output; `offset` of ragged inputs, `event_offset` of
                several of an event, and what the processor keeps from the network.

        Returns:
            One for each event.
        """

    @abstractmethod
    def as_row(self, result: dict[str, Any]) -> dict[str, Any]:
        """Give the result of an event as columns of a table: values by name."""

    def refuse_not_finite(self, name: str, values: torch.Tensor) -> None:
        """Refuse outputs that are no numbers: NaN or infinite.

        Args:
            name: of the output.
            values: of any shape.

        Raises:
            NonFiniteOutputError: there are some.
        """
        refuse_not_finite(self.model, {name: values})


def _checked_size(size: Any) -> int:
    """Return the number of events of a batch, one by default."""
    if size is None:
        return 1
    if isinstance(size, bool) or not isinstance(size, Integral) or size < 1:
        raise PipelineOptionError(f"batch_size: expected a whole number from 1 on, got {size!r}: correct it")
    return int(size)


class _Slices:
    """Events of a dataset of torch, which knows one at a time."""

    def __init__(self, events: Any) -> None:
        self.events = events

    def __len__(self) -> int:
        return len(self.events)

    def __getitem__(self, part: slice) -> list[Any]:
        return [self.events[number] for number in range(*part.indices(len(self)))]


def _is_stream(inputs: Any) -> bool:
    """Whether `inputs` gives one event after the other, and nobody knows how many."""
    if isinstance(inputs, IterableDataset):
        return True
    return hasattr(inputs, "__iter__") and not hasattr(inputs, "__len__")
