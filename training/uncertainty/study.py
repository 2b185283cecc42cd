"""A study of uncertainty: methods, and the trainings that they share."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from nuzoo.training.fields import Count, RecipeError, refuse_unknown
from nuzoo.training.recipe import Recipe, load_recipe
from nuzoo.training.study_files import ReadStudy

PLAIN = "plain"
"""Name of the trainings by nothing but the recipe, which several methods share."""

DROPOUT = "mc_dropout"
BOOTSTRAP = "bootstrap_ensemble"
ENSEMBLES = ("naive_ensemble", BOOTSTRAP)
EVIDENTIAL = {f"evidential_{kind}": kind for kind in ("mll", "bayes_risk", "brier")}

TITLES = {
    "deterministic": "Deterministic",
    "naive_ensemble": "Naive ensemble",
    BOOTSTRAP: "Bootstrap ensemble",
    DROPOUT: "MC dropout",
    "evidential_mll": "Evidential, MLL",
    "evidential_bayes_risk": "Evidential, Bayes risk",
    "evidential_brier": "Evidential, Brier",
}
"""Methods, and what they are called in tables."""


@dataclass(frozen=True)
class Published:
    """Numbers of others, to be shown beside ours and labelled as theirs.

    Attributes:
        source: Where they are from.
        columns: What the numbers are.
        values: For each of their methods a number, or none, for each column.
    """

    source: str
    columns: list[str]
    values: dict[str, list[float | None]]

    def __post_init__(self) -> None:
        others = {
            name: len(values) for name, values in self.values.items() if len(values) != len(self.columns)
        }
        if others or not self.values:
            raise RecipeError(
                f"study.published: expected values of some methods, {len(self.columns)} each as columns has, "
                f"got {others or 'none'}"
            )


@dataclass(frozen=True)
class Member:
    """One training of a study.

    Attributes:
        way: A method that has fields of its own, or `PLAIN`.
        seed: Of the training, from 1.
    """

    way: str
    seed: int

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.way}-{self.seed}"


@dataclass(frozen=True)
class UncertaintyStudy(ReadStudy):
    """Methods that tell how sure a network is, measured on the same events.

    Attributes:
        source: Where the choices come from.
        recipe: Of every training: a name or a file.
        out: Folder.
        methods: Those of `TITLES` that are compared, each with fields of the recipe of its own.
        members: Of an ensemble; their seeds are 1, 2 and so on.
        passes: Of Monte Carlo dropout.
        fields: Fields of the recipe of all, by dotted names.
        published: Numbers of others.
    """

    variants: ClassVar[str] = "methods"
    published_type: ClassVar[type] = Published

    source: str
    recipe: str
    out: str
    methods: dict[str, dict[str, Any]]
    members: Count = 5
    passes: Count = 30
    fields: dict[str, Any] = field(default_factory=dict)
    published: dict[str, Any] | None = None

    def check(self) -> None:
        """Refuse what cannot be run, or a recipe that cannot be made, before anything is trained.

        Raises:
            RecipeError: With what is wrong.
        """
        refuse_unknown("study.methods", self.methods, TITLES)
        if not self.methods:
            raise RecipeError(f"study.methods: expected some of {', '.join(TITLES)}, got none")
        if self.members < 2 and set(ENSEMBLES) & self.methods.keys():
            raise RecipeError(f"study.members: expected 2 or more of an ensemble, got {self.members}")
        if self.passes < 2 and DROPOUT in self.methods:
            raise RecipeError(f"study.passes: expected 2 or more through a network, got {self.passes}")
        super().check()
        for member in self.trainings():
            self.recipe_of(member)

    def members_of(self, method: str) -> list[Member]:
        """Name the trainings that a method asks."""
        is_own = method == BOOTSTRAP or method in EVIDENTIAL or self.methods[method]
        number = self.members if method in ENSEMBLES else 1
        return [Member(method if is_own else PLAIN, seed) for seed in range(1, number + 1)]

    def trainings(self) -> Iterator[Member]:
        """Yield every training once, in the order of the methods."""
        yield from dict.fromkeys(member for method in self.methods for member in self.members_of(method))

    def recipe_of(self, member: Member) -> Recipe:
        """Make the recipe of a training."""
        fields = self.fields | self.methods.get(member.way, {})
        if member.way == BOOTSTRAP:
            fields |= {"data.bootstrap": member.seed}
        if member.way in EVIDENTIAL:
            fields |= {"model.evidential": EVIDENTIAL[member.way]}
        recipe: Recipe = load_recipe(self.recipe)
        return recipe.changed(fields | self.placed(member.name, member.seed))
