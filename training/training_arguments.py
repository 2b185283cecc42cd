"""A recipe's `transformers.TrainingArguments`."""

from collections.abc import Mapping
from typing import Any

from transformers import TrainingArguments
from transformers.integrations import get_available_reporting_integrations

from nuzoo.files.nearest_names import did_you_mean
from nuzoo.training.fields import Count, NotNegative, Positive, RecipeError, checked_fields, types_of

DEFAULTS: dict[str, Any] = {
    "eval_strategy": "epoch",
    "save_strategy": "epoch",
    "save_total_limit": 2,
    "load_best_model_at_end": True,
    "metric_for_best_model": "eval_loss",
    "logging_steps": 20,
    "label_names": ["labels"],
    "restore_callback_states_from_checkpoint": True,
    "remove_unused_columns": False,
    "disable_tqdm": False,
}

LIMITED = {
    "per_device_train_batch_size": Count,
    "per_device_eval_batch_size": Count,
    "gradient_accumulation_steps": Count,
    "num_train_epochs": Positive,
    "save_steps": Positive,
    "learning_rate": NotNegative,
    "weight_decay": NotNegative,
}
"""What `TrainingArguments` takes and the training then fails on, or makes nonsense of."""


def checked_arguments(section: str, given: Any) -> dict[str, Any]:
    """Return fields of `transformers.TrainingArguments`, each of its type, with our defaults.

    Args:
        section: Their name, for messages.
        given: As in a recipe; the strategy `no` is false in YAML.

    Raises:
        RecipeError: An unknown field, or a value that it cannot have.
    """
    if isinstance(given, Mapping):
        off = {name: "no" for name, value in given.items() if value is False and name.endswith("_strategy")}
        given = {**given, **off}
    fields = checked_fields(section, given, types_of(TrainingArguments) | LIMITED)
    if fields.get("push_to_hub"):
        raise RecipeError(
            f"{section}.push_to_hub would upload optimiser states, which are pickles: leave it out, and "
            "publish the finished run with `nuzoo publish`"
        )
    return DEFAULTS | fields


def training_arguments(section: str, fields: Mapping[str, Any]) -> TrainingArguments:
    """Make the arguments of checked fields; this also asks whether the machine can do what they say.

    Raises:
        RecipeError: Values that do not go together, or that this machine cannot follow.
    """
    try:
        arguments = TrainingArguments(**fields)
    except ValueError as error:
        raise RecipeError(f"{section}: {error}; see transformers.TrainingArguments") from error
    _refuse_absent_trackers(section, arguments)
    return arguments


def _refuse_absent_trackers(section: str, arguments: TrainingArguments) -> None:
    there = get_available_reporting_integrations()
    if absent := [name for name in arguments.report_to or () if name not in there]:
        raise RecipeError(
            f"{section}.report_to: expected one that is installed ({', '.join(there) or 'none is'}), got "
            f"{', '.join(absent)}{did_you_mean(absent, there)}: install its package, or leave it out"
        )
