"""What somebody may have meant by a name that is not known."""

from collections.abc import Iterable
from difflib import get_close_matches

LIKENESS = 0.6
"""How much alike two names are, of 1, from which on a hint is worth it."""

MISSPELT = 0.7
"""And from which on the one is a typing error of the other, even where other names are allowed."""


def nearest_names(
    names: Iterable[object], known: Iterable[str], likeness: float = MISSPELT
) -> dict[str, str]:
    """Find for names that are not known those that were probably meant.

    Args:
        names: as they were given; those that are known are left out.
        known: all that there are.
        likeness: the least that counts, from 0 to 1.

    Returns:
        The nearest known name of each that is near to one.
    """
    known = list(known)
    unknown = [str(name) for name in names if name not in known]
    near = {name: get_close_matches(name, known, n=1, cutoff=likeness) for name in unknown}
    return {name: found[0] for name, found in near.items() if found}


def did_you_mean(names: Iterable[object], known: Iterable[str]) -> str:
    """Say which known names were probably meant, ": did you mean rebin?", or nothing."""
    meant = dict.fromkeys(nearest_names(names, known, LIKENESS).values())
    return f": did you mean {', '.join(meant)}?" if meant else ""
