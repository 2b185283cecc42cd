"""A study of what networks learn from a teacher, beside networks that have none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nuzoo.training.fields import RecipeError
from nuzoo.training.grid.study import GridStudy

TAUGHT = "teacher."
MODEL = "teacher.model"


@dataclass(frozen=True, kw_only=True)
class DistillationStudy(GridStudy):
    """A grid of trainings, of which those with fields `teacher.…` learn from one teacher.

    Attributes:
        teacher: A name, folder or repository.
    """

    teacher: str

    def check(self) -> None:
        """See `GridStudy`."""
        if named := [way for way, given in self.ways.items() if MODEL in given]:
            raise RecipeError(
                f"study.ways: expected one teacher of all, study.teacher, got {MODEL} of {', '.join(named)}: "
                "leave it out"
            )
        super().check()

    def fields_of(self, way: str) -> Mapping[str, Any]:
        """Give what the trainings of a way have of their own, and the teacher of those that learn from it."""
        own = self.ways[way]
        return {MODEL: self.teacher} | own if any(name.startswith(TAUGHT) for name in own) else own
