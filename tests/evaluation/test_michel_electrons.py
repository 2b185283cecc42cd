"""Michel electrons of a segmentation: hand-made events, and the section of a report."""

import numpy as np
import pytest
import torch
from datasets import ClassLabel, Dataset, List, NamedSplit

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.tasks.hit_segmentation.evaluator import EVALUATOR
from nuzoo.evaluation.tasks.hit_segmentation.michel import (
    connected,
    measure_michels,
    michel_electrons,
    michel_numbers,
)
from nuzoo.evaluation.tasks.hit_segmentation.predictions import HitPredictions
from nuzoo.files.events.point_cloud_events import MOTIFS, ROLES
from nuzoo.modeling.modeling_nu_point import NuPointForSemanticSegmentation
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor

TRACK, MICHEL = MOTIFS.index("track"), MOTIFS.index("michel")
PROCESSOR = NuPointCloudFeatureExtractor(detector="lartpc-cube-768", shape=(64, 64, 64))


def line(*places, true=(), given=(), energy=None, particle=None):
    """Hits along x at y = z = 0, of which some are true Michel hits, and some are given that class."""
    x = np.array(places, dtype=np.int64)
    is_true, is_given = (np.isin(x, list(chosen)) for chosen in (true, given))
    return michel_electrons(
        np.stack([x, 0 * x, 0 * x], axis=1),
        np.ones(len(x)) if energy is None else np.array(energy, dtype=np.float64),
        np.where(is_true, 0, 1) if particle is None else np.array(particle),
        is_true,
        is_given,
    )


def test_voxels_that_touch_at_a_corner_are_connected():
    voxels = np.array([[5, 5, 5], [0, 0, 0], [6, 6, 6], [2, 0, 0], [7, 6, 6]])
    assert connected(voxels).tolist() == [0, 1, 0, 2, 0]
    assert connected(np.zeros((0, 3), np.int64)).tolist() == []


def test_a_found_electron_is_matched_and_another_is_false():
    """Of ten true hits eight are found, with two of the muon that have 3 MeV each; six far ones are false."""
    energy = np.where(np.isin(range(40), (10, 11)), 3.0, 1.0)
    event = line(*range(40), true=range(10), given=(*range(2, 12), *range(30, 36)), energy=energy)
    assert event.true_hits.tolist() == [10] and event.hits.tolist() == [10, 6]
    assert event.match.tolist() == [0, -1] and event.shared.tolist() == [8, 0]
    assert event.energy.tolist() == [14, 6] and event.true_energy.tolist() == [10]
    found = michel_numbers([event])
    assert (found.true, found.found, found.pairs) == (1, 2, 1)
    assert (found.efficiency.value, found.purity.value) == (1, 0.5)
    assert (found.cluster_efficiency.value, found.cluster_purity.value) == (0.8, 0.8)
    assert found.energy_bias.value == pytest.approx(0.4)
    assert found.energy_resolution.value == pytest.approx(0, abs=1e-7)
    assert found.spectrum.true[:4] == [0, 0, 1, 0] and found.spectrum.reconstructed[:4] == [0, 1, 1, 0]


def test_half_of_the_hits_is_not_enough_and_one_piece_alone_is_the_electron():
    half = line(*range(20), true=range(10), given=range(5, 15))
    assert half.match.tolist() == [-1]
    pieces = line(*range(20), true=range(20), given=(*range(6), *range(8, 20)))
    assert pieces.hits.tolist() == [6, 12] and pieces.match.tolist() == [-1, 0]


def test_electrons_of_few_hits_do_not_count():
    few = line(*range(20), true=range(4), given=range(10, 14))
    assert len(few.true_hits) == len(few.hits) == 0
    five = line(*range(20), true=range(5), given=range(10, 15))
    assert len(five.true_hits) == len(five.hits) == 1


def test_two_electrons_that_touch_are_two_true_ones_and_one_found():
    particles = [3] * 7 + [8] * 5
    event = line(*range(12), true=range(12), given=range(12), particle=particles)
    assert event.true_hits.tolist() == [7, 5] and event.match.tolist() == [0]
    assert michel_numbers([event]).efficiency.value == 0.5


def test_events_are_pooled_and_errors_are_over_events():
    """In 30 events the electron is found, in 10 it is not; the error is that of 40 trials."""
    good = line(*range(10), true=range(10), given=range(10), energy=[10.0] * 10)
    lost = line(*range(10), true=range(10), given=())
    found = michel_numbers([good] * 30 + [lost] * 10)
    assert found.efficiency.value == 0.75 and found.purity.value == 1
    assert found.efficiency.error == pytest.approx(np.sqrt(0.75 * 0.25 / 40), rel=0.1)
    assert found.spectrum.true[-1] == found.spectrum.reconstructed[-1] == 30  # 100 MeV, above all bins
    assert sum(found.spectrum.true) == 40


def test_energies_vary_by_their_resolution():
    """Found energies of 0.8 and 1.2 of the true one: no bias, a standard deviation of 0.2."""
    few, many = (line(*range(22), true=range(10), given=range(end)) for end in (8, 12))
    found = michel_numbers([few, many])
    assert found.energy_bias.value == pytest.approx(0, abs=1e-12)
    assert found.energy_resolution.value == pytest.approx(0.2)


def test_without_electrons_nothing_is_defined():
    empty = line()
    found = michel_numbers([empty, line(*range(5))])
    assert (found.true, found.found) == (0, 0)
    assert found.efficiency.value is found.purity.value is found.energy_bias.value is None


def labelled(names, target, **columns):
    """Two events, of a Michel electron of six hits and of a track."""
    place = [list(range(10))] * 2
    table = {"event_id": ["a", "b"], "detector": ["lartpc-cube-768"] * 2, "positions": ["voxel"] * 2}
    table |= {"source": ["nuzoo-simulation test"] * 2, "x": place, "y": place, "z": place}
    table |= {
        "energy": [np.full(10, 2, np.float32)] * 2,
        target: [[0] * 4 + [names.index("michel")] * 6, [0] * 10],
    }
    rows = Dataset.from_dict(table | columns, split=NamedSplit("test"))
    return rows.cast_column(target, List(ClassLabel(names=list(names))))


@pytest.mark.parametrize(("names", "target"), [(MOTIFS, "motif"), (ROLES, "role")])
def test_a_perfect_segmentation_finds_all_of_any_classes_with_michel(names, target):
    rows = labelled(names, target, particle=[[0] * 4 + [1] * 6, [0] * 10])
    truth = [np.array(event) for event in rows[target]]
    found = measure_michels(rows, HitPredictions(["a", "b"], truth, truth), names, PROCESSOR, 10)
    numbers = [found.efficiency, found.purity, found.cluster_efficiency, found.cluster_purity]
    assert [number.value for number in numbers] == [1] * 4 and found.energy_bias.value == 0
    assert found.spectrum.true == found.spectrum.reconstructed and found.spectrum.true[2] == 1


def test_electrons_are_measured_where_particles_are_known():
    rows = labelled(MOTIFS, "motif", particle=[[0] * 4 + [1] * 6, None])
    truth = [np.array(event) for event in rows["motif"]]
    both = HitPredictions(["a", "b"], truth, truth)
    assert measure_michels(rows, both, MOTIFS, PROCESSOR, 10).true == 1
    unknown = rows.select([1])
    second = HitPredictions(["b"], truth[1:], truth[1:])
    assert measure_michels(unknown, second, MOTIFS, PROCESSOR, 10) is None
    assert measure_michels(rows.remove_columns("particle"), both, MOTIFS, PROCESSOR, 10) is None
    assert measure_michels(rows, both, ["shower", "track"], PROCESSOR, 10) is None


def test_a_report_has_a_section_with_the_spectrum(tmp_path):
    torch.manual_seed(0)
    rows = labelled(MOTIFS, "motif", particle=[[0] * 4 + [1] * 6, [0] * 10])
    model = NuPointForSemanticSegmentation(NuPointConfig.tiny()).eval()
    results = EVALUATOR.evaluate(model, PROCESSOR, Events(rows), out=tmp_path, bootstrap=10)
    assert EVALUATOR.read_results(tmp_path / "results.json") == results
    assert results.michel.true == 1
    text = EVALUATOR.write_report(tmp_path).read_text()
    assert "## Michel electrons" in text and "5 hits and more: 1 true" in text
    assert (tmp_path / "michel.png").stat().st_size > 0
