"""Images of particles and what stands beside them: against the images of transformed events, and by hand."""

import itertools

import numpy as np
import pytest
import torch

from nuzoo.processors.point_clouds.cluster_features import SHAPE_FEATURES, cluster_features
from nuzoo.processors.point_clouds.feature_extraction_nu_particle_image import NuParticleImageFeatureExtractor
from nuzoo.training.augmentation.point_clouds import PointCloudAugmentation
from nuzoo.training.augmentation.ragged import events_of
from nuzoo.training.fields import RecipeError, checked_fields, types_of

SIDE = 60
FITTED = {"energy_statistics": {"k": 0.8, "mu": 0.7, "sigma": 0.4}, "pitch_mm": (10.0,) * 3}
MIRRORED = np.diag([-1, 1, 1])
QUARTER_TURNS = [
    np.linalg.matrix_power([[0, -1, 0], [1, 0, 0], [0, 0, 1]], number).astype(int) for number in range(4)
]


def boxes(**settings):
    """Boxes of 24³ voxels, cut out of a scintillator."""
    given = {"size": (24,) * 3} | FITTED | settings
    return NuParticleImageFeatureExtractor(shape=(SIDE,) * 3, **given)


def shrunk(**settings):
    """Images of 24 × 24 × 30 cells, of particles."""
    given = {"of": "particle", "framing": "scale", "context": "event"} | FITTED | settings
    return NuParticleImageFeatureExtractor(shape=(SIDE,) * 3, size=(24, 24, 30), **given)


def track(rng, start, length, sign=1):
    """A crooked track with charge that grows along it."""
    steps = np.stack(
        [np.arange(length), np.arange(length) // 2, np.arange(length) // 3 + rng.integers(0, 2, length)]
    )
    voxels = np.array(start)[:, None] + sign * steps
    return voxels, (0.5 + rng.uniform(0.9, 1.1, length) * np.arange(length)).astype(np.float32)


def make_row(rng, *tracks):
    """An event with a particle for each track: start, length and sign of each."""
    parts = [track(rng, *one) for one in tracks]
    voxels = np.concatenate([np.zeros((3, 0), int), *(voxels for voxels, _ in parts)], axis=1)
    row = dict(zip("xyz", voxels.astype(np.int16), strict=True))
    row["energy"] = np.concatenate([np.zeros(0, np.float32), *(energy for _, energy in parts)])
    row["particle"] = np.repeat(np.arange(len(parts)), [len(energy) for _, energy in parts]).astype(np.int32)
    return row


def single_rows():
    """In the middle of the detector, beside two of its walls, of odd length, and without hits."""
    rng = np.random.default_rng(1)
    tracks = [((30, 28, 31), 20, 1), ((1, 2, 40), 15, 1), ((40, 59, 59), 7, -1)]
    return [*(make_row(rng, one) for one in tracks), make_row(rng)]


def shared_rows():
    """Events of two particles and of one that does not fit into an image."""
    rng = np.random.default_rng(2)
    return [
        make_row(rng, ((5, 8, 50), 12, 1), ((30, 30, 9), 9, -1)),
        make_row(rng),
        make_row(rng, ((3, 1, 9), 50, 1)),
    ]


def turned(rows, matrix, shift=(0, 0, 0)):
    """The same events turned about the middle of the detector, then displaced; what leaves it is lost."""
    found = []
    for row in rows:
        voxels = np.stack([row[axis] for axis in "xyz"])
        voxels = (matrix @ (2 * voxels - (SIDE - 1)) + SIDE - 1) // 2 + np.array(shift)[:, None]
        inside = ((voxels >= 0) & (voxels < SIDE)).all(axis=0)
        row = {name: values[inside] for name, values in row.items()}
        found.append(row | dict(zip("xyz", voxels[:, inside].astype(np.int16), strict=True)))
    return found


def augmented(rows, processor, seed=0, **settings):
    """The batch of the rows before and after."""
    batch = dict(processor(rows))
    torch.manual_seed(seed)
    return batch, PointCloudAugmentation(**settings).bound_to(processor)(batch)


def by_cell(batch):
    event, grid = events_of(batch["offset"]), batch["grid_coordinates"]
    order = torch.from_numpy(np.lexsort((*grid.T.numpy(), event.numpy())))
    return batch | {name: batch[name][order] for name in ("grid_coordinates", "energy")}


def is_same(one, other):
    one, other = by_cell(one), by_cell(other)
    if not torch.equal(one["offset"], other["offset"]):
        return False
    return one.keys() == other.keys() and all(
        torch.allclose(one[name].double(), other[name].double(), rtol=1e-4, atol=1e-5) for name in one
    )


def cells_of_images(batch):
    counts = batch["offset"].diff(prepend=batch["offset"].new_zeros(1))
    return batch["grid_coordinates"].split(counts.tolist())


def in_mev(processor, batch):
    return processor.energy_scale.inverse(batch["energy"][:, 0].double())


IMAGES = [
    (boxes(), single_rows()),
    (boxes(size=(60, 60, 60)), single_rows()),
    (boxes(context="shape", size=(60, 60, 60)), single_rows()),
    (shrunk(), shared_rows()[:2]),
    (shrunk(context="shape"), shared_rows()[:2]),
    (shrunk(context="none"), single_rows()),
]


@pytest.mark.parametrize(("processor", "rows"), IMAGES)
def test_a_mirrored_image_is_the_image_of_the_mirrored_event(processor, rows):
    _, mirrored = augmented(rows, processor, mirror=1.0, mirror_axes=["x"])
    assert is_same(mirrored, dict(processor(turned(rows, MIRRORED))))


@pytest.mark.parametrize(("processor", "rows"), IMAGES)
def test_a_turned_image_is_the_image_of_the_turned_event(processor, rows):
    rows = rows[:1] if processor.context == "event" else single_rows()[:1]
    possible, seen = [dict(processor(turned(rows, matrix))) for matrix in QUARTER_TURNS], set()
    for seed in range(14):
        together = {"rotate": 1.0, "rotation_axes": ["z"], "quarter_turns": True}
        _, found = augmented(rows, processor, seed, **together)
        fits = [i for i, one in enumerate(possible) if is_same(found, one)]
        assert fits
        seen.update(fits)
    assert seen == {0, 1, 2, 3}


def test_a_box_that_cut_its_particle_goes_along_with_it():
    """A track of 50 voxels along x in a box of 24: nothing is known of what is beyond its faces."""
    rows, processor = shared_rows()[2:], boxes()
    batch, found = augmented(rows, processor, mirror=1.0, mirror_axes=["x"])
    assert batch["offset"] == 24
    mirrored = batch["grid_coordinates"] * torch.tensor([-1, 1, 1]) + torch.tensor([23, 0, 0])
    assert torch.equal(found["grid_coordinates"], mirrored)
    low, high = batch["context"][0, 25:28], batch["context"][0, 28:]
    torch.testing.assert_close(found["context"][0, 25:28], torch.stack([high[0], low[1], low[2]]))
    _, same = augmented(rows, processor, gain=1e-9)
    assert is_same(same, batch)


def test_turns_about_all_axes_are_those_of_the_cube():
    """All 48 signed permutations of the axes may come, and nothing else."""
    rows, processor = single_rows()[:1], boxes()
    signs = [np.diag(one) for one in itertools.product((1, -1), repeat=3)]
    cube = [
        np.eye(3, dtype=int)[list(order)] @ one for order in itertools.permutations(range(3)) for one in signs
    ]
    possible, seen = [dict(processor(turned(rows, matrix))) for matrix in cube], set()
    for seed in range(40):
        _, found = augmented(rows, processor, seed, rotate=1.0, quarter_turns=True, mirror=0.5)
        fits = [i for i, one in enumerate(possible) if is_same(found, one)]
        assert len(fits) == 1
        seen.update(fits)
    assert len(seen) > 20


def test_a_shift_moves_the_box_in_the_detector_and_what_leaves_is_lost():
    rows, processor = single_rows(), boxes()
    for seed in range(5):
        batch, found = augmented(rows[:1], processor, seed, shift_mm=60.0)
        moved = ((found["context"] - batch["context"])[0, 25:28] * SIDE).round().int().tolist()
        assert any(moved) and max(map(abs, moved)) <= 6
        assert is_same(found, dict(processor(turned(rows[:1], np.eye(3, dtype=int), moved))))
        assert torch.equal(found["grid_coordinates"], batch["grid_coordinates"])
    possible = [
        dict(processor(turned(rows[1:2], np.eye(3, dtype=int), shift)))
        for shift in itertools.product(range(-3, 4), repeat=3)
    ]
    counts = set()
    for seed in range(5):
        _, found = augmented(rows[1:2], processor, seed, shift_mm=30.0)
        assert any(is_same(found, one) for one in possible)
        counts.add(int(found["offset"][0]))
    assert min(counts) < 15


@pytest.mark.parametrize("processor", [boxes(), boxes(context="shape"), shrunk(), shrunk(context="shape")])
def test_a_gain_is_that_of_the_event_and_of_its_context(processor):
    rows = single_rows()[:2] + shared_rows()
    batch, found = augmented(rows, processor, gain=0.3)
    ratio = in_mev(processor, found) / in_mev(processor, batch)
    event = events_of(batch["offset"])
    if processor.context == "event":
        event = events_of(batch["event_offset"])[event]
    factor = [float(ratio[event == i].mean()) if (event == i).any() else 1.0 for i in range(len(rows))]
    assert len({round(one, 4) for one in factor}) > 2
    if processor.of == "event" or processor.context == "event":
        brighter = [row | {"energy": row["energy"] * f} for row, f in zip(rows, factor, strict=True)]
        assert is_same(found, dict(processor(brighter)))
    counts = SHAPE_FEATURES.index(6) if processor.context == "shape" else 6
    torch.testing.assert_close(found["context"][:, counts], batch["context"][:, counts], rtol=1e-6, atol=1e-6)


def test_lost_voxels_are_missing_in_the_context():
    rows, processor = single_rows()[:1], boxes(size=(60, 60, 60))
    batch, found = augmented(rows, processor, drop_hits=0.9)
    assert 0 < found["offset"][0] < batch["offset"][0]
    kept = (batch["grid_coordinates"][:, None] == found["grid_coordinates"]).all(2).any(1).numpy()
    assert is_same(found, dict(processor([{name: values[kept] for name, values in rows[0].items()}])))


def test_charge_is_attenuated_by_the_drift_in_the_detector():
    rows, processor = single_rows()[:1], boxes()
    batch, found = augmented(rows, processor, attenuation_mm=300.0, drift_axis="x")
    slope = -(in_mev(processor, found) / in_mev(processor, batch)).log()
    drift = (torch.from_numpy(rows[0]["x"]).double() + 0.5) * 10
    torch.testing.assert_close(slope / drift, (slope / drift)[:1].expand(len(drift)), rtol=1e-2, atol=1e-6)
    assert slope.min() > 0


def test_a_box_may_stand_elsewhere_and_its_context_says_so():
    rows, processor = single_rows(), boxes()
    first = {"before": [], "after": []}
    for seed in range(12):
        batch, found = augmented(rows, processor, seed, shift_cells=4)
        image = events_of(batch["offset"])
        places = {}
        for name, one in (("before", batch), ("after", found)):
            origin = (one["context"][:, 25:28] * SIDE).round().long()
            places[name] = one["grid_coordinates"] + origin[image]
            first[name].append(origin)
            assert ((origin >= 0) & (origin <= SIDE - 24)).all()
        assert torch.equal(places["before"], places["after"])
        assert ((found["grid_coordinates"] >= 0) & (found["grid_coordinates"] < 24)).all()
        cells, energy = found["grid_coordinates"].numpy(), in_mev(processor, found).numpy()
        edge = ((cells == 0) | (cells == 23)).any(axis=1)
        number = np.maximum(np.bincount(image, minlength=4), 1)
        share = np.bincount(image, weights=edge, minlength=4) / number
        expected = cluster_features(image.numpy(), cells, energy, share, (24,) * 3, "charge")
        np.testing.assert_allclose(found["context"][:, :25], expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(
            found["context"][:, 25:28] + found["context"][:, 28:], torch.full((4, 3), 0.6)
        )
        torch.testing.assert_close(found["energy"], batch["energy"])
    moved = (torch.stack(first["after"]) - torch.stack(first["before"]))[:, 0]
    assert moved.abs().max() <= 4 and len(moved.unique(dim=0)) > 5


def test_a_shifted_image_keeps_a_context_that_is_of_the_detector():
    batch, found = augmented(shared_rows(), shrunk(), shift_cells=3)
    torch.testing.assert_close(found["context"], batch["context"], rtol=1e-5, atol=1e-5)
    moved = found["grid_coordinates"] - batch["grid_coordinates"]
    assert moved.abs().max() <= 3 and moved.any()
    for image in range(3):
        assert len(moved[events_of(batch["offset"]) == image].unique(dim=0)) == 1
    assert not moved[
        events_of(batch["offset"]) == 2, 0
    ].any()  # the one that was shrunk fills its image along x


def test_a_particle_that_was_shrunk_is_turned_with_its_context():
    rows, processor = shared_rows()[2:], shrunk()
    batch, found = augmented(rows, processor, mirror=1.0, mirror_axes=["x"])
    expected = dict(processor(turned(rows, MIRRORED)))
    torch.testing.assert_close(found["context"], expected["context"], rtol=1e-5, atol=1e-5)
    assert found["context"][0, 11] == batch["context"][0, 11] < 1
    torch.testing.assert_close(in_mev(processor, found).sum(), in_mev(processor, expected).sum())
    one, other = (batch["grid_coordinates"].double() for batch in (found, expected))
    assert torch.cdist(one, other).amin(dim=1).max() <= np.sqrt(3)  # voxels between two cells go to either


def test_particles_of_an_event_turn_together_where_they_are_seen_together():
    rows, settings = shared_rows()[:1] * 30, {"mirror": 0.5, "mirror_axes": ["x"]}
    for processor, together in ((shrunk(), True), (shrunk(context="shape"), False)):
        batch, found = augmented(rows, processor, **settings)
        images = zip(*map(cells_of_images, (batch, found)), strict=True)
        mirrored = [before[0, 0] - before[-1, 0] != after[0, 0] - after[-1, 0] for before, after in images]
        assert (mirrored[::2] == mirrored[1::2]) == together
        assert 10 < sum(mirrored) < 50


@pytest.mark.parametrize("processor", [boxes(), shrunk(), boxes(context="none"), shrunk(context="none")])
def test_everything_together_is_finite_repeatable_and_leaves_its_input(processor):
    settings = {"rotate": 0.8, "rotation_axes": ["z"], "quarter_turns": True, "mirror": 0.5, "gain": 0.1}
    if processor.context == "boundary":
        settings |= {"crop": 0.5, "shift_mm": 30.0, "diffusion_mm": 8.0, "attenuation_mm": 900.0, "dead": 0.5}
        settings |= {"dead_mm": 30.0, "jitter_mm": 5.0, "quarter_turns": False, "centre": True}
    if processor.framing == "scale" or processor.context == "boundary":
        settings["shift_cells"] = 3
    rows = [*single_rows(), *shared_rows(), make_row(np.random.default_rng(0))]
    before = dict(processor(rows))
    batch, one = augmented(rows, processor, **settings)
    _, again = augmented(rows, processor, **settings)
    _, other = augmented(rows, processor, seed=1, **settings)
    assert all(torch.equal(batch[name], value) for name, value in before.items())
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert one["grid_coordinates"].tolist() != other["grid_coordinates"].tolist()
    assert one.keys() == batch.keys() and all(one[name].dtype == batch[name].dtype for name in one)
    assert all(torch.isfinite(value).all() for value in one.values())
    assert len(one["grid_coordinates"]) == len(one["energy"]) == int(one["offset"][-1])
    assert ((one["grid_coordinates"] >= 0) & (one["grid_coordinates"] < torch.tensor(processor.size))).all()
    _, empty = augmented([make_row(np.random.default_rng(0))], processor, **settings)
    assert not len(empty["grid_coordinates"]) and not empty["offset"].any()


@pytest.mark.parametrize(
    ("processor", "settings", "said"),
    [
        (shrunk(), {"shift_mm": 10.0}, "do not keep each voxel, got shift_mm"),
        (shrunk(), {"mirror": 0.5, "drop_hits": 0.1, "energy_jitter": 0.1}, "got energy_jitter, drop_hits"),
        (shrunk(), {"rotate": 0.5, "rotation_axes": ["z"]}, "quarter_turns: expected true"),
        (shrunk(), {"rotate": 0.5, "quarter_turns": True}, r"rotation_axes.* got x, .*24\) and .*30\)"),
        (shrunk(framing="crop"), {"mirror": 0.5}, "outside of the boxes, got mirror"),
        (boxes(), {"scaled_energy_jitter": 0.05}, "follow the voxels, got scaled_energy_jitter"),
        (boxes(), {"mirror": 0.5, "grid": "keep"}, "follow the voxels, got grid"),
        (boxes(context="none"), {"shift_mm": 9.0}, "where in the detector they are, got shift_mm"),
        (boxes(context="shape"), {"shift_cells": 2}, "where in the detector they are, got shift_cells"),
    ],
)
def test_what_does_not_apply_is_refused(processor, settings, said):
    with pytest.raises(RecipeError, match=said):
        PointCloudAugmentation(**settings).bound_to(processor)


def test_a_recipe_sets_it():
    types = types_of(PointCloudAugmentation)
    given = {"rotate": 1.0, "quarter_turns": True, "mirror": 0.5, "shift_cells": 6}
    made = PointCloudAugmentation(**checked_fields("augmentation", given, types))
    assert made.asked == ["rotate", "quarter_turns", "mirror", "shift_cells"]
    with pytest.raises(RecipeError, match="shift_cells"):
        checked_fields("augmentation", {"shift_cells": 0}, types)
