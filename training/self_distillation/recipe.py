"""The recipe of a self-distillation: views, masks, what is asked, and how the teacher follows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nuzoo.evaluation.tasks.pre_training.probe_settings import ProbeSettings
from nuzoo.training.augmentation.point_cloud_views import PointCloudViews
from nuzoo.training.fields import (
    Count,
    NotNegative,
    Positive,
    Probability,
    RecipeError,
    made_of,
)
from nuzoo.training.layer_decay import Optimiser
from nuzoo.training.recipe import SECTIONS, Recipe
from nuzoo.training.self_distillation.schedules import cosine, warmed


@dataclass(frozen=True)
class Masks:
    """Which points of its large views the student does not see: those in cubes.

    Attributes:
        side_mm: Of a cube, at the beginning and after the warm-up.
        fraction: Part of the cubes, at the beginning and after the warm-up.
        warmup: Part of the training in which they grow.
    """

    side_mm: list[float] = field(default_factory=lambda: [20.0, 150.0])
    fraction: list[float] = field(default_factory=lambda: [0.5, 0.9])
    warmup: Probability = 0.05

    def __post_init__(self) -> None:
        _check_pair("masks.side_mm", self.side_mm, "two lengths above 0", lambda value: value > 0)
        _check_fractions("masks.fraction", self.fraction)

    def at(self, progress: float) -> tuple[float, float]:
        """Give side in mm and fraction when a part of the training is done."""
        return warmed(self.side_mm, self.warmup, progress), warmed(self.fraction, self.warmup, progress)


@dataclass(frozen=True)
class Distillation:
    """What the student is asked, and how its teacher follows.

    Attributes:
        mask_weight: Of the loss of a masked view against the same view whole.
        roll_weight: Of a masked view against another large one.
        unmask_weight: Of a small view against the first large one.
        student_temperature: Divides the student's cosines.
        teacher_temperature: The teacher's, at the beginning and after the warm-up.
        warmup: Part of the training in which that changes.
        momentum: Of the teacher, at the beginning and at the end, along a cosine.
        sinkhorn_iterations: That give all prototypes equal shares.
        match_cells: Tokens belong together that are nearer to each other than so many cells of the grid.
    """

    mask_weight: NotNegative = 0.25
    roll_weight: NotNegative = 0.25
    unmask_weight: NotNegative = 0.5
    student_temperature: Positive = 0.1
    teacher_temperature: list[float] = field(default_factory=lambda: [0.04, 0.07])
    warmup: Probability = 0.05
    momentum: list[float] = field(default_factory=lambda: [0.994, 1.0])
    sinkhorn_iterations: Count = 3
    match_cells: Positive = 2.0

    def __post_init__(self) -> None:
        name = "distillation.teacher_temperature"
        _check_pair(name, self.teacher_temperature, "two numbers above 0", lambda value: value > 0)
        _check_fractions("distillation.momentum", self.momentum)

    @property
    def weights(self) -> dict[str, float]:
        """The weight of each loss by its name."""
        return {name: getattr(self, f"{name}_weight") for name in ("mask", "roll", "unmask")}

    def teacher_temperature_at(self, progress: float) -> float:
        """Give the teacher's temperature when a part of the training is done."""
        return warmed(self.teacher_temperature, self.warmup, progress)

    def momentum_at(self, progress: float) -> float:
        """Give the teacher's momentum when a part of the training is done."""
        return cosine(self.momentum, progress)


@dataclass(frozen=True)
class PretrainingOptimiser(Optimiser):
    """The same, and the decay of weights.

    Attributes:
        layer_decay: See `Optimiser`.
        encoder_rate: See `Optimiser`.
        final_weight_decay: To which `training.weight_decay` goes, along a cosine; None leaves it as it is.
    """

    final_weight_decay: NotNegative | None = None


class SelfDistillationRecipe(Recipe):
    """One pre-training run of a network of point clouds.

    Args:
        given: The sections, as in YAML.

    Attributes:
        views: Which views of an event there are.
        masks: What the student does not see of the large ones.
        distillation: What it is asked.
        probe: What tells how much is learnt, where the validation events have truth.

    Raises:
        RecipeError: An unknown field, or a value that it cannot have.
    """

    sections = (*SECTIONS, "views", "masks", "distillation", "probe")

    optimiser_type = PretrainingOptimiser
    streams = False
    optimiser: PretrainingOptimiser

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(given)
        self.views = self._section("views", PointCloudViews)
        self.masks = self._section("masks", Masks)
        self.distillation = self._section("distillation", Distillation)
        self.probe = self._section("probe", ProbeSettings)
        if not self.model.fields.get("use_mask_token", bool(self.model.pretrained)):
            raise RecipeError("model.use_mask_token: expected true for masked points, got false: set it")

    def _section(self, name: str, kind: Any) -> Any:
        return made_of(kind, name, self.given.get(name, {}))


def _check_pair(name: str, pair: list[float], words: str, allows: Any) -> None:
    if len(pair) != 2 or not all(map(allows, pair)):
        raise RecipeError(f"{name}: expected {words}, at the beginning and later, got {pair}: correct it")


def _check_fractions(name: str, pair: list[float]) -> None:
    _check_pair(name, pair, "two numbers from 0 to 1", lambda value: 0 <= value <= 1)
