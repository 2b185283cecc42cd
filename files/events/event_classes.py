"""What events are counted by, in the order of the numbers: stated here and nowhere else."""

from collections.abc import Iterable

from nuzoo.files.events.event_errors import ClassNamesError

EVENT_CLASSES = ("nue_cc", "numu_cc", "nc")
"""The classes of event classification."""

INTERACTION_MODES = ("qe", "mec", "res", "dis", "coh")
"""How a neutrino met the nucleus: quasi-elastic, two nucleons, resonance, deep inelastic, coherent."""

COLUMNS_OF_PREDICTIONS = ("event_id", "label", "score", "true_label", "neutrino_energy", "source")
"""What stands beside the probability of each class, whose column is named after it."""


def spelling(name: str) -> str:
    """Return what two names of one class have in common."""
    return "".join(name.split()).replace("_", "").lower()


def check_class_names(names: Iterable[str]) -> None:
    """Refuse names of classes that are not those of columns of their own.

    Raises:
        ClassNamesError: A name of another column, or two that are one but for case, blanks and underscores.
    """
    seen: dict[str, str] = {}
    for name in names:
        if name in COLUMNS_OF_PREDICTIONS:
            raise ClassNamesError(
                "classes: expected other names than those of the columns beside predictions "
                f"({', '.join(COLUMNS_OF_PREDICTIONS)}), got {name!r}: rename the class"
            )
        if (first := seen.get(spelling(name))) is not None:
            raise ClassNamesError(
                "classes: expected names that differ in more than case, blanks and underscores, got "
                f"{first!r} and {name!r}: rename one"
            )
        seen[spelling(name)] = name
