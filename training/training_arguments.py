"""A recipe's `transformers.TrainingArguments`."""

import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import torch
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
    "max_steps": Annotated[
        int, "a whole number of 1 or more, or -1 for none", lambda value: value == -1 or value >= 1
    ],
    "learning_rate": NotNegative,
    "weight_decay": NotNegative,
    "train_sampling_strategy": Literal["random", "sequential"],
    "fsdp": bool | None,
}
"""What `TrainingArguments` takes and the training then fails on, or makes nonsense of."""

_PUBLISHING = "a finished run is published with `nuzoo publish`"
_BATCHES = "nuzoo makes the batches of a task itself"

REFUSED = {
    "push_to_hub": f"it would upload optimiser states, which are pickles; {_PUBLISHING}",
    **dict.fromkeys(
        ("hub_token", "hub_private_repo", "hub_model_id", "hub_strategy", "hub_always_push", "hub_revision"),
        f"it has no effect; {_PUBLISHING}",
    ),
    "resume_from_checkpoint": "it has no effect; a run goes on from the last checkpoint in its folder",
    **dict.fromkeys(
        ("do_train", "do_eval", "do_predict"),
        "it has no effect; `eval_strategy` says when is evaluated",
    ),
    "local_rank": "it has no effect; start the command with torchrun for several processes",
    "save_only_model": "a run could not go on from its checkpoints",
    **dict.fromkeys(
        ("remove_unused_columns", "label_names", "length_column_name", "eval_do_concat_batches"), _BATCHES
    ),
    **dict.fromkeys(
        ("batch_eval_metrics", "include_for_metrics"),
        "it has no effect; the task says what is measured",
    ),
}
"""What has no effect here, or one that breaks a run; and why."""

STEPS_OF = {"logging_steps": "logging_strategy", "eval_steps": "eval_strategy", "save_steps": "save_strategy"}
"""Numbers of steps, which count only where a strategy is `steps`."""


def checked_arguments(section: str, given: Any) -> dict[str, Any]:
    """Return fields of `transformers.TrainingArguments`, each of its type, with our defaults.

    Args:
        section: Their name, for messages.
        given: As in a recipe; the strategy `no` is false in YAML.

    Raises:
        RecipeError: An unknown field, a value that it cannot have, or one that would have no effect.
    """
    if isinstance(given, Mapping):
        off = {name: "no" for name, value in given.items() if value is False and name.endswith("_strategy")}
        given = {**given, **off}
    fields = checked_fields(section, given, types_of(TrainingArguments) | LIMITED)
    for name in fields:
        if name in REFUSED and fields[name] != DEFAULTS.get(name, False):
            raise RecipeError(f"{section}.{name}: {REFUSED[name]}: leave it out")
    _refuse_idle(section, fields)
    return DEFAULTS | fields


def _refuse_idle(section: str, fields: Mapping[str, Any]) -> None:
    """Refuse fields that another one makes idle."""
    used = {"logging_strategy": "steps", **DEFAULTS, **fields}
    for name, strategy in STEPS_OF.items():
        if name in fields and fields[name] is not None and used[strategy] != "steps":
            raise RecipeError(
                f"{section}.{name}: it has no effect with {strategy} {used[strategy]}: leave it out, or set "
                f"{section}.{strategy} to steps"
            )
    if fields.get("fsdp_config") and not fields.get("fsdp"):
        raise RecipeError(
            f"{section}.fsdp_config: it has no effect without {section}.fsdp true: leave it out"
        )
    if fields.get("lr_scheduler_type") == "constant" and fields.get("warmup_steps"):
        raise RecipeError(
            f"{section}.warmup_steps: it has no effect with lr_scheduler_type constant: leave it out, or "
            "take constant_with_warmup"
        )


def training_arguments(section: str, fields: Mapping[str, Any]) -> TrainingArguments:
    """Make the arguments of checked fields; this also asks whether the machine can do what they say.

    Several processes on a machine without an accelerator train one model together, as elsewhere.

    Raises:
        RecipeError: Values that do not go together, or that this machine cannot follow.
    """
    on_processors = fields.get("use_cpu") or not torch.accelerator.is_available()
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if fields.get("fsdp") and (on_processors or processes < 2):
        found = "none" if on_processors else f"{processes} process"
        raise RecipeError(
            f"{section}.fsdp: expected several processes, each with an accelerator, to share the weights "
            f"out to, got {found}: start it with torchrun on such a machine, or leave it out"
        )
    if on_processors and processes > 1:
        fields = {**fields, "use_cpu": True, "ddp_backend": fields.get("ddp_backend") or "gloo"}
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
