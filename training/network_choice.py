"""The section `model` of a recipe: which network, and where its weights come from."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from huggingface_hub.errors import StrictDataclassError
from transformers import PreTrainedConfig, PreTrainedModel

from nuzoo.modeling.arguments import ArgumentError
from nuzoo.modeling.fresh_modules import is_of_another_task, modules_of_another_task
from nuzoo.modeling.transfer_weights import load_transfer
from nuzoo.pipelines.loading import resolve_model
from nuzoo.processors.contract import EventProcessor
from nuzoo.registry import ARCHITECTURES, Architecture, import_object
from nuzoo.training.fields import RecipeError, checked_fields, types_of

logger = logging.getLogger(__name__)

STARTS: dict[str, Any] = dict.fromkeys(("preset", "pretrained", "timm_weights"), str | None)
STARTS |= dict.fromkeys(("reinitialize", "frozen"), list[str])
HEADS = "num_attention_heads"
"""A size that no shape of a tensor tells."""

OF_EVERY_CONFIGURATION: dict[str, Any] = {"num_labels": int, "attn_implementation": str}
"""What configurations take besides their fields."""


@dataclass(frozen=True)
class NetworkChoice:
    """A network to train.

    Attributes:
        architecture: Its row.
        task: What it shall learn.
        fields: Of its configuration.
        preset: A size: name of a way to make the configuration.
        pretrained: Folder or repository of a network of ours to fine-tune; or of one of another type, whose
            size is taken over, and those parts that mean the same (`transfers_from` in the registry).
        timm_weights: A safetensors file or a name of timm's, to start from.
        reinitialize: Modules of the pretrained network that start afresh, `[classifier]` for other classes.
            Heads of a network for another task, and what the checkpoint does not have, do so anyway.
        frozen: Modules that do not learn, such as `[nu_point.embedding, nu_point.encoder]`.
    """

    architecture: Architecture
    task: str
    fields: dict[str, Any]
    preset: str | None = None
    pretrained: str | None = None
    timm_weights: str | None = None
    reinitialize: Sequence[str] = ()
    frozen: Sequence[str] = ()

    @classmethod
    def parse(cls, given: Mapping[str, Any], task: str) -> Self:
        """Check the section of a network that shall learn a task.

        Raises:
            RecipeError: No such type for the task, no such preset or way to start, an unknown field, or one
                of another type.
        """
        row = architecture_of(given)
        if task not in row.networks:
            raise RecipeError(
                f"model.model_type: expected a network for {task}, got {row.model_type}, which is for "
                f"{', '.join(row.networks)}"
            )
        kind = import_object(row.config)
        types = types_of(kind) | OF_EVERY_CONFIGURATION | STARTS | {"model_type": str}
        fields = checked_fields("model", given, types)
        del fields["model_type"]
        choice = cls(row, task, fields, **{name: fields.pop(name) for name in STARTS if name in fields})
        for other in ("preset", "timm_weights"):
            if choice.pretrained and getattr(choice, other) and not choice.is_transfer:
                raise RecipeError(
                    f"model.pretrained and model.{other}: expected one of them, got both: leave one out "
                    f"(model.{other}=null)"
                )
        if choice.reinitialize and not choice.pretrained:
            raise RecipeError("model.reinitialize: it has no effect without model.pretrained: leave it out")
        presets = [name for name, member in vars(kind).items() if isinstance(member, classmethod)]
        if choice.preset and choice.preset not in presets:
            raise RecipeError(f"model.preset: expected one of {', '.join(presets)}, got {choice.preset!r}")
        return choice

    def config(self, processor: EventProcessor, class_names: Sequence[str] | None = None) -> PreTrainedConfig:
        """Make the configuration, whose fields follow from the events where they are not given.

        Args:
            processor: Of the events.
            class_names: Of the events, which a new network or a new head takes; None where they have none.

        Raises:
            RecipeError: A field that cannot have its value, or a checkpoint of another type.
            ProcessorModelMismatchError: A given field does not go with the processor.
        """
        kind = import_object(self.architecture.config)
        fields = self._classes(class_names) | self.fields
        try:
            if self.pretrained and not self.is_transfer:
                config = self._pretrained_config(kind, fields)
            else:
                decided = {k: v for k, v in processor.network_fields().items() if k in types_of(kind)}
                make = getattr(kind, self.preset) if self.preset else kind
                config = make(**(decided | self._fields_of_transfer(kind) | fields))
        except StrictDataclassError as error:
            raise RecipeError(f"model: {' '.join(str(error).split())}") from error
        processor.check_agrees(config)
        return config

    @cached_property
    def known_fields(self) -> dict[str, Any]:
        """Fields of the configuration that are known without the events: of checkpoint, preset or recipe."""
        if self.pretrained and not self.is_transfer:
            return self._fields_of_checkpoint | self.fields
        if not self.preset:
            return self.fields
        try:
            made = getattr(import_object(self.architecture.config), self.preset)(**self.fields)
        except StrictDataclassError:  # `config` says what is wrong
            return self.fields
        return made.to_dict() | self.fields

    @cached_property
    def is_transfer(self) -> bool:
        """Whether it takes over parts of a network of another type."""
        others = self.architecture.transfers_from
        return bool(others) and self._fields_of_checkpoint.get("model_type") in others

    def _fields_of_transfer(self, kind: Any) -> dict[str, Any]:
        if not self.is_transfer:
            return {}
        row = ARCHITECTURES[self._fields_of_checkpoint["model_type"]]
        theirs = import_object(row.config).from_pretrained(self.checkpoint)
        taken: dict[str, Any] = kind.fields_from(theirs)
        if self.fields.get(HEADS, taken[HEADS]) != taken[HEADS]:
            raise RecipeError(
                f"model.{HEADS}: expected {taken[HEADS]}, as {self.pretrained} splits its weights, got "
                f"{self.fields[HEADS]}: leave it out"
            )
        return taken

    @cached_property
    def _fields_of_checkpoint(self) -> dict[str, Any]:
        if not self.pretrained:
            return {}
        fields: dict[str, Any] = PreTrainedConfig.get_config_dict(resolve_model(self.pretrained))[0]
        return fields

    @property
    def is_of_another_task(self) -> bool:
        """Whether it starts from a checkpoint of a network for another task, or of the body alone."""
        return is_of_another_task(self.architecture.network_class(self.task), self._fields_of_checkpoint)

    @property
    def other_classes(self) -> str:
        """What may be done, for messages, about events of classes that the network does not have."""
        if not self.pretrained or self.reinitialize:
            return ""
        return (
            "; or give model.reinitialize=[classifier]: a new head learns the classes of the events (what "
            "transformers calls ignore_mismatched_sizes=True)"
        )

    def _classes(self, names: Sequence[str] | None) -> dict[str, Any]:
        """Give the fields that name the classes of the events, where recipe and weights leave them open."""
        is_open = not self.pretrained or self.reinitialize or self.is_of_another_task
        if names is None or not is_open or self.fields.get("num_labels", len(names)) != len(names):
            return {}
        return {"id2label": dict(enumerate(names))}

    def _pretrained_config(self, kind: Any, fields: Mapping[str, Any]) -> PreTrainedConfig:
        """Read the configuration of the checkpoint; its calibration is not that of what is made of it."""
        uncalibrated = dict.fromkeys(kind.temperatures, 1.0) if kind.is_calibrated else {}
        config: PreTrainedConfig = kind.from_pretrained(self.checkpoint, **{**uncalibrated, **fields})
        return config

    @cached_property
    def checkpoint(self) -> str:
        """The folder or repository that `pretrained` means.

        Raises:
            RecipeError: It is of another architecture, and not of one whose parts can be taken over.
            UnusableModelError: See `resolve_model`.
        """
        found = self._fields_of_checkpoint.get("model_type")
        if found != self.architecture.model_type and not self.is_transfer:
            raise RecipeError(
                f"model.pretrained: expected a {' or a '.join(self._types)}, by model.model_type, got "
                f"{self.pretrained}, which is {f'a {found}' if found else 'no model that says its type'}"
            )
        return resolve_model(str(self.pretrained))

    @property
    def _types(self) -> tuple[str, ...]:
        return (self.architecture.model_type, *self.architecture.transfers_from)

    def build(self, config: PreTrainedConfig) -> PreTrainedModel:
        """Make a fresh network, one that starts from timm's weights, or a checkpoint.

        Raises:
            RecipeError: The network has no counterpart in timm, no module that shall start afresh or that
                shall not learn, or no evidence that is asked for.
        """
        try:
            model = self._network(self.architecture.network_class(self.task), config)
            if self.frozen:
                model.freeze(self.frozen)
        except ArgumentError as error:
            raise RecipeError(f"model.{error}") from error
        if not any(parameter.requires_grad for parameter in model.parameters()):
            raise RecipeError(f"model.frozen: expected something that learns, got {list(self.frozen)}")
        if getattr(config, "evidential", None) is not None and not getattr(model, "evidence", ()):
            raise RecipeError(
                f"model.evidential: expected a network whose loss is that of classes, got "
                f"{type(model).__name__}: leave it out"
            )
        return model

    def _network(self, network: Any, config: PreTrainedConfig) -> Any:
        if self.is_transfer:
            model = network._from_config(config)
            load_transfer(model, self.checkpoint, self.reinitialize)
            return model
        if self.pretrained:
            fresh = modules_of_another_task(network, config, self.checkpoint)
            if fresh:
                logger.warning("%s is for another task, new are: %s", self.pretrained, ", ".join(fresh))
            renewed = [*self.reinitialize, *fresh]
            return network.from_pretrained(self.checkpoint, config=config, reinitialize=renewed)
        model = network._from_config(config)
        if self.timm_weights:
            if not hasattr(model, "load_timm_weights"):
                raise RecipeError(
                    f"model.timm_weights: {config.model_type} has no counterpart in timm, leave it out"
                )
            model.load_timm_weights(self.timm_weights)
        return model


def architecture_of(model: Any) -> Architecture:
    """Find the row of the network that a section `model` names, or raise `RecipeError`."""
    if not isinstance(model, Mapping):
        raise RecipeError(f"model: expected fields, got {model!r}")
    model_type = model.get("model_type")
    if model_type not in ARCHITECTURES:
        raise RecipeError(f"model.model_type: expected one of {', '.join(ARCHITECTURES)}, got {model_type!r}")
    return ARCHITECTURES[model_type]
