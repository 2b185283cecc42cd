"""Who is measured, on what: network, processor and events, identified before the network is used.

Digests tie measured numbers to the very network and processor that gave them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.datasets_scripts.common.labelled_rows import check_columns, check_detector, check_lengths
from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.core.provenance import check_disjoint
from nuzoo.evaluation.core.results import DatasetFacts, ModelFacts, ProcessorFacts, Subject

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedConfig, PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

ADAPTER_NAMES = ("lora_", "modules_to_save.")
"""In the names of the parameters that PEFT adds."""

QUANTISED_PARAMETERS = {"Params4bit": "4-bit", "Int8Params": "8-bit"}
"""Classes of bitsandbytes."""

WRITTEN_BY_OTHERS = ("auto_map", "processor_class", "image_processor_type", "feature_extractor_type")
"""Keys of a processor's file that do not change what it computes."""


def describe_subject(
    model: PreTrainedModel,
    processor: EventProcessor,
    events: Events,
    *,
    check: Callable[[Dataset, str, PreTrainedConfig], None],
    describe: Callable[[Dataset], DatasetFacts],
    truth: Sequence[str] = (),
) -> Subject:
    """Say what is measured on what, with `check_events` of a task, see `TaskEvaluator.describe`.

    Args:
        model: The network.
        processor: Its processor.
        events: What it is measured on.
        check: Refuses the events of a split.
        describe: Describes a dataset.
        truth: Columns that the numbers are made of, to be of as many entries as there are hits.
    """
    for name, rows in (("dataset", events.rows), ("validation", events.validation)):
        if rows is not None:
            split = str(rows.split or name)
            check_detector(rows, split, processor.detector)
            check_lengths(rows, split, processor.schema, truth)
            check(rows, split, model.config)
            needed = ["event_id", "detector", *(column.name for column in processor.schema.hits)]
            check_columns(rows, split, needed)
    if events.validation is not None:
        check_disjoint(events.validation, events.rows)
    return Subject(
        dataset=describe(events.rows),
        validation=None if events.validation is None else describe(events.validation),
        model=describe_model(model),
        processor=_describe_processor(processor, model.config),
        seen=events.seen,
    )


def describe_model(model: PreTrainedModel) -> ModelFacts:
    """Describe a network: its size, what of it is trained, how its numbers are stored, its digest."""
    sizes = {name: parameter_size(parameter) for name, parameter in model.named_parameters()}
    adapter = [name for name in sizes if any(part in name for part in ADAPTER_NAMES)]
    trainable = adapter or [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    return ModelFacts(
        class_name=type(model).__name__,
        model_type=model.config.model_type,
        parameters=sum(sizes.values()),
        trainable_parameters=sum(sizes[name] for name in trainable),
        adapter=bool(adapter),
        quantisation=quantisation(model),
        dtype=str(model.dtype).removeprefix("torch."),
        classes=class_names_of(model.config),
        weights_sha256=weights_digest(model),
    )


def parameter_size(parameter: nn.Parameter) -> int:
    """Count the numbers in a parameter; bitsandbytes packs two of 4 bit into a byte, and keeps the shape."""
    state = getattr(parameter, "quant_state", None)
    return parameter.numel() if state is None else math.prod(state.shape)


def quantisation(model: nn.Module) -> str | None:
    """Say how the weights of a network, or of one inside it, are quantised: "4-bit", "8-bit" or None."""
    kinds = {type(parameter).__name__ for parameter in model.parameters()}
    return next((bits for kind, bits in QUANTISED_PARAMETERS.items() if kind in kinds), None)


def weights_digest(model: PreTrainedModel) -> str:
    """Give the SHA-256 of the names, types and bytes of every tensor of a network, wherever it is."""
    digest = sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def processor_digest(processor: EventProcessor) -> str:
    """Give the SHA-256 of the settings of a processor."""
    settings = {key: value for key, value in processor.to_dict().items() if key not in WRITTEN_BY_OTHERS}
    return sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()


def _describe_processor(processor: EventProcessor, config: PreTrainedConfig) -> ProcessorFacts:
    """Identify a processor, and the question that it asks."""
    digest = processor_digest(processor)
    if not config.writes_text:
        return ProcessorFacts(sha256=digest)
    asking: Any = processor
    question = sha256(json.dumps(asking.prompt, sort_keys=True).encode()).hexdigest()
    return ProcessorFacts(
        sha256=digest, prompt=asking.prompt["name"], prompt_sha256=question, examples=asking.num_examples
    )
