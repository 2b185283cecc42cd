"""The one table of architectures: nothing else in the tree names them all.

It imports nothing heavy: classes are named here and imported when they are asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any


def import_object(path: str) -> Any:
    """Import what a dotted path names.

    Args:
        path: module and attribute, such as "nuzoo.registry.ARCHITECTURES".

    Returns:
        The object.
    """
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


@dataclass(frozen=True)
class Architecture:
    """A row of the table.

    Attributes:
        model_type: its name, in `config.json` and in file names.
        config: path of the configuration class, which has a `tiny()` for tests.
        models: for each Auto class by name, the path of the network that it loads.
        processor: path of the processor class.
        recipes: names of the files in `training/recipes`, without suffix.
    """

    model_type: str
    config: str
    models: Mapping[str, str]
    processor: str
    recipes: tuple[str, ...]

    @property
    def class_paths(self) -> dict[str, str]:
        """The path of every class of the architecture, by class name."""
        paths = [self.config, *self.models.values(), self.processor]
        return {path.rpartition(".")[2]: path for path in paths}

    def tiny_config(self, **kwargs: Any) -> Any:
        """The smallest useful configuration.

        Args:
            **kwargs: fields to set otherwise.

        Returns:
            An instance of the configuration class.
        """
        return import_object(self.config).tiny(**kwargs)

    def model_class(self, auto_class: str) -> Any:
        """The network that an Auto class loads.

        Args:
            auto_class: name of the Auto class.

        Returns:
            The class.
        """
        return import_object(self.models[auto_class])

    def processor_class(self) -> Any:
        """The class of the processor.

        Returns:
            The class.
        """
        return import_object(self.processor)


@dataclass(frozen=True)
class PipelineTask:
    """A task that `transformers.pipeline` learns from nuzoo.

    Attributes:
        name: the task.
        pipeline: path of the pipeline class.
        auto_class: name of the Auto class that loads its models.
        modality: transformers' word for what the pipeline reads.
    """

    name: str
    pipeline: str
    auto_class: str
    modality: str


_PIXEL_MAPS = "nuzoo.processors.image_processing_nu_pixel_map.NuPixelMapImageProcessor"

ARCHITECTURES: dict[str, Architecture] = {
    architecture.model_type: architecture
    for architecture in (
        Architecture(
            model_type="nu_cnn",
            config="nuzoo.configuration.configuration_nu_cnn.NuCnnConfig",
            models={
                "AutoModel": "nuzoo.modeling.modeling_nu_cnn.NuCnnModel",
                "AutoModelForImageClassification": (
                    "nuzoo.modeling.modeling_nu_cnn.NuCnnForEventClassification"
                ),
            },
            processor=_PIXEL_MAPS,
            recipes=("nu_cnn", "nu_cnn_tiny", "nu_cnn_dune", "nu_cnn_dune_finetune"),
        ),
        Architecture(
            model_type="nu_vit",
            config="nuzoo.configuration.configuration_nu_vit.NuVitConfig",
            models={
                "AutoModel": "nuzoo.modeling.modeling_nu_vit.NuVitModel",
                "AutoModelForImageClassification": (
                    "nuzoo.modeling.modeling_nu_vit.NuVitForEventClassification"
                ),
            },
            processor=_PIXEL_MAPS,
            recipes=("nu_vit", "nu_vit_tiny"),
        ),
        Architecture(
            model_type="nu_vlm",
            config="nuzoo.configuration.configuration_nu_vlm.NuVlmConfig",
            models={
                "AutoModelForImageClassification": (
                    "nuzoo.modeling.modeling_nu_vlm.NuVlmForEventClassification"
                ),
                "AutoModel": "nuzoo.modeling.modeling_nu_vlm.NuVlmForEventClassification",
            },
            processor="nuzoo.processors.processing_nu_vlm.NuVlmProcessor",
            recipes=("nu_vlm", "nu_vlm_tiny"),
        ),
    )
}

PIPELINE_TASKS: dict[str, PipelineTask] = {
    task.name: task
    for task in (
        PipelineTask(
            name="neutrino-event-classification",
            pipeline="nuzoo.pipelines.event_classification.NeutrinoEventClassificationPipeline",
            auto_class="AutoModelForImageClassification",
            modality="image",
        ),
    )
}

PUBLIC_CLASSES: dict[str, str] = {
    name: path for architecture in ARCHITECTURES.values() for name, path in architecture.class_paths.items()
} | {task.pipeline.rpartition(".")[2]: task.pipeline for task in PIPELINE_TASKS.values()}
