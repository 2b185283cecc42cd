"""Which network teaches another one, and how much its answers count."""

from dataclasses import dataclass
from typing import Annotated

from nuzoo.training.fields import RecipeError

Weight = Annotated[float, "a number of 0 or more", lambda value: value >= 0]
Temperature = Annotated[float, "a number above 0", lambda value: value > 0]


@dataclass(frozen=True)
class Teacher:
    """A trained classifier of events, whose answers a new one learns beside the truth.

    The loss is that of the network + `weight` T² KL(teacher ‖ student), of logits divided by T (Hinton,
    Vinyals and Dean, arXiv:1503.02531, section 2, whose T² keeps the gradient as large whatever T is) +
    `features` times the similarity-preserving loss of the pooled features (Tung and Mori, arXiv:1907.09682,
    equation 4), which may be of any two widths.

    Attributes:
        model: Folder, repository, or name of a bundled model.
        temperature: T.
        weight: Of its answers.
        features: Of its features.
    """

    model: str
    temperature: Temperature = 4.0
    weight: Weight = 1.0
    features: Weight = 0.0

    def __post_init__(self) -> None:
        if not (self.weight or self.features):
            raise RecipeError(
                "teacher: expected a weight or features above 0, got neither, so that nothing would be "
                "learnt of it: leave teacher out"
            )
