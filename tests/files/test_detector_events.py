"""Detector events: the schema says no to links that do not add up, and labels follow their rules."""

import numpy as np
import pytest

from nuzoo.files.events.detector_event_columns import CHARM_CLASSES, FLAVOURS
from nuzoo.files.events.detector_event_labels import (
    GhostRuleError,
    category_of,
    charm_of,
    flavour_of,
    ghosts,
    hierarchy_of,
    share_of_classes,
)
from nuzoo.files.events.detector_events import detector_event_schema
from nuzoo.files.events.event_errors import NonFiniteError, OrderError, RangeError, ShapeError
from nuzoo.files.events.event_schema import Ragged

GEOMETRY = {
    "detector": "fasercal",
    "cal_shape": [48, 48, 200],
    "layers_per_module": 20,
    "ecal_shape": [5, 5],
    "ahcal_shape": [18, 18, 40],
    "muon_tracks": 10,
}
SCHEMA = detector_event_schema(GEOMETRY)

# Three hits: the first made by two particles, one to three, the second a ghost, the third unmatched.
COLUMNS = {
    "cal_x": [3, 4, 5],
    "cal_y": [7, 7, 7],
    "cal_z": [19, 20, 199],
    "cal_module": [0, 1, 9],
    "cal_energy": [4.0, 1.0, 1.0],
    "cal_status": [0, 1, 2],
    "cal_link_count": [2, 0, 0],
    "link_true": [0, 1],
    "link_weight": [0.25, 0.75],
    "true_track": [1, 2],
    "ahcal_x": [],
    "ahcal_y": [],
    "ahcal_z": [],
    "ahcal_energy": [],
    "muon_charge": [],
    "muon_px": [],
    "muon_py": [],
    "muon_pz": [],
    "muon_chi2": [],
    "muon_n_points": [],
}


def table(**changes):
    """One event, with some columns changed."""
    found = {}
    for name, values in (COLUMNS | changes).items():
        dtype = np.int64 if SCHEMA[name].is_integer else np.float32
        found[name] = Ragged(np.array(values, dtype), np.array([len(values)]))
    return found


def test_an_event_that_adds_up_passes():
    SCHEMA.check(table())


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"link_weight": [0.25, 0.70]}, RangeError, "sum to 1, got 0.95 at hit 0"),
        ({"cal_link_count": [3, 0, 0]}, ShapeError, "cal_link_count says, 3, got 2"),
        ({"cal_link_count": [1, 1, 0], "link_weight": [1.0, 1.0]}, RangeError, "1 of a hit that is ghost"),
        ({"link_true": [0, 2]}, RangeError, "below the 2 of every true hit"),
        ({"link_true": [0, -1]}, RangeError, "at least 0"),
        ({"cal_x": [3, 48, 5]}, RangeError, "another detector"),
        ({"cal_module": [0, 0, 9]}, RangeError, "module 1 of layer 20"),
        ({"cal_x": [3, 3, 5], "cal_z": [20, 20, 199], "cal_module": [1, 1, 9]}, OrderError, "each cube once"),
        ({"cal_energy": [4.0, np.nan, 1.0]}, NonFiniteError, "finite numbers"),
    ],
)
def test_what_contradicts_itself_is_refused(changes, error, told):
    with pytest.raises(error, match=told):
        SCHEMA.check(table(**changes))


def test_second_event_is_named():
    good, bad = table(), table(link_weight=[0.5, 0.6])
    both = {
        name: Ragged(
            np.concatenate([good[name].values, bad[name].values]), np.array([len(good[name].values)] * 2)
        )
        for name in good
    }
    with pytest.raises(RangeError, match="event 1"):
        SCHEMA.check(both)


def test_a_cube_may_have_a_hit_in_each_event_and_its_second_one_is_found():
    """Against looking at hit after hit."""
    rng = np.random.default_rng(0)
    for events in (1, 3, 5):
        counts = np.append(rng.integers(5, 25, events), 0)
        cells = [np.unravel_index(rng.choice(60, count, replace=False), (3, 4, 5)) for count in counts]
        axes = dict(zip("xyz", np.concatenate(cells, axis=1), strict=True))
        lists = {f"cal_{axis}": Ragged(values, counts) for axis, values in axes.items()}
        empty = {name: Ragged(of.values[:0], counts * 0) for name, of in table().items()}
        energy = Ragged(np.ones(len(axes["x"])), counts)
        hits = {name: of for name, of in empty.items() if name[:4] in ("ahca", "muon")}
        SCHEMA.check(hits | lists | {"cal_energy": energy})
        event = int(np.argmax(counts))
        first = int(counts[:event].sum())
        for of in lists.values():
            of.values[first + 4] = of.values[first + 1]
            of.values[first + 2] = of.values[first]
        with pytest.raises(OrderError, match=f"event {event}: .* at hit 2: add up"):
            SCHEMA.check(hits | lists | {"cal_energy": energy})


@pytest.mark.parametrize(
    ("pdg", "is_cc", "mode", "flavour"),
    [
        (12, True, 0, "nue_cc"),
        (-14, True, 0, "numu_cc"),
        (16, True, 1, "nutau_cc_e"),
        (-16, True, 2, "nutau_cc_mu"),
        (16, True, 3, "nutau_cc_had"),
        (16, True, 6, "nutau_cc_had"),
        (16, False, 0, "nc"),
        (12, False, 0, "nc"),
    ],
)
def test_flavour(pdg, is_cc, mode, flavour):
    assert FLAVOURS[flavour_of(pdg, is_cc, mode)] == flavour


@pytest.mark.parametrize(
    ("is_charmed", "pdgs", "charm"),
    [
        (False, [13], "none"),
        (True, [-13, 14, -311, 11], "charm_mu"),
        (True, [-11, 12, -321], "charm_e"),
        (True, [-321, 211, 211], "charm_had"),
        (True, [], "charm_had"),
    ],
)
def test_charm_and_the_muon_goes_first(is_charmed, pdgs, charm):
    assert CHARM_CLASSES[charm_of(is_charmed, pdgs)] == charm


def test_two_rules_for_ghosts():
    status = np.array([0, 1, 2, 0])
    assert ghosts(status).tolist() == [False, True, False, False]
    assert ghosts(status, "unmatched").tolist() == [False, True, True, False]
    with pytest.raises(GhostRuleError, match="status, unmatched"):
        ghosts(status, "paper")


def test_secondary_goes_before_primary():
    assert hierarchy_of(np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])).tolist() == [0, 1, 2, 2]


def test_categories_and_the_tau_by_its_decay():
    codes = np.array([22, -11, 111, 331, 13, 2212, 1000060120, 15])
    assert category_of(codes, 1).tolist() == [0, 0, 0, 0, 1, 2, 2, 0]
    assert category_of(codes[-1:], 2).tolist() == [1]
    assert category_of(codes[-1:], 4).tolist() == [2]


def test_soft_labels_by_hand():
    """Hit 0: 0.25 of class 2 and 0.75 of class 0; hit 1 has no link; hit 2 has one."""
    share = share_of_classes(
        np.array([2, 0, 1]), np.array([0, 1, 1]), np.array([0.25, 0.75, 1.0]), np.array([2, 0]), 3
    )
    np.testing.assert_allclose(share, [[0.75, 0, 0.25], [0, 0, 0], [1, 0, 0]])


def test_no_hits_have_no_shares():
    nothing = np.zeros(0, np.int64)
    share = share_of_classes(nothing, nothing, np.zeros(0), nothing, 3)
    assert (share.shape, share.dtype) == ((0, 3), np.float32)
