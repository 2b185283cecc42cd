"""Loading a model for the commands: every way in which it can fail is one clear line."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from nuzoo.files.errors import HubError, PlaceError
from nuzoo.files.names import CONFIG_FILE, RECIPE_FILE
from nuzoo.files.nearest_names import did_you_mean
from nuzoo.files.places import check_place
from nuzoo.registry import ARCHITECTURES, Architecture, Task, import_object
from nuzoo.zoo.bundled import bundled_models, find_model

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

    from nuzoo.pipelines.event_pipeline import EventPipeline
    from nuzoo.processors.contract import EventProcessor


class UnusableModelError(ValueError):
    """A model folder or repository that cannot be used."""


def resolve_model(name: str) -> str:
    """Find what a model is called: the one place where a name becomes a folder or a repository.

    Args:
        name: a folder, a repository, or the name of a model that comes with nuzoo.

    Raises:
        UnusableModelError: no folder, and no repository that can be had.
    """
    place = find_model(name)
    try:
        check_place(place, "model")
    except PlaceError as error:
        raise UnusableModelError(f"{error}{did_you_mean([name], bundled_models())}") from error
    except HubError as error:
        raise UnusableModelError(str(error)) from error
    return place


def load_model(path: str) -> tuple[PreTrainedModel, EventProcessor]:
    """Load the network and the processor of a model of any architecture and task.

    Args:
        path: folder or repository, also of an adapter alone.

    Raises:
        UnusableModelError: nothing there, no model of nuzoo, or a broken configuration, weights or processor.
    """
    return _load(path)[1:]


def load_pipeline(path: str, **options: Any) -> EventPipeline:
    """Load a model as the pipeline of the task that it was trained for.

    Args:
        path: see `load_model`.
        **options: of `transformers.Pipeline`, and of the processor.

    Raises:
        UnusableModelError: see `load_model`; or its task has no pipeline.
        PipelineOptionError: an option that the processor does not have.
    """
    task, model, processor = _load(path)
    if task.pipeline is None:
        raise UnusableModelError(
            f"{path}: expected a task with a pipeline, got {task.name}: ask the network itself"
        )
    return import_object(task.pipeline)(model, processor, task=task.pipeline_name, **options)


def _load(path: str) -> tuple[Task, PreTrainedModel, EventProcessor]:
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    path = resolve_model(path)
    try:
        architecture, task = _kind_of(_config(path))
        processor = architecture.processor_class().from_pretrained(path)
        model = architecture.network_class(task.name).from_pretrained(path)
        processor.check_agrees(model.config)
    except (ValueError, OSError, SafetensorError, StrictDataclassError) as error:
        raise UnusableModelError(f"{path}: {error}") from error
    return task, model, processor


def _config(path: str) -> PreTrainedConfig:
    """Read the configuration of a network, or of the one that an adapter is for; no code beside it runs."""
    from transformers import PreTrainedConfig

    from nuzoo.files.origin import find_file, whereabouts
    from nuzoo.modeling.adapter_files import find_adapter

    where = whereabouts(path, {})
    revision: dict[str, str | None] = {}
    if find_file(path, CONFIG_FILE, **where) is None and (adapter := find_adapter(path, {}, **where)):
        path, revision = adapter.base, {"revision": adapter.base_revision}
    _refuse_unfinished(Path(path))
    if find_file(path, CONFIG_FILE, **whereabouts(path, {})) is None:
        raise UnusableModelError(
            f"expected a model, with a {CONFIG_FILE}, got none: give its folder or repository"
        )
    model_type = PreTrainedConfig.get_config_dict(path, **revision)[0].get("model_type")
    if model_type not in ARCHITECTURES:
        raise UnusableModelError(
            f"expected a model of nuzoo ({', '.join(ARCHITECTURES)}), got model_type {model_type!r}: "
            "load others with their own library"
        )
    return import_object(ARCHITECTURES[model_type].config).from_pretrained(path, **revision)


def _refuse_unfinished(folder: Path) -> None:
    """Refuse the folder of a run that has no model yet."""
    recipe = folder / RECIPE_FILE
    if not recipe.is_file() or (folder / CONFIG_FILE).exists():
        return
    saved = [file.parent for file in folder.glob(f"checkpoint-*/{CONFIG_FILE}")]
    numbered = {int(step): place for place in saved if (step := place.name.rpartition("-")[2]).isdecimal()}
    newest = f", or take its newest checkpoint, {numbered[max(numbered)]}" if numbered else ""
    raise UnusableModelError(
        "expected a trained model, got a training that is not finished: give the same command again, which "
        f"goes on with it (`nuzoo train {quote(str(recipe))}`){newest}"
    )


def _kind_of(config: PreTrainedConfig) -> tuple[Architecture, Task]:
    architecture = ARCHITECTURES[config.model_type]
    named = config.architectures or []
    task = architecture.task_of(named[0]) if named else architecture.tasks[0]
    if task is None:
        raise UnusableModelError(
            f"expected a network for a task ({', '.join(architecture.networks)}), got {named[0]}: train a "
            "head, or load it with AutoModel"
        )
    return architecture, task
