"""Sample events: simulated when asked for, as those that a model was trained on, and none of these."""

from __future__ import annotations

from typing import Any

from nuzoo.app.errors import QuestionError
from nuzoo.app.offered import OfferedModel
from nuzoo.datasets_scripts.common.dataset_folder import SHARD_SIZE
from nuzoo.datasets_scripts.common.rows import row_features
from nuzoo.datasets_scripts.common.samples import find_sample, schema_of
from nuzoo.datasets_scripts.common.simulated import simulation_of
from nuzoo.evaluation.display.draw_events import named_row
from nuzoo.files.nearest_names import did_you_mean
from nuzoo.simulation.detectors import find_detector

LARGEST = 2**31 - 1
"""Number that a page may send."""

MOST_TRIED = 60
"""Events of a seed among which one of a class is looked for: the rarest is one of 30."""


def whole_number(name: str, value: object, least: int) -> int:
    """Return a number that a page sent.

    Args:
        name: What it is.
        value: As it came.
        least: That it may be.

    Raises:
        QuestionError: It is none, or out of range.
    """
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= LARGEST:
        raise QuestionError(
            f"{name}: expected a whole number from {least} to {LARGEST}, got {value!r}: correct it"
        )
    return number


def check_sample(model: OfferedModel, seed: object, wanted: str | None) -> int:
    """Return the seed of a sample event.

    Args:
        model: That is asked.
        seed: Of the simulation.
        wanted: True class of the event; None for any.

    Raises:
        QuestionError: No seed, that of the events which the model was trained on, or no such class.
    """
    seed = whole_number("seed", seed, 0)
    if seed == model.events.plan["seed"]:
        raise QuestionError(
            f"seed: {seed} is that of the events which {model.name} was trained on, which would flatter it: "
            "take another one"
        )
    if wanted is not None and wanted not in model.classes:
        raise QuestionError(
            f"true class: expected one of {', '.join(model.classes) or 'none'} or any, got "
            f"{wanted!r}{did_you_mean([wanted], model.classes)}"
        )
    return seed


def sample_event(model: OfferedModel, seed: int, wanted: str | None = None) -> dict[str, Any]:
    """Simulate an event: the first of a seed, or its first of a class.

    Args:
        model: It is like the events that this one was trained on.
        seed: Of the simulation, see `check_sample`.
        wanted: True class of the event; None for any.

    Raises:
        QuestionError: None of the first events is of the class.
    """
    plan = simulation_of(
        find_sample(model.events.dataset), {"shard_size": SHARD_SIZE, **model.events.plan, "seed": seed}
    )
    features = row_features(schema_of(model.modality, find_detector(plan.detector)))
    for index in range(MOST_TRIED):
        row = named_row(plan.row(index), features)
        if wanted is None or row[str(model.target)] == wanted:
            return row
    raise QuestionError(
        f"true class: none of the first {MOST_TRIED} events of seed {seed} is {wanted}: take another seed"
    )
