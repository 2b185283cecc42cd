"""The labels of a detector event, by rules written once: flavour, charm, and those of single hits."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from nuzoo.files.events.detector_event_columns import (
    CHARM_CLASSES,
    FLAVOURS,
    GHOST,
    MATCHED,
)

HIERARCHIES = ("other", "primary", "secondary")
"""Of a true hit: of a particle of the generator, of a daughter of one, or of what comes after."""

CATEGORIES = ("electromagnetic", "muon", "hadronic")
"""What kind of particle a true hit is of."""

GHOST_RULES = ("status", "unmatched")
"""What a ghost is: `status` takes those of the reconstruction alone (status 1, as the public code does),
`unmatched` every hit without a true particle (as the paper says)."""

_ELECTROMAGNETIC = (11, 22, 111, 221, 331)
_MUON, _TAU = 13, 15


class GhostRuleError(ValueError):
    """A rule for ghosts that is none."""


def flavour_of(neutrino_pdg: int, is_cc: bool, tau_decay_mode: int) -> int:
    """Return the number in `FLAVOURS` of an event.

    Args:
        neutrino_pdg: PDG code of the neutrino.
        is_cc: whether the current is charged.
        tau_decay_mode: 1 e, 2 mu, everything else hadrons; of other events it does not matter.
    """
    if not is_cc:
        return FLAVOURS.index("nc")
    if abs(neutrino_pdg) == 16:
        return FLAVOURS.index({1: "nutau_cc_e", 2: "nutau_cc_mu"}.get(tau_decay_mode, "nutau_cc_had"))
    return FLAVOURS.index("nue_cc" if abs(neutrino_pdg) == 12 else "numu_cc")


def charm_of(is_charmed: bool, decay_pdg: Iterable[int]) -> int:
    """Return the number in `CHARM_CLASSES` of an event: a muon goes before an electron.

    Args:
        is_charmed: whether charm was made.
        decay_pdg: PDG codes of what it decayed into.
    """
    codes = {abs(int(code)) for code in decay_pdg}
    if not is_charmed:
        name = "none"
    elif _MUON in codes:
        name = "charm_mu"
    else:
        name = "charm_e" if 11 in codes else "charm_had"
    return CHARM_CLASSES.index(name)


def ghosts(status: NDArray[np.integer], rule: str = "status") -> NDArray[np.bool_]:
    """Say which hits are ghosts.

    Args:
        status: (n,) numbers in `CAL_STATUS`.
        rule: one of `GHOST_RULES`.

    Raises:
        GhostRuleError: another rule.
    """
    if rule not in GHOST_RULES:
        raise GhostRuleError(
            f"ghosts: expected one of {', '.join(GHOST_RULES)}, got {rule!r}: correct the name"
        )
    codes = np.asarray(status)
    return codes == GHOST if rule == "status" else codes != MATCHED


def hierarchy_of(is_primary: NDArray[np.integer], is_secondary: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the numbers in `HIERARCHIES` of true hits; a secondary one goes before a primary one.

    Args:
        is_primary: (t,) 1 of particles of the generator.
        is_secondary: (t,) 1 of their daughters.
    """
    return np.where(np.asarray(is_secondary) > 0, 2, np.asarray(is_primary) > 0).astype(np.int64)


def category_of(pdg: NDArray[np.integer], tau_decay_mode: int) -> NDArray[np.int64]:
    """Return the numbers in `CATEGORIES` of true hits; those of a tau go by its decay.

    Args:
        pdg: (t,) PDG codes.
        tau_decay_mode: 1 e, 2 mu, everything else hadrons.
    """
    codes = np.abs(np.asarray(pdg, np.int64))
    category = np.full(codes.shape, CATEGORIES.index("hadronic"))
    category[np.isin(codes, _ELECTROMAGNETIC)] = CATEGORIES.index("electromagnetic")
    category[codes == _MUON] = CATEGORIES.index("muon")
    of_tau = {1: "electromagnetic", 2: "muon"}.get(tau_decay_mode, "hadronic")
    category[codes == _TAU] = CATEGORIES.index(of_tau)
    return category


def share_of_classes(
    link_count: NDArray[np.integer],
    link_true: NDArray[np.integer],
    link_weight: NDArray[np.floating],
    classes: NDArray[np.integer],
    number: int,
) -> NDArray[np.float32]:
    """Return how much of each hit belongs to each class of true hits.

    Args:
        link_count: (n,) links of each hit.
        link_true: (l,) rows of true hits.
        link_weight: (l,) their weights.
        classes: (t,) class of each true hit.
        number: of classes.

    Returns:
        (n, number) shares that sum to 1, or to 0 of a hit without links.
    """
    hits = len(link_count)
    hit = np.repeat(np.arange(hits), link_count)
    cell = hit * number + np.asarray(classes)[np.asarray(link_true, np.int64)]
    share = np.bincount(cell, link_weight, hits * number).reshape(hits, number)
    total = np.bincount(hit, link_weight, hits)[:, None]
    return (share / np.where(total > 0, total, 1)).astype(np.float32)
