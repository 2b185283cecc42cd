"""Panoptic quality, Rand index, efficiency and purity against numbers computed by hand, and scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from nuzoo.evaluation.tasks.particle_segmentation.numbers import instance_metrics
from nuzoo.evaluation.tasks.particle_segmentation.overlaps import overlap_of
from nuzoo.evaluation.tasks.particle_segmentation.rand_index import adjusted_rand_index
from nuzoo.evaluation.tasks.particle_segmentation.scores import count_events, scores

ELECTRON, MUON, PROTON, NONE = range(4)
CLASSES, BACKGROUND = 4, (NONE,)


def hits(*runs):
    """Numbers of hits that follow each other: (number, how many)."""
    parts = [np.full(count, number, dtype=np.int64) for number, count in runs]
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def overlap(true, found, found_labels, classes=None):
    labels = np.where(true < 0, NONE, MUON) if classes is None else classes
    return overlap_of(true, labels, found, np.array(found_labels, dtype=np.int64), BACKGROUND)


def scored(*events):
    numbers = scores(count_events(events, CLASSES), np.ones(len(events)))
    return {name: value.tolist() for name, value in numbers.items()}


def by_hand():
    """Two muons of 10 hits and 4 deposits of none; found: 8 of the first with 2 deposits, 3 of the second."""
    true = hits((0, 10), (1, 10), (-1, 4))
    found = hits((1, 8), (-1, 2), (2, 3), (-1, 7), (1, 2), (-1, 2))
    return overlap(true, found, [MUON, MUON])


def test_all_scores_by_hand():
    """One pair of IoU 8 / 12; one true and one found instance without partner."""
    found = scored(by_hand())
    iou = 8 / 12
    assert found["sq"] == pytest.approx(iou)
    assert found["rq"] == pytest.approx(1 / (1 + 0.5 + 0.5))
    assert found["pq_any"] == found["pq"] == pytest.approx(iou / 2)
    assert found["pq_class"][MUON] == found["pq_mean"] == pytest.approx(iou / 2)
    assert found["precision"] == found["recall"] == 0.5
    assert found["efficiency"] == pytest.approx((0.8 + 0.3) / 2)
    assert found["purity"] == pytest.approx((8 / 10 + 1) / 2)
    assert found["f1_class"][MUON] == found["f1_mean"] == 1


def test_the_best_and_the_worst():
    true = hits((0, 5), (1, 7), (2, 3), (-1, 6))
    perfect = scored(overlap(true, np.where(true < 0, -1, true + 1), [MUON] * 3))
    for name in ("pq", "pq_any", "sq", "rq", "efficiency", "purity", "ari", "ari_apart", "ari_claimed"):
        assert perfect[name] == 1, name
    nothing = scored(overlap(true, np.full_like(true, -1), []))
    assert nothing["pq"] == nothing["rq"] == nothing["efficiency"] == nothing["ari"] == 0
    assert np.isnan([nothing["sq"], nothing["purity"], nothing["ari_claimed"]]).all()


def test_one_more_found_instance_lowers_the_quality():
    true = hits((0, 10), (1, 10), (-1, 4))
    right = overlap(true, np.where(true < 0, -1, true + 1), [MUON, MUON])
    more = overlap(true, np.where(true < 0, 3, true + 1), [MUON, MUON, MUON])
    assert scored(right)["pq"] == 1
    assert scored(more)["pq"] == pytest.approx(2 / 2.5)


def test_two_found_instances_on_deposits_of_none_are_wrong():
    """A low-energy deposit is known to be of no particle."""
    true = hits((0, 10), (-1, 4))
    event = overlap(true, hits((1, 10), (2, 2), (3, 2)), [MUON] * 3)
    assert event.is_judged.all()
    assert scored(event)["pq"] == pytest.approx(1 / (1 + 2 / 2))
    assert scored(event)["purity"] == pytest.approx(1 / 3)


def test_two_found_instances_on_void_are_not_judged():
    """Nobody says what a particle of no class is."""
    true = hits((0, 10), (1, 4))
    classes = hits((MUON, 10), (NONE, 4))
    event = overlap(true, hits((1, 10), (2, 2), (3, 2)), [MUON] * 3, classes)
    assert event.is_judged.tolist() == [True, False, False]
    assert event.true_sizes.tolist() == [10]
    found = scored(event)
    assert found["pq"] == found["precision"] == found["purity"] == 1
    mixed = overlap(true, hits((1, 10), (1, 4)), [MUON], classes)
    assert scored(mixed)["sq"] == 1, "void hits are in no union"


def test_truth_and_prediction_cannot_be_swapped_under_void():
    """As in panopticapi: void is the truth's alone."""
    one, other = hits((0, 6), (1, 6)), hits((0, 6), (-1, 6))
    classes = hits((MUON, 6), (NONE, 6))
    forth = overlap_of(one, classes, np.where(other < 0, -1, 1), np.array([MUON]), BACKGROUND)
    assert scored(forth)["pq"] == 1
    back = overlap_of(other, np.full(12, MUON), one + 1, np.array([MUON, MUON]), BACKGROUND)
    assert scored(back)["pq"] == pytest.approx(1 / 1.5)


def test_pairs_of_different_classes_are_wrong_only_where_classes_count():
    true = hits((0, 10), (1, 10))
    found = scored(overlap(true, true + 1, [MUON, PROTON]))
    assert found["pq_any"] == found["sq"] == 1
    assert found["pq"] == 0.5
    assert found["pq_class"][MUON] == pytest.approx(1 / 1.5) and found["pq_class"][PROTON] == 0
    assert found["f1_class"][MUON] == pytest.approx(2 / 3) and found["f1_class"][PROTON] == 0


def test_the_class_of_an_instance_is_that_of_most_of_its_hits():
    """Not of the first one, which may be another's."""
    true = hits((0, 10))
    event = overlap(true, true + 1, [MUON], classes=hits((ELECTRON, 4), (MUON, 6)))
    assert event.true_labels.tolist() == [MUON]
    assert scored(event)["f1_class"][MUON] == 1


def test_half_is_not_more_than_half():
    true = hits((0, 4), (-1, 4))
    assert not len(overlap(true, hits((1, 8)), [MUON]).pairs[0])
    assert len(overlap(true, hits((1, 7), (-1, 1)), [MUON]).pairs[0]) == 1


def test_counts_are_pooled_over_events():
    """An event without instances counts what is found in it, and is not 0 / 0."""
    empty = overlap(hits((-1, 5)), hits((1, 5)), [MUON])
    none = overlap(hits(), hits(), [])
    pooled = scored(by_hand(), empty, none)
    assert pooled["pq"] == pytest.approx((8 / 12) / (1 + 0.5 * 2 + 0.5))
    assert pooled["ari"] == scored(by_hand())["ari"]
    assert np.isnan(scored(none)["pq"])


def test_an_event_of_one_particle_has_no_rand_index():
    """scikit-learn gives 0 as soon as one hit is missed."""
    event = overlap(hits((0, 100)), hits((1, 99), (-1, 1)), [MUON])
    assert np.isnan(scored(event)["ari"])
    assert scored(event)["efficiency"] == 0.99


@pytest.mark.parametrize("seed", range(20))
def test_rand_indices_are_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    true = rng.integers(-1, 5, 200)
    found = np.where(rng.random(200) < 0.6, true + 1, rng.integers(0, 4, 200))
    found = np.where(found == 0, -1, found)
    event = overlap(true, found, [MUON] * found.max())
    of_things, claimed = true >= 0, found > 0
    apart = np.where(found < 0, 1000 + np.arange(200), found)
    expected = {
        "ari": adjusted_rand_score(true[of_things], found[of_things]),
        "ari_apart": adjusted_rand_score(true[of_things], apart[of_things]),
        "ari_claimed": adjusted_rand_score(true[claimed], found[claimed]),
    }
    assert {name: scored(event)[name] for name in expected} == pytest.approx(expected)


def test_the_rand_index_of_equal_partitions_is_one():
    assert adjusted_rand_index(np.diag([3, 4])) == adjusted_rand_index(np.array([[5]])) == 1
    assert np.isnan(adjusted_rand_index(np.zeros((0, 0), dtype=np.int64)))


def test_errors_are_over_events():
    """Equal events have no error; the mean over replicas of different ones is near the number."""
    names = ["electron", "muon", "proton", "none"]
    equal, _ = instance_metrics(count_events([by_hand()] * 5, CLASSES), names, replicas=50)
    assert equal.pq.value == pytest.approx(1 / 3) and equal.pq.error == pytest.approx(0, abs=1e-12)
    true = hits((0, 10), (1, 10))
    others = [overlap(true, true + 1, [MUON, MUON]), by_hand()] * 10
    mixed, _ = instance_metrics(count_events(others, CLASSES), names, replicas=200)
    assert 0.02 < mixed.pq.error < 0.2
    assert mixed.pq.low < mixed.pq.value < mixed.pq.high
    assert mixed.recall_by_size[2].events == 40
    assert mixed.recall_by_size[2].value == 0.75
    assert mixed.confusion[MUON][MUON] == 30
