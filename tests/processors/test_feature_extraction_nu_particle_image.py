"""Images of particles, and the numbers beside them: against hand-computed lines, cubes and single voxels."""

import json
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from nuzoo.files.events import event_errors
from nuzoo.hub.model.flat_export import export_code
from nuzoo.processors import input_errors as errors
from nuzoo.processors.point_clouds.cluster_features import SHAPE_FEATURES, cluster_features
from nuzoo.processors.point_clouds.event_context import event_context
from nuzoo.processors.point_clouds.feature_extraction_nu_particle_image import NuParticleImageFeatureExtractor
from nuzoo.processors.point_clouds.particle_images import cropped, scaled
from nuzoo.simulation.detectors import DETECTORS

SCINTILLATOR = DETECTORS["scintillator-cube-200"].geometry()
CUBE = DETECTORS["lartpc-cube-768"].geometry()
IDENTITY = {"k": 1.0, "mu": 0.0, "sigma": 1.0}
PILARNET = {
    "of": "particle",
    "size": (168, 168, 180),
    "framing": "scale",
    "least_hits": 5,
    "energy_transform": "identity",
    "energy_statistics": IDENTITY,
}


def scintillator(**settings):
    given = {"energy_transform": "identity", "energy_statistics": IDENTITY} | settings
    return NuParticleImageFeatureExtractor.for_geometry(SCINTILLATOR, **given)


def pilarnet(**settings):
    return NuParticleImageFeatureExtractor.for_geometry(CUBE, **({"context": "event"} | PILARNET | settings))


def make_row(voxels, energy, **more):
    columns = np.array(voxels, dtype=np.int16).reshape(-1, 3).T
    return dict(zip("xyz", columns, strict=True)) | {"energy": np.array(energy, dtype=np.float32)} | more


def features(voxels, energy, sides=(11, 11, 11), orientation="charge", framing=0.25):
    voxels, energy = np.array(voxels).reshape(-1, 3), np.array(energy, dtype=float)
    image = np.zeros(len(voxels), dtype=int)
    return cluster_features(image, voxels, energy, np.array([framing]), sides, orientation)[0]


def test_the_features_of_a_straight_line_are_those_by_hand():
    """Five voxels along y with 1 to 5 MeV."""
    line = [(2, y, 7) for y in range(3, 8)]
    found = features(line, [1, 2, 3, 4, 5])
    expected = [
        *(0.2, 0.5, 0.7),  # centroid (2, 5, 7) / 10
        *(1 / 11, 5 / 11, 1 / 11),
        *np.log1p([5, 15, 3, np.sqrt(2), 1.0]),
        0.25,
        *(np.log1p(np.sqrt(2)), 0, 0),  # variance of 3 4 5 6 7
        *(0.2, 0.3, 0.7),  # charge grows towards larger y, so it starts at y = 3
        *(0, 1, 0),
        4 / np.sqrt(3 * 11**2),
        1,
        0,
        (4 + 5 - 1 - 2) / 15,
    ]
    np.testing.assert_allclose(found, expected, atol=1e-9)
    backwards = features(line, [5, 4, 3, 2, 1])
    np.testing.assert_allclose(backwards[15:25], [0.2, 0.7, 0.7, 0, -1, 0, *expected[21:25]], atol=1e-9)
    by_axes = features(line, [5, 4, 3, 2, 1], orientation="axes")
    np.testing.assert_allclose(by_axes[15:25], [*expected[15:24], -6 / 15], atol=1e-9)


def test_a_line_of_equal_charges_points_up_its_axis():
    diagonal = [(i, i, 9 - i) for i in range(4)]
    found = features(diagonal, [2.0] * 4)
    np.testing.assert_allclose(found[18:21], np.array([1, 1, -1]) / np.sqrt(3), atol=1e-9)
    np.testing.assert_allclose(found[15:18], [0, 0, 0.9], atol=1e-9)
    assert found[24] == pytest.approx(0, abs=1e-9)


def test_a_cube_has_extent_and_no_direction():
    cube = list(product(range(2, 5), repeat=3))
    found = features(cube, np.ones(27))
    variance = 2 / 3  # of -1 0 1
    np.testing.assert_allclose(found[:6], [0.3] * 3 + [3 / 11] * 3)
    np.testing.assert_allclose(found[6:11], np.log1p([27, 27, 1, 0, 1]))
    np.testing.assert_allclose(found[12:15], np.log1p(np.sqrt([variance] * 3)))
    np.testing.assert_allclose(found[15:25], [0.3] * 3 + [0] * 7, atol=1e-9)


def test_a_plate_is_planar():
    plate = [(x, y, 0) for x in range(6) for y in range(4)]
    found = features(plate, np.ones(24))
    long, short = (36 - 1) / 12, (16 - 1) / 12
    np.testing.assert_allclose(found[22:24], [(long - short) / long, short / long])
    assert found[10] == pytest.approx(np.log(2))


def test_a_single_voxel_and_none_give_numbers():
    one = features([(10, 0, 4)], [2.5])
    np.testing.assert_allclose(one[:11], [1, 0, 0.4, *[1 / 11] * 3, *np.log1p([1, 2.5, 2.5, 0, 1])])
    np.testing.assert_allclose(one[12:], [0, 0, 0, 1, 0, 0.4, 0, 0, 0, 0, 0, 0, 0])
    assert not features([], []).any()
    assert np.isfinite(features([(0, 0, 0)] * 1, [0.0], sides=(1, 1, 1))).all()


def test_the_axes_are_those_of_a_singular_value_decomposition():
    rng = np.random.default_rng(5)
    voxels = np.unique((rng.normal(size=(300, 3)) * (9, 4, 2) + 50).astype(int), axis=0)
    energy = rng.exponential(1.0, len(voxels))
    found = features(voxels, energy, (100,) * 3)
    _, singular, axes = np.linalg.svd(voxels - voxels.mean(0), full_matrices=False)
    values = singular**2 / len(voxels)
    np.testing.assert_allclose(found[12:15], np.log1p(np.sqrt(values)), rtol=1e-9)
    assert abs(found[18:21] @ axes[0]) == pytest.approx(1)
    assert found[24] > 0
    order = rng.permutation(len(voxels))
    np.testing.assert_allclose(features(voxels[order], energy[order], (100,) * 3), found, atol=1e-9)


def test_images_do_not_mix():
    line, cube = [(2, y, 7) for y in range(3, 8)], list(product(range(2, 5), repeat=3))
    image = np.array([0] * 5 + [2] * 27)
    both = cluster_features(
        image, np.array(line + cube), np.ones(32), np.array([0.25, 0.25, 0.25]), (11, 11, 11), "axes"
    )
    np.testing.assert_allclose(both[0], features(line, np.ones(5), orientation="axes"))
    np.testing.assert_allclose(both[2], features(cube, np.ones(27), orientation="axes"))
    assert not both[1].any()


def test_features_without_place_and_direction_stay_when_a_particle_is_moved():
    voxels = np.array([(i, 2 * i, i % 3) for i in range(9)])
    kept = list(SHAPE_FEATURES)
    assert len(kept) == 16
    one, moved = (features(voxels + by, np.arange(9) + 1.0, (99,) * 3) for by in (0, np.array([40, 3, 8])))
    np.testing.assert_allclose(one[kept], moved[kept], atol=1e-9)


def test_particles_among_others_are_described_by_hand():
    """Two lines and a voxel, in one event; then one alone, and an event without any."""
    voxels = [(0, 0, 0), (2, 0, 0), (10, 0, 0), (12, 0, 0), (1, 4, 0), (5, 5, 5)]
    image, energy = np.array([0, 0, 1, 1, 2, 3]), np.array([1.0, 1.0, 3.0, 1.0, 4.0, 7.0])
    found = event_context(image, np.array(voxels), energy, np.array([3, 0, 1]), (30, 40, 0))
    middle = np.array([5.0, 0.8, 0.0])  # of five voxels
    centroids = np.array([[1, 0, 0], [11, 0, 0], [1, 4, 0]])
    to_middle = np.linalg.norm(centroids - middle, axis=1) / 50
    expected = [
        [0.2, 0.4, 1.0, 0.25, 4 / 50, to_middle[0]],
        [0.4, 0.4, 0.25, 0.25, 10 / 50, to_middle[1]],
        [0.4, 0.2, 0.25, 1.0, 4 / 50, to_middle[2]],
        [1, 1, 0, 0, 1, 0],
    ]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_box_is_cut_out_around_the_middle_and_stays_in_the_detector():
    image, voxels = np.array([0, 0, 1, 1]), np.array([(10, 0, 50), (13, 99, 53), (0, 0, 0), (1, 1, 1)])
    found = cropped(image, voxels, 2, (8, 8, 8), (100, 100, 60))
    assert found.origin.tolist() == [[8, 46, 48], [0, 0, 0]]
    assert found.kept.tolist() == [2, 3]  # the first image's voxels are too far apart along y
    assert found.cells.tolist() == [[0, 0, 0], [1, 1, 1]]
    high = cropped(np.array([0]), np.array([(99, 99, 59)]), 1, (8, 8, 8), (100, 100, 60))
    assert high.origin.tolist() == [[92, 92, 52]] and high.cells.tolist() == [[7, 7, 7]]


@pytest.mark.parametrize("length", range(1, 13))
def test_what_fits_keeps_its_voxels_and_what_does_not_is_shrunk_to_the_faces(length):
    line = np.stack([np.arange(length) + 300, np.full(length, 5), np.full(length, 9)], axis=1)
    found = scaled(np.zeros(length, dtype=int), line, 1, (8, 8, 8))
    along = found.cells[:, 0]
    assert (found.cells >= 0).all() and (found.cells < 8).all()
    if length <= 8:
        assert found.scale.tolist() == [1] and np.diff(along).tolist() == [1] * (length - 1)
        assert abs((along[0] + along[-1]) / 2 - 3.5) <= 0.5
    else:
        assert found.scale == pytest.approx(7 / (length - 1))
        assert (along[0], along[-1]) == (0, 7) and set(along) == set(range(8))


def test_an_image_of_a_scintillator_event():
    """Hits in mm as in the published files; two share a cube; what is outside of the box is lost."""
    row = {
        "x": [-995.0, -993.0, -985.0, 500.0],
        "y": [-995.0, -995.0, -985.0, 0.0],
        "z": [5.0, 5.0, 15.0, 0.0],
        "energy": [1.0, 2.0, 4.0, 8.0],
    }
    processor = scintillator(positions="mm", size=(120, 120, 120))
    near = {name: values[:3] for name, values in row.items()}
    batch = processor([near, row, {name: [] for name in row}], return_particles=True)
    assert batch["offset"].tolist() == [2, 2, 2]  # x from 0 to 150: a box from 15 to 134 has neither end
    assert batch["grid_coordinates"].tolist() == [[0, 0, 59], [1, 1, 60]]  # z is 100 and 101, the box from 41
    assert batch["energy"][:, 0].tolist() == [3, 4]
    assert batch["context"].shape == (3, 31)
    assert torch.isfinite(batch["context"]).all()
    assert batch["event"].tolist() == [0, 1, 2] and batch["particle"].tolist() == [-1, -1, -1]


def test_a_scintillator_image_by_hand():
    voxels = [(100, 100, 3), (101, 100, 3), (101, 100, 3), (102, 100, 3)]
    batch = scintillator(size=(20, 20, 20))(make_row(voxels, [1.0, 1.0, 1.5, 4.0]))
    # low 100, high 102: first voxel (203 // 2) - 10 = 91; z: (3 + 3 + 1) // 2 - 10 = -7, moved to 0
    assert batch["grid_coordinates"].tolist() == [[9, 10, 3], [10, 10, 3], [11, 10, 3]]
    assert batch["energy"][:, 0].tolist() == [1.0, 2.5, 4.0]
    context = batch["context"][0].numpy()
    alone = features([(9, 10, 3), (10, 10, 3), (11, 10, 3)], [1, 2.5, 4], (20,) * 3, framing=0.0)
    np.testing.assert_allclose(context[:25], alone, atol=1e-6)
    np.testing.assert_allclose(context[25:], np.array([91, 90, 0, 89, 90, 180]) / 200, atol=1e-6)


def test_voxels_on_the_faces_of_the_box_are_counted():
    voxels = [(x, 100, 100) for x in range(90, 110)]
    batch = scintillator(size=(10, 20, 20))(make_row(voxels, np.ones(20)))
    assert batch["offset"].tolist() == [10]
    assert batch["context"][0, 11] == pytest.approx(0.2)


def two_particles():
    """A line of 6 along x, one of 8 along y, three voxels of a small one, and one hit of none."""
    voxels = [(100 + i, 50, 60) for i in range(6)] + [(100, 50 + i, 61) for i in range(8)]
    voxels += [(5, 5, 5), (6, 6, 6), (7, 7, 7), (700, 1, 1)]
    particle = np.array([2] * 6 + [0] * 8 + [1] * 3 + [-1], dtype=np.int32)
    return make_row(voxels, np.arange(18) + 1.0, particle=particle, particle_pid=[2, 1, 4])


def test_particles_of_an_event_are_images_with_their_labels():
    row = two_particles()
    empty = {name: value[:0] for name, value in row.items()}
    batch = pilarnet()([empty, row, row], targets=("particle_pid",), return_particles=True)
    assert batch["particle"].tolist() == [0, 2, 0, 2]
    assert batch["event"].tolist() == [1, 1, 2, 2]
    assert batch["labels"].tolist() == [2, 4, 2, 4]
    assert batch["event_offset"].tolist() == [0, 2, 4]
    assert batch["offset"].tolist() == [8, 14, 22, 28]
    assert batch["energy"][:8, 0].tolist() == list(range(7, 15))
    first = batch["grid_coordinates"][:8]
    assert first[:, 1].tolist() == list(range(80, 88)) and set(first[:, 0].tolist()) == {84}
    assert batch["context"].shape == (4, 31)
    assert batch["context"][0, 25:27].tolist() == pytest.approx([84 / 105, 8 / 14])
    single = pilarnet(context="shape")(row)
    assert torch.equal(single["context"], batch["context"][:2][:, list(SHAPE_FEATURES)])
    assert single["event_offset"].tolist() == [2] and "context" not in pilarnet(context="none")(row)
    assert set(pilarnet(context="none")(row)) == set(pilarnet(context="none").model_input_names)


def test_a_long_particle_is_shrunk_and_its_charge_is_kept():
    voxels = [(i, i // 2, 3) for i in range(500)]
    row = make_row(voxels, np.full(500, 0.5), particle=np.zeros(500, dtype=int))
    batch = pilarnet()(row)
    assert 0 < len(batch["energy"]) < 500
    assert float(batch["energy"].sum()) == pytest.approx(250)
    assert batch["grid_coordinates"][:, 0].max() == 167 and batch["grid_coordinates"][:, 0].min() == 0
    assert batch["context"][0, 11] == pytest.approx(167 / 499)
    assert len(batch["grid_coordinates"].unique(dim=0)) == len(batch["grid_coordinates"])


def test_order_and_company_of_hits_do_not_matter():
    row = two_particles()
    order = np.random.default_rng(0).permutation(18)
    shuffled = {name: value[order] if isinstance(value, np.ndarray) else value for name, value in row.items()}
    one, other = pilarnet()(row), pilarnet()([row, shuffled])
    torch.testing.assert_close(other["context"][2:], one["context"], atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(other["context"][:2], one["context"], atol=0, rtol=0)
    cells = [sorted(map(tuple, batch["grid_coordinates"][-14:].tolist())) for batch in (one, other)]
    assert cells[0] == cells[1]


def test_it_is_fitted_saved_and_exported(tmp_path):
    rng = np.random.default_rng(2)
    processor = NuParticleImageFeatureExtractor.for_geometry(SCINTILLATOR)
    rows = [make_row(rng.choice(200, (40, 3)), rng.exponential(2.0, 40), label=i % 4) for i in range(5)]
    with pytest.raises(errors.MissingStatisticsError, match="fit"):
        processor(rows)
    batch = processor.fit(rows)(rows, targets=("label",))
    assert abs(float(batch["energy"].median())) < 0.05
    assert batch["labels"].tolist() == [0, 1, 2, 3, 0]
    processor.save_pretrained(tmp_path)
    loaded = NuParticleImageFeatureExtractor.from_pretrained(tmp_path)
    assert all(torch.equal(loaded(rows)[name], value) for name, value in batch.items() if name != "labels")
    names = export_code([NuParticleImageFeatureExtractor], tmp_path)
    assert "cluster_features.py" in names
    for one in (processor, pilarnet()):
        constants = one.instructions()["constants"]
        assert constants == json.loads(json.dumps(constants))
        assert all(isinstance(value, str) for value in one.facts().values())
        assert one.example_events(3)[2].keys() >= {column.name for column in one.schema.hits}
    config = SimpleNamespace(writes_text=False, model_type="toy", grid_shape=[120] * 3, context_features=31)
    processor.check_agrees(config)
    config.context_features = 16
    with pytest.raises(errors.ProcessorModelMismatchError, match="context_features 16"):
        processor.check_agrees(config)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"framing": "fit"}, "framing must be"),
        ({"context": "event"}, "of='particle'"),
        ({"framing": "scale"}, "framing='crop'"),
        ({"size": [1, 2, 3]}, "size must be"),
        ({"least_hits": 0}, "least_hits"),
        ({"energy_statistics": {"k": 0.0, "mu": 0.0, "sigma": 1.0}}, "k and sigma above 0"),
        ({"frame": "crop"}, "did you mean framing"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, said):
    with pytest.raises(errors.ProcessorSettingError, match=said):
        scintillator(**settings)


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"particle": None}, event_errors.MissingColumnError, "'particle' of event 1"),
        ({"particle": np.full(18, 3)}, event_errors.RangeError, "every particle of the event"),
        ({"particle_pid": None}, event_errors.MissingColumnError, "particle_pid"),
        ({"energy": np.arange(18)}, event_errors.UnitError, "counts"),
        ({"detector": "elsewhere"}, errors.DetectorMismatchError, "elsewhere"),
    ],
)
def test_one_bad_event_is_named(changed, error, said):
    good = two_particles() | {"detector": CUBE["detector"]}
    with pytest.raises(error, match=said):
        pilarnet()([good, good | changed], targets=("particle_pid",))
    for wrong in ("particle_pid", ("motif",), ("particle_x",)):
        with pytest.raises(errors.ProcessorSettingError, match="particle_pid"):
            pilarnet()(good, targets=wrong)
