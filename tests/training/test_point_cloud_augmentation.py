"""Point clouds are transformed as physics allows: against transformed events, closed forms and counts."""

import itertools

import numpy as np
import pytest
import torch

from nuzoo.processors.detector_events.feature_extraction_nu_detector_event import (
    NuDetectorEventFeatureExtractor,
)
from nuzoo.processors.point_clouds.feature_extraction_nu_particle_image import NuParticleImageFeatureExtractor
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.training.augmentation.bound import bound
from nuzoo.training.augmentation.pixel_maps import Augmentation
from nuzoo.training.augmentation.point_clouds import PointCloudAugmentation
from nuzoo.training.augmentation.ragged import events_of, nearest
from nuzoo.training.augmentation.turns import turns
from nuzoo.training.fields import RecipeError, checked_fields, types_of

SHAPE = (40, 40, 40)
AXES = ("x", "y", "z")
VERTEX = tuple(f"interaction_{axis}" for axis in AXES)
MOMENTUM = tuple(f"particle_p{axis}" for axis in AXES)
TARGETS = ("motif", *VERTEX, *MOMENTUM)


def make_processor(**settings):
    return NuPointCloudFeatureExtractor(shape=SHAPE, pitch_mm=(3.0, 3.0, 3.0), **settings)


def make_rows(sizes=(60, 0, 1, 90), seed=0, low=0, high=40):
    rng = np.random.default_rng(seed)
    rows = []
    for size in sizes:
        flat = rng.choice((high - low) ** 3, size, replace=False)
        voxels = low + np.stack(np.unravel_index(flat, (high - low,) * 3)).astype(np.int16)
        row = dict(zip(AXES, voxels, strict=True))
        row |= {"energy": rng.exponential(1.0, size).astype(np.float32), "motif": rng.integers(0, 5, size)}
        row |= {name: rng.uniform(5, 35, int(size > 0)).astype(np.float32) for name in VERTEX}
        row |= {name: rng.normal(0, 300, 2 * int(size > 0)).astype(np.float32) for name in MOMENTUM}
        rows.append(row)
    return rows


def augmented(rows, processor=None, seed=0, targets=TARGETS, **settings):
    """The batch of the rows before and after."""
    processor = processor or make_processor()
    batch = dict(processor(rows, targets=targets))
    torch.manual_seed(seed)
    return batch, PointCloudAugmentation(**settings).bound_to(processor, targets)(batch)


def in_mev(batch, processor=None):
    return (processor or make_processor()).energy_scale.inverse(batch["energy"][:, 0].double())


def by_event(batch, values):
    ends = batch["offset"].tolist()
    return [values[start:end] for start, end in itertools.pairwise([0, *ends])]


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-5, atol=1e-6)


def by_cell(batch):
    """The points of each event in the order of their cells, so that batches can be compared."""
    event, grid = events_of(batch["offset"]), batch["grid_coordinates"]
    order = torch.from_numpy(np.lexsort((*grid.T.numpy(), event.numpy())))
    points = {"coordinates", "energy", "grid_coordinates", "labels"}
    return {name: value[order] if name in points else value for name, value in batch.items()}


def test_nothing_asked_changes_nothing():
    batch, same = augmented(make_rows())
    assert all(same[name] is value for name, value in batch.items())


def test_a_mirrored_batch_is_the_batch_of_the_mirrored_events():
    rows = make_rows()
    mirrored = [row | {"y": 39 - row["y"], "interaction_y": 40 - row["interaction_y"]} for row in rows]
    mirrored = [row | {"particle_py": -row["particle_py"]} for row in mirrored]
    _, found = augmented(rows, mirror=1.0, mirror_axes=["y"])
    assert_same(by_cell(found), by_cell(dict(make_processor()(mirrored, targets=TARGETS))))


def test_a_quarter_turn_about_the_beam_is_that_of_the_events():
    rows = make_rows((50,))
    vertex, momentum = ([rows[0][name] for name in names] for names in (VERTEX, MOMENTUM))
    possible = []
    for _ in range(4):
        possible.append(by_cell(dict(make_processor()(rows, targets=TARGETS))))
        row = rows[0]
        turned = {"x": 39 - row["y"], "y": row["x"]}
        vertex = [40 - vertex[1], vertex[0], vertex[2]]
        momentum = [-momentum[1], momentum[0], momentum[2]]
        rows = [row | turned | dict(zip(VERTEX + MOMENTUM, [*vertex, *momentum], strict=True))]
    seen = set()
    for seed in range(12):
        _, found = augmented(rows, seed=seed, rotate=1.0, rotation_axes=["z"], quarter_turns=True)
        found = by_cell(found)
        fits = [
            i for i, one in enumerate(possible) if torch.allclose(one["coordinates"], found["coordinates"])
        ]
        assert len(fits) == 1
        assert_same(found, possible[fits[0]])
        seen.add(fits[0])
    assert seen == {0, 1, 2, 3}


def test_any_rotation_keeps_distances_and_turns_vertex_and_momenta_alike():
    rows = make_rows((30, 0, 45))
    batch, found = augmented(rows, rotate=1.0, grid="keep")
    half = torch.tensor(make_processor().frame.middle_of_hit)
    places = zip(
        by_event(batch, batch["coordinates"] + half),
        by_event(found, found["coordinates"] + half),
        strict=True,
    )
    matrices = []
    for before, after in places:
        torch.testing.assert_close(
            torch.cdist(before, before), torch.cdist(after, after), atol=1e-3, rtol=1e-3
        )
        if len(before):
            matrix = torch.linalg.lstsq(before.double(), after.double()).solution.T
            torch.testing.assert_close(matrix @ matrix.T, torch.eye(3).double(), atol=1e-4, rtol=0)
            assert torch.det(matrix) > 0
            matrices.append(matrix.float())
    assert not torch.allclose(matrices[0], matrices[1], atol=1e-2)
    for number, matrix in enumerate(matrices):
        for name, span in (
            ("interaction_vertex", slice(number, number + 1)),
            ("particle_start_momentum", slice(2 * number, 2 * number + 2)),
        ):
            torch.testing.assert_close(found[name][span], batch[name][span] @ matrix.T, atol=1e-3, rtol=1e-3)
    for name in ("energy", "grid_coordinates", "labels", "offset"):
        torch.testing.assert_close(found[name], batch[name], atol=1e-6, rtol=1e-5)


def test_turns_are_proper_rotations_and_about_one_axis_leave_it():
    matrix = turns(200, ["x"], 1.0, False, torch.zeros(1))
    torch.testing.assert_close(matrix @ matrix.mT, torch.eye(3).expand(200, 3, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.det(matrix), torch.ones(200))
    assert torch.equal(matrix[:, 0, 0], torch.ones(200))
    turned = (turns(2000, ["z"], 0.3, False, torch.zeros(1)) != torch.eye(3)).any(2).any(1)
    assert 0.25 < turned.float().mean() < 0.35


def test_a_shift_moves_hits_and_vertex_alike_and_what_leaves_is_lost():
    rows = make_rows((200, 1, 200), low=15, high=25)
    batch, found = augmented(rows, shift_mm=30.0, grid="keep")
    moved = found["coordinates"] - batch["coordinates"]
    for one, vertex in zip(
        by_event(batch, moved), found["interaction_vertex"] - batch["interaction_vertex"], strict=True
    ):
        torch.testing.assert_close(one, vertex.expand_as(one), atol=1e-6, rtol=0)
    unit = make_processor().frame.mm_per_unit
    assert moved.abs().max() * unit <= 30.001
    assert not torch.allclose(moved[0], moved[-1])
    assert torch.equal(found["particle_start_momentum"], batch["particle_start_momentum"])
    everywhere, lost = augmented(make_rows((3000, 3000)), shift_mm=30.0)
    shifted = (lost["interaction_vertex"] - everywhere["interaction_vertex"]) * unit
    expected = 1 - (1 - shifted.abs() / 120).prod(dim=1)
    counts = lost["offset"].diff(prepend=torch.zeros(1))
    torch.testing.assert_close(1 - counts / 3000, expected, atol=0.05, rtol=0)
    sides = torch.tensor(make_processor().frame.half_sides)
    middles = lost["coordinates"] + torch.tensor(make_processor().frame.middle_of_hit)
    assert (middles.abs() <= sides + 1e-6).all()


def test_hits_that_end_up_in_one_cell_are_added_up():
    rows = make_rows((800, 500), low=12, high=28)
    batch, found = augmented(rows, rotate=1.0)
    assert found["offset"][-1] < batch["offset"][-1]
    for before, after in zip(by_event(batch, in_mev(batch)), by_event(found, in_mev(found)), strict=True):
        assert float(after.sum()) == pytest.approx(float(before.sum()), rel=1e-4)
    keys = torch.cat([events_of(found["offset"])[:, None], found["grid_coordinates"]], dim=1)
    assert len(keys.unique(dim=0)) == len(keys) == len(found["labels"]) == len(found["energy"])
    frame = make_processor().frame
    cells = frame.cells(found["coordinates"], events_of(found["offset"]))
    assert torch.equal(cells, found["grid_coordinates"])


def test_gain_is_one_factor_an_event_and_of_mean_one():
    rows = [row for row in make_rows((3,)) for _ in range(3000)]
    batch, found = augmented(rows, gain=0.1)
    ratio = (in_mev(found) / in_mev(batch)).reshape(-1, 3)
    torch.testing.assert_close(ratio, ratio[:, :1].expand(-1, 3), rtol=1e-3, atol=0)
    assert float(ratio.mean()) == pytest.approx(1, abs=0.01)
    assert float(ratio[:, 0].log().std()) == pytest.approx(0.1, rel=0.1)
    assert torch.equal(batch["coordinates"], found["coordinates"])
    assert torch.equal(batch["particle_start_momentum"], found["particle_start_momentum"])


def test_energy_jitter_is_a_factor_of_each_hit_and_of_mean_one():
    batch, found = augmented(make_rows((20000,)), energy_jitter=0.12)
    ratio = in_mev(found) / in_mev(batch)
    assert float(ratio.mean()) == pytest.approx(1, abs=0.01)
    assert float(ratio.log().std()) == pytest.approx(0.12, rel=0.05)


def test_charge_is_attenuated_exponentially_with_its_drift():
    batch, found = augmented(make_rows((400, 300)), attenuation_mm=200.0, drift_axis="y")
    drift = (batch["grid_coordinates"][:, 1] + 0.5) * 3.0
    slope = -(in_mev(found) / in_mev(batch)).log() / drift
    strengths = [float(one.mean()) for one in by_event(batch, slope)]
    for one, mean in zip(by_event(batch, slope), strengths, strict=True):
        torch.testing.assert_close(one, torch.full_like(one, mean), rtol=0.02, atol=1e-6)
    assert all(0 <= strength <= 1 / 200 for strength in strengths)
    assert strengths[0] != strengths[1]
    torch.testing.assert_close(batch["coordinates"], found["coordinates"])


def test_diffusion_grows_with_the_root_of_the_drift():
    near = [row | {"x": np.full_like(row["x"], 1)} for row in make_rows((3000,))]
    far = [row | {"x": np.full_like(row["x"], 39)} for row in make_rows((3000,))]
    unit, widths = make_processor().frame.mm_per_unit, []
    for rows in (near, far):
        cloud = [rows[0] | dict.fromkeys(("y", "z"), np.arange(3000).astype(np.int16) % 40)]
        cloud[0] |= {"z": (np.arange(3000) // 40 % 40).astype(np.int16)}
        processor = make_processor()
        processor_batch = dict(processor(cloud, targets=TARGETS))
        torch.manual_seed(1)
        change = PointCloudAugmentation(diffusion_mm=4.0, grid="keep").bound_to(processor, TARGETS)
        moved = change(processor_batch)["coordinates"] - processor_batch["coordinates"]
        widths.append(float(moved.std()) * unit)
    assert widths[0] == pytest.approx(4 * np.sqrt(4.5 / 120), rel=0.05)
    assert widths[1] == pytest.approx(4 * np.sqrt(118.5 / 120), rel=0.05)


def test_a_dead_region_is_a_slab_without_hits_and_costs_its_share():
    batch, found = augmented(make_rows((4000,) * 12), dead=1.0, dead_mm=12.0)
    for before, after in zip(
        by_event(batch, batch["grid_coordinates"]), by_event(found, found["grid_coordinates"]), strict=True
    ):
        empty = [set(range(40)) - set(after[:, axis].tolist()) for axis in range(3)]
        slabs = [sorted(one) for one in empty if one]
        assert len(slabs) == 1 and len(slabs[0]) in (3, 4)  # voxels of 3 mm whose middle is in 12 mm
        assert slabs[0][-1] - slabs[0][0] == len(slabs[0]) - 1
        assert 1 - len(after) / len(before) == pytest.approx(len(slabs[0]) / 40, abs=0.02)
    _, none = augmented(make_rows((50,)), dead=1e-9, dead_mm=12.0)
    assert none["offset"].tolist() == [50]


def test_dropped_hits_are_a_fraction_of_each_event_and_the_others_stay():
    batch, found = augmented(make_rows((400,) * 60), drop_hits=0.4)
    kept = found["offset"].diff(prepend=torch.zeros(1)) / 400
    assert 0.75 < kept.mean() < 0.85
    assert kept.min() > 0.5 and kept.max() > 0.93
    full = torch.cat([batch["grid_coordinates"], batch["labels"][:, None]], dim=1).tolist()
    rest = torch.cat([found["grid_coordinates"], found["labels"][:, None]], dim=1).tolist()
    assert {*map(tuple, rest)} <= {*map(tuple, full)}


def test_a_crop_is_a_ball_around_a_hit():
    batch, found = augmented(make_rows((300, 0, 1, 200)), crop=1.0, crop_keeps=0.3)
    sizes = found["offset"].diff(prepend=torch.zeros(1)).tolist()
    assert 90 <= sizes[0] <= 300 and sizes[1:3] == [0, 1] and 60 <= sizes[3] <= 200
    before, after = (by_event(each, each["grid_coordinates"].double())[0] for each in (batch, found))
    lost = before[~(before[:, None] == after[None]).all(2).any(1)]
    distance, to_lost = torch.cdist(after, after), torch.cdist(after, lost)
    assert len(lost) and ((distance.amax(1) <= to_lost.amin(1)).any())


def test_jitter_is_small_and_cut_off_and_brightness_scales_the_network_s_energies():
    batch, found = augmented(make_rows((5000,)), jitter_mm=0.5, scaled_energy_jitter=0.05, grid="keep")
    moved = (found["coordinates"] - batch["coordinates"]) * make_processor().frame.mm_per_unit
    assert float(moved.std()) == pytest.approx(0.5, rel=0.03)
    assert moved.abs().max() <= 2.001
    ratio = found["energy"] / batch["energy"]
    torch.testing.assert_close(ratio, torch.full_like(ratio, float(ratio.median())), rtol=1e-3, atol=1e-3)
    assert 0.95 <= float(ratio.median()) <= 1.05 and float(ratio.median()) != 1


EVERYTHING = {
    "crop": 0.5,
    "rotate": 0.8,
    "mirror": 0.5,
    "shift_mm": 20.0,
    "diffusion_mm": 2.0,
    "attenuation_mm": 500.0,
    "gain": 0.1,
    "energy_jitter": 0.1,
    "dead": 0.5,
    "dead_mm": 20.0,
    "drop_hits": 0.2,
    "jitter_mm": 0.5,
    "scaled_energy_jitter": 0.05,
}


@pytest.mark.parametrize("settings", [{}, {"grid": 0.01}, {"normalisation": "robust"}])
def test_everything_together_is_finite_repeatable_and_leaves_its_input(settings):
    rows, processor = make_rows((0, 200, 1, 0, 150)), make_processor(**settings).fit(make_rows())
    before = dict(processor(rows, targets=TARGETS))
    batch, one = augmented(rows, processor, **EVERYTHING)
    _, again = augmented(rows, processor, **EVERYTHING)
    _, other = augmented(rows, processor, seed=1, **EVERYTHING)
    assert all(torch.equal(batch[name], value) for name, value in before.items())
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert one["offset"].tolist() != other["offset"].tolist()
    assert one.keys() == batch.keys()
    assert all(torch.isfinite(value).all() for value in one.values())
    assert {len(one[name]) for name in ("coordinates", "energy", "grid_coordinates", "labels")} == {
        int(one["offset"][-1])
    }
    for name, value in batch.items():
        assert one[name].dtype == value.dtype


def test_a_batch_of_empty_events_stays_one():
    _, found = augmented(make_rows((0, 0)), **EVERYTHING)
    assert found["offset"].tolist() == [0, 0] and found["coordinates"].shape == (0, 3)
    _, lost = augmented(make_rows((1,)), seed=3, shift_mm=1e6)
    assert lost["offset"].tolist() == [0] and lost["labels"].shape == (0,)


def test_nearest_rows_are_counted_in_each_event():
    coordinates = torch.tensor([[0.0], [1.0], [2.0], [9.0], [5.0], [5.0]]).expand(-1, 3)
    offset, centre = torch.tensor([3, 3, 6]), torch.tensor([[2.0], [0.0], [5.0]]).expand(-1, 3)
    kept = nearest(coordinates, offset, centre, torch.tensor([2, 4, 1]))
    assert kept.tolist() == [False, True, True, False, True, False]


def test_a_recipe_sets_it_by_type_and_it_must_be_bound():
    types = types_of(PointCloudAugmentation)
    given = {"rotate": 0.8, "rotation_axes": ["z"], "grid": "keep", "attenuation_mm": 3000}
    assert PointCloudAugmentation(**checked_fields("augmentation", given, types)).attenuation_mm == 3000.0
    for wrong, said in (
        ({"rotat": 1}, "did you mean rotate"),
        ({"mirror_axes": ["w"]}, "mirror_axes"),
        ({"drop_hits": 2}, "probability"),
    ):
        with pytest.raises(RecipeError, match=said):
            checked_fields("augmentation", wrong, types)
    with pytest.raises(RecipeError, match="dead_mm"):
        PointCloudAugmentation(dead=0.5)
    with pytest.raises(RecipeError, match="bound_to"):
        PointCloudAugmentation()({})


def test_only_augmentations_in_physical_units_are_bound():
    processor, plain = make_processor(), Augmentation()
    assert bound(plain, processor, ()) is plain
    made = bound(PointCloudAugmentation(drop_hits=0.1), processor, ("motif",))
    assert made.processor is processor and made.hit_truth == {"labels"}
    images = NuParticleImageFeatureExtractor.tiny(None)
    assert bound(PointCloudAugmentation(), images, ()) is dict
    with pytest.raises(RecipeError, match="NuDetectorEventFeatureExtractor"):
        bound(PointCloudAugmentation(rotate=0.5), NuDetectorEventFeatureExtractor.tiny(None), ())
    with pytest.raises(RecipeError, match="shift_cells"):
        bound(PointCloudAugmentation(shift_cells=2), processor, ())


def test_centred_events_have_their_bounding_box_in_the_middle_of_the_detector():
    batch, found = augmented(make_rows((40, 0, 1, 30), low=3, high=17), centre=True)
    half = torch.tensor(make_processor().frame.middle_of_hit)
    for one in by_event(found, found["coordinates"] + half):
        if len(one):
            torch.testing.assert_close(one.amin(0), -one.amax(0), atol=1e-5, rtol=0)
    moved = (found["interaction_vertex"] - batch["interaction_vertex"])[0]
    before, after = (each["coordinates"][: each["offset"][0]].mean(0) for each in (batch, found))
    torch.testing.assert_close(after - before, moved, atol=1e-4, rtol=0)
