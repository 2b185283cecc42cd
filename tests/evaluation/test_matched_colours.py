"""What was found of a particle has its colour."""

import numpy as np

from nuzoo.evaluation.display.scenes.matched_colours import coloured_alike
from nuzoo.evaluation.display.scenes.scene import COLOURS, NEUTRAL, NONE, Colouring


def colours_of(colouring, energy):
    return {entry.name: entry.colour for entry in colouring.legend(energy)}


def test_what_overlaps_most_has_one_colour_and_the_rest_has_others():
    energy = np.ones(10)
    true = Colouring("particle", (NONE, "0 muon", "1 proton"), np.array([0, 1, 1, 1, 1, 2, 2, 2, 2, 2]))
    found = Colouring("found", (NONE, "1", "2", "3"), np.array([3, 2, 2, 2, 1, 1, 1, 1, 1, 0]))
    was, now = colours_of(true, energy), colours_of(coloured_alike(true, found, energy), energy)
    assert (now["2"], now["1"]) == (was["0 muon"], was["1 proton"])
    assert now["3"] not in was.values()
    assert now[NONE] == NEUTRAL


def test_without_overlap_or_hits_nothing_is_alike():
    for codes in (np.zeros(4, dtype=np.int64), np.empty(0, dtype=np.int64)):
        true = Colouring("particle", (NONE, "0 muon"), codes)
        found = Colouring("found", (NONE, "1"), codes + 1)
        assert coloured_alike(true, found, np.ones(len(codes))).colours == {"1": COLOURS[0]}


def test_twenty_classes_have_twenty_colours():
    assert len(set(COLOURS)) == 20
