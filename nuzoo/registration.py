"""Make the Auto factories of transformers know the architectures, at no cost until they are used.

transformers keeps its own models in tables of names and imports a model when it is loaded. The
architectures of nuzoo enter the same tables, in the same way, as soon as transformers has built
them. So `import nuzoo` imports neither transformers nor torch, and it does not matter which of the
two is imported first.
"""

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from nuzoo.giving_way import GivingWay
from nuzoo.registry import ANY_NETWORK, ARCHITECTURES, TASKS, Architecture, class_name, import_object

Hook = Callable[[ModuleType], None]
FRONT_DOOR = "nuzoo"


class _AfterImport(MetaPathFinder):
    """Calls a hook once with each awaited module, when that has been imported.

    Args:
        hooks: what to call for which module.
    """

    def __init__(self, hooks: dict[str, Hook]):
        self.awaited = dict(hooks)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        hook = self.awaited.pop(name, None)
        spec = find_spec(name) if hook else None
        if hook is None or spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_call(module: ModuleType) -> None:
            execute(module)
            hook(module)

        spec.loader.exec_module = execute_and_call  # type: ignore[method-assign]
        return spec


def register(front_door: ModuleType) -> None:
    """Enter every architecture and pipeline into the tables of transformers, now or when it is imported.

    Args:
        front_door: the module that has every public class as an attribute.
    """
    waiting = {name: hook for name, hook in _HOOKS.items() if name not in sys.modules}
    sys.meta_path.insert(0, _AfterImport(waiting))
    sys.modules.setdefault(FRONT_DOOR, front_door)
    enter_rows()


def after_import(name: str, hook: Hook) -> None:
    """Call a hook with a module, now if it has been imported, else as soon as it is."""
    if name in sys.modules:
        hook(sys.modules[name])
    else:
        sys.meta_path.insert(0, _AfterImport({name: hook}))


def enter_rows() -> None:
    """Enter the rows of the registry into those tables of transformers that are there already."""
    for model_type in ARCHITECTURES:
        sys.modules[f"transformers.models.{model_type}"] = sys.modules[FRONT_DOOR]
    for name in _HOOKS.keys() & sys.modules.keys():
        if not getattr(getattr(sys.modules[name], "__spec__", None), "_initializing", False):
            _HOOKS[name](sys.modules[name])


def _enter_configurations(configuration_auto: Any) -> None:
    for architecture in ARCHITECTURES.values():
        config = class_name(architecture.config)
        configuration_auto.CONFIG_MAPPING_NAMES[architecture.model_type] = config


def _enter_models(modeling_auto: Any) -> None:
    for architecture in ARCHITECTURES.values():
        for auto_class, paths in architecture.loaded.items():
            mapping = getattr(modeling_auto, auto_class)._model_mapping
            first, *others = map(class_name, paths)
            _enter(mapping, architecture, (first, *others) if others else first)


def _enter_image_processors(image_processing_auto: Any) -> None:
    for architecture in ARCHITECTURES.values():
        name = class_name(architecture.processor_path)
        backends = {"torchvision": name, "pil": name}
        _enter(image_processing_auto.IMAGE_PROCESSOR_MAPPING, architecture, backends)


def _enter_processors(processing_auto: Any) -> None:
    for architecture in ARCHITECTURES.values():
        _enter(processing_auto.PROCESSOR_MAPPING, architecture, class_name(architecture.processor_path))


def _enter_pipelines(pipelines: Any) -> None:
    known = pipelines.PIPELINE_REGISTRY.supported_tasks
    for task in TASKS.values():
        if task.pipeline_name and task.pipeline:
            known[task.pipeline_name] = {
                "impl": task.pipeline,
                "pt": (import_object(f"transformers.{task.auto_class or ANY_NETWORK}"),),
                "type": task.pipeline_type,
            }
            if isinstance(theirs := known.get(task.pipeline_tag, {}).get("impl"), str):
                known[task.pipeline_tag]["impl"] = GivingWay(theirs)


def _set_exporter(repository_code: Any) -> None:
    """Send every `push_to_hub` of the installed classes through the exporter of the hub room."""

    def push(pushed: Any, repo_id: str, **options: Any) -> Any:
        return import_object("nuzoo.hub.push.push")(pushed, repo_id, **options)

    repository_code.PushedWithCode.exporter = push


def _enter(mapping: Any, architecture: Architecture, classes: str | tuple[str, ...] | dict[str, str]) -> None:
    """Add a row to a `_LazyAutoMapping`: model type → class names, configuration → model type."""
    mapping._model_mapping[architecture.model_type] = classes
    mapping._reverse_config_mapping[class_name(architecture.config)] = architecture.model_type


_HOOKS: dict[str, Hook] = {
    "transformers.models.auto.configuration_auto": _enter_configurations,
    "transformers.models.auto.modeling_auto": _enter_models,
    "transformers.models.auto.image_processing_auto": _enter_image_processors,
    "transformers.models.auto.processing_auto": _enter_processors,
    "transformers.pipelines": _enter_pipelines,
    "nuzoo.configuration.repository_code": _set_exporter,
}
