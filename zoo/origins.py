"""How each bundled model was made: by which recipe, from which simulated events."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Events:
    """A simulated dataset.

    Attributes:
        name: of its folder and repository.
        seed: of the simulation.
        events: how many.
        detector: whose.
        spectrum: of the neutrinos.
    """

    name: str
    seed: int
    events: int
    detector: str
    spectrum: str

    @property
    def arguments(self) -> list[str]:
        """The arguments of `nuzoo simulate` that make it, but for the folder."""
        options = {name: getattr(self, name) for name in ("events", "seed", "detector", "spectrum")}
        return [
            "lartpc-pixelmaps",
            *(text for name, value in options.items() for text in (f"--{name}", f"{value}")),
        ]


@dataclass(frozen=True)
class Origin:
    """What a model was made from.

    Attributes:
        recipe: name of the training recipe.
        events: that it was trained and measured on.
    """

    recipe: str
    events: Events


MODULAR = Events("lartpc-pixelmaps-64k", 41, 64_000, "modular-2x2x7", "flat-0-10")
DUNE_LIKE = Events("dune-like-64k", 43, 64_000, "dune-like-3view", "broad-0.5-40")

ORIGINS = {
    "nu-cnn-tiny": Origin("nu_cnn_zoo", MODULAR),
    "nu-cnn-dune": Origin("nu_cnn_dune_zoo", DUNE_LIKE),
}
