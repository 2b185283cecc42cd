"""A model, its processor and their code as the files of a repository."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from transformers import FeatureExtractionMixin, ImageProcessingMixin, PreTrainedConfig, PreTrainedModel

from nuzoo.files.names import CONFIG_FILE, PROCESSOR_FILES
from nuzoo.hub.errors import UnknownArchitectureError, UnpublishableContentError
from nuzoo.hub.model.base_model import find_base_model, name_base_model
from nuzoo.hub.model.flat_export import export_code, reference
from nuzoo.hub.model.half_weights import halve_weights
from nuzoo.hub.pinned import Pinned
from nuzoo.processors.contract import EventProcessor
from nuzoo.registry import ARCHITECTURES, Architecture, class_name, import_object

BODY = "AutoModel"
PROCESSOR_AUTO_CLASSES = {
    ImageProcessingMixin: ("AutoImageProcessor",),
    FeatureExtractionMixin: ("AutoFeatureExtractor", "AutoImageProcessor"),
}
"""For each base class of transformers the Auto classes that load its heirs, beside `AutoProcessor`.

`pipeline()` asks AutoImageProcessor, see `EventPipeline`, which would guess another name.
"""


def write_model(
    folder: Path,
    model: PreTrainedModel,
    processor: EventProcessor | None,
    *,
    base: Pinned | None = None,
    bundled: bool = False,
    **options: Any,
) -> None:
    """Write weights, configuration, processor and flat code, so that the Auto classes load them alone.

    Of a model with an adapter, the adapter is written, and the code of the processor: configuration, weights
    and code of the network are in the network's own repository.

    Args:
        folder: Where; it exists.
        model: One of our networks.
        processor: Its processor, if it has one yet.
        base: The network of an adapter; the one that the adapter names by default.
        bundled: It goes into the package: no code, weights of a network in half the bytes, and the base of
            an adapter, whole, in a folder of it.
        **options: Passed to `model.save_pretrained`, e.g. `max_shard_size`.

    Raises:
        UnknownArchitectureError: The model is none of the registry's.
        NotExportableError: Its code imports what a repository cannot bring along.
        BaseModelError: The network of an adapter is not on the Hub.
    """
    architecture = architecture_of(model.config)
    model.save_pretrained(folder, **options)
    if processor is not None:
        write_processor(folder, processor, bundled=bundled)
    if bundled:
        halve_weights(folder)
        return
    base = base or find_base_model(folder)
    if base is not None:
        name_base_model(folder, base)
    if (folder / CONFIG_FILE).is_file():
        _export_network(folder, architecture, type(model).__name__)


def write_config(folder: Path, config: PreTrainedConfig) -> None:
    """Write a configuration and its flat code alone; see `write_model`."""
    architecture = architecture_of(config)
    config.save_pretrained(folder)
    networks = config.architectures or [class_name(path) for path in architecture.networks.values()]
    _export_network(folder, architecture, networks[0])


def write_processor(folder: Path, processor: EventProcessor, *, bundled: bool = False) -> None:
    """Write a processor and its flat code alone; see `write_model`."""
    processor.save_pretrained(folder)
    if bundled:
        return
    kind = type(processor)
    export_code([kind], folder)
    of_base = (names for base, names in PROCESSOR_AUTO_CLASSES.items() if issubclass(kind, base))
    auto_map = dict.fromkeys([*chain.from_iterable(of_base), "AutoProcessor"], reference(kind))
    for name in PROCESSOR_FILES:
        if (folder / name).exists():
            _add(folder / name, auto_map=auto_map, processor_class=kind.__name__)


def architecture_of(config: PreTrainedConfig) -> Architecture:
    """Find the registry's row of a configuration.

    Raises:
        UnknownArchitectureError: There is none.
    """
    if config.model_type not in ARCHITECTURES:
        raise UnknownArchitectureError(
            f"expected a model of nuzoo ({', '.join(ARCHITECTURES)}), got model_type {config.model_type!r}: "
            "push others with their own library"
        )
    return ARCHITECTURES[config.model_type]


def auto_class_of(model: PreTrainedModel) -> str:
    """Name the Auto class of a network; `AutoModel` where transformers has none that fits its task."""
    task = architecture_of(model.config).task_of(type(model).__name__)
    return (task.auto_class if task else None) or BODY


def check_finite(model: PreTrainedModel) -> None:
    """Refuse weights that are no numbers, as a training that diverged leaves them; name the first tensor."""
    for name, tensor in model.state_dict().items():
        if not bool(torch.isfinite(tensor).all()):
            raise UnpublishableContentError(
                f"expected finite weights, got NaN or infinity in {name}: the training diverged; train again "
                "with a lower learning rate, or publish an earlier checkpoint"
            )


def _export_network(folder: Path, architecture: Architecture, network: str) -> None:
    """Add the flat code of a network to saved files, and say in them which class is where.

    An Auto class that could load several of the architecture's networks loads the one that is published.
    Its task's pipeline comes along, alone, so that `pipeline(model=...)` finds it.
    """
    task = architecture.task_of(network)
    classes = {"AutoConfig": architecture.config, **architecture.models}
    pipelines: dict[str, dict[str, Any]] = {}
    paths = []
    if task is not None:
        auto_class = task.auto_class or BODY
        classes[auto_class] = architecture.networks[task.name]
        if task.pipeline and task.pipeline_name:
            paths.append(task.pipeline)
            implementation = reference(import_object(task.pipeline))
            about = {"impl": implementation, "pt": [auto_class], "type": task.pipeline_type, "default": None}
            pipelines[task.pipeline_name] = about
    auto_map = {auto_class: import_object(path) for auto_class, path in classes.items()}
    export_code([*auto_map.values(), *map(import_object, paths)], folder)
    references = {auto_class: reference(kind) for auto_class, kind in auto_map.items()}
    _add(folder / CONFIG_FILE, auto_map=references, custom_pipelines=pipelines)


def _add(path: Path, **keys: Any) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | keys, indent=2, sort_keys=True) + "\n", encoding="utf-8")
