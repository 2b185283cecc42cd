"""A model, its processor and their code as the files of a repository."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from nuzoo.files.names import CONFIG_FILE, PROCESSOR_FILES
from nuzoo.hub.errors import UnknownArchitectureError, UnpublishableContentError
from nuzoo.hub.model.base_model import find_base_model, name_base_model
from nuzoo.hub.model.flat_export import export_code, reference
from nuzoo.hub.pinned import Pinned
from nuzoo.registry import ARCHITECTURES, Architecture, Task, import_object


def write_model(
    folder: Path, model: Any, processor: Any, *, base: Pinned | None = None, **options: Any
) -> None:
    """Write weights, configuration, processor and flat code, so that the Auto classes load them alone.

    Of a model with an adapter, the adapter is written, and the code of the processor: configuration, weights
    and code of the network are in the network's own repository.

    Args:
        folder: Where; it exists.
        model: One of our networks.
        processor: Its processor, if it has one yet.
        base: The network of an adapter; the one that the adapter names by default.
        **options: Passed to `model.save_pretrained`, e.g. `max_shard_size`.

    Raises:
        UnknownArchitectureError: The model is none of the registry's.
        UnpublishableContentError: A weight is NaN or infinite.
        NotExportableError: Its code imports what a repository cannot bring along.
        BaseModelError: The network of an adapter is not on the Hub.
    """
    architecture = architecture_of(model.config)
    check_finite(model)
    model.save_pretrained(folder, **options)
    if processor is not None:
        write_processor(folder, processor)
    base = base or find_base_model(folder)
    if base is not None:
        name_base_model(folder, base)
    if (folder / CONFIG_FILE).is_file():
        export_with_auto_map(folder, architecture)


def auto_class_of(model: Any) -> str:
    """The name of the Auto class that loads a network."""
    models = architecture_of(model.config).models
    return next(name for name, path in models.items() if path.endswith(f".{type(model).__name__}"))


def check_finite(model: Any) -> None:
    """Refuse weights that are no numbers, as a training that diverged leaves them.

    Raises:
        UnpublishableContentError: With the name of the first such tensor.
    """
    for name, tensor in model.state_dict().items():
        if not bool(torch.isfinite(tensor).all()):
            raise UnpublishableContentError(
                f"expected finite weights, got NaN or infinity in {name}: the training diverged; train again "
                "with a lower learning rate, or publish an earlier checkpoint"
            )


def write_config(folder: Path, config: Any) -> None:
    """Write a configuration and its flat code alone; see `write_model`."""
    config.save_pretrained(folder)
    export_with_auto_map(folder, architecture_of(config))


def write_processor(folder: Path, processor: Any) -> None:
    """Write a processor and its flat code alone; see `write_model`."""
    processor.save_pretrained(folder)
    kind = type(processor)
    export_code([kind], folder)
    _add_processor_map(folder, kind)


def architecture_of(config: Any) -> Architecture:
    """The registry's row of a configuration.

    Raises:
        UnknownArchitectureError: There is none.
    """
    if config.model_type not in ARCHITECTURES:
        raise UnknownArchitectureError(
            f"expected a model of nuzoo ({', '.join(ARCHITECTURES)}), got model_type {config.model_type!r}: "
            "push others with their own library"
        )
    return ARCHITECTURES[config.model_type]


def export_with_auto_map(folder: Path, architecture: Architecture) -> None:
    """Add the flat code of an architecture to saved files, and say in them which class is where."""
    config, processor = import_object(architecture.config), architecture.processor_class()
    models = {auto_class: architecture.model_class(auto_class) for auto_class in architecture.models}
    tasks = [task for task in architecture.tasks if task.pipeline]
    pipelines = {task.pipeline_name: import_object(str(task.pipeline)) for task in tasks}
    export_code([config, processor, *models.values(), *pipelines.values()], folder)
    auto_map = {"AutoConfig": config, **models}
    _add(
        folder / CONFIG_FILE,
        auto_map={auto_class: reference(kind) for auto_class, kind in auto_map.items()},
        custom_pipelines={
            task.pipeline_name: _custom_pipeline(task, pipelines[task.pipeline_name]) for task in tasks
        },
    )
    _add_processor_map(folder, processor)


def _custom_pipeline(task: Task, kind: type) -> dict[str, Any]:
    return {"impl": reference(kind), "pt": [task.auto_class], "type": task.pipeline_type, "default": None}


def _add_processor_map(folder: Path, kind: type) -> None:
    auto_classes: Iterable[str] = ("AutoImageProcessor", "AutoProcessor")
    for name in PROCESSOR_FILES:
        if (folder / name).exists():
            auto_map = dict.fromkeys(auto_classes, reference(kind))
            _add(folder / name, auto_map=auto_map, processor_class=kind.__name__)


def _add(path: Path, **keys: Any) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | keys, indent=2, sort_keys=True) + "\n", encoding="utf-8")
