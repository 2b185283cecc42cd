"""Detector events are transformed as a detector allows: against shifted events, closed forms, counts."""

import dataclasses

import numpy as np
import pytest
import torch

from nuzoo.files.events.detector_event_columns import VOXEL_TRUTH
from nuzoo.processors.detector_events.feature_extraction_nu_detector_event import (
    NuDetectorEventFeatureExtractor,
)
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.training.augmentation.bound import bound
from nuzoo.training.augmentation.detector_events import DetectorEventAugmentation
from nuzoo.training.fields import RecipeError, checked_fields, types_of

SHAPE, TILES = (24, 24, 40), (12, 12, 10)
TARGETS = ("primary_vertex", "vis_momentum", "flavour")
PUBLISHED = dataclasses.asdict(DetectorEventAugmentation.published())


def make_row(rng, hits, tiles, tracks, low=0, high=24):
    flat = rng.choice((high - low) ** 2 * 40, hits, replace=False)
    x, y, z = np.unravel_index(flat, (high - low, high - low, 40))
    tile = np.unravel_index(rng.choice(12 * 12 * 10, tiles, replace=False), TILES)
    status = rng.integers(1, 3, hits)
    return {
        "cal_x": x + low,
        "cal_y": y + low,
        "cal_z": z,
        "cal_energy": rng.exponential(3.0, hits).astype(np.float32),
        "cal_status": status,
        "cal_link_count": np.zeros(hits, int),
        **{name: np.zeros(0, int) for name in ("link_true", "true_pdg")},
        **{name: np.zeros(0, int) for name in ("true_is_primary", "true_is_secondary")},
        "link_weight": np.zeros(0, np.float32),
        "ecal_energy": (500 + rng.exponential(500.0, 25)).astype(np.float32),
        **{f"ahcal_{axis}": number for axis, number in zip("xyz", tile, strict=True)},
        "ahcal_energy": (0.5 + rng.exponential(1.0, tiles)).astype(np.float32),
        "muon_count": tracks,
        "muon_charge": rng.choice([-1.0, 1.0], tracks).astype(np.float32),
        "muon_px": rng.normal(0, 3, tracks).astype(np.float32),
        "muon_py": rng.normal(0, 3, tracks).astype(np.float32),
        "muon_pz": rng.normal(300, 50, tracks).astype(np.float32),
        "muon_chi2": rng.chisquare(8, tracks).astype(np.float32),
        "primary_vertex": rng.normal(100, 30, 3).astype(np.float32),
        "vis_momentum": rng.normal(0, 1, 3).astype(np.float32),
        "flavour": int(rng.integers(0, 6)),
    }  # fmt: skip


def make_rows(sizes=((80, 30, 3), (0, 0, 0), (1, 1, 1), (200, 60, 6)), seed=0, **options):
    rng = np.random.default_rng(seed)
    return [make_row(rng, *size, **options) for size in sizes]


def make_processor(**settings):
    shapes = {"cal_shape": SHAPE, "layers_per_module": 20, "ahcal_shape": TILES}
    return NuDetectorEventFeatureExtractor(**shapes, **settings).fit(make_rows())


def augmented(rows, seed=0, processor=None, **settings):
    """The batch of the rows before and after."""
    processor = processor or make_processor()
    batch = dict(processor(rows, targets=(*TARGETS, *VOXEL_TRUTH)))
    torch.manual_seed(seed)
    change = DetectorEventAugmentation(**settings).bound_to(processor, TARGETS)
    return batch, change(batch)


def in_units(batch, name):
    return make_processor().scales[name].inverse(batch[name].double())


def same_but(batch, found, *changed):
    assert batch.keys() == found.keys()
    for name, value in batch.items():
        if name not in changed:
            assert torch.equal(value, found[name]), name


def rows_of(batch, part):
    counts = batch[f"{part}_offset"].diff(prepend=torch.zeros(1, dtype=torch.long))
    return counts.tolist()


def test_nothing_asked_changes_nothing():
    batch, same = augmented(make_rows())
    assert all(same[name] is value for name, value in batch.items())


def test_a_shift_is_that_of_the_event_with_its_vertex():
    """The batch is that of rows whose hits stand a cube further, and whose vertex does so by 10 mm."""
    rows, processor = make_rows(((60, 9, 1),) * 4, low=4, high=20), make_processor()
    batch, found = augmented(rows, shift=1.0, processor=processor)
    moved = (found["vertex_labels"] - batch["vertex_labels"]) * torch.tensor([135.14, 125.34, 652.16]) / 10
    steps = moved.round()
    torch.testing.assert_close(moved, steps, atol=1e-3, rtol=0)
    assert set(steps[:, :2].flatten().tolist()) == {-1.0, 1.0} and not steps[:, 2].any()
    shifted = [
        row
        | {"cal_x": row["cal_x"] + int(x), "cal_y": row["cal_y"] + int(y)}
        | {"primary_vertex": row["primary_vertex"] + 10 * np.float32([x, y, 0])}
        for row, (x, y, _) in zip(rows, steps.tolist(), strict=True)
    ]
    expected = processor(shifted, targets=(*TARGETS, *VOXEL_TRUTH))
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-5)


def test_shifts_are_independent_and_as_frequent_as_asked():
    batch, found = augmented(make_rows(((6, 1, 0),) * 3000, low=8, high=16), shift=0.5)
    moved = ((found["vertex_labels"] - batch["vertex_labels"]).abs() > 1e-3).double()
    assert moved[:, :2].mean(0).tolist() == pytest.approx([0.5, 0.5], abs=0.03)
    assert float((moved[:, 0] * moved[:, 1]).mean()) == pytest.approx(0.25, abs=0.03)
    same_but(batch, found, "cal_coordinates", "vertex_labels")


def test_hits_that_leave_are_lost_with_their_truth_unless_too_few_stay():
    batch, found = augmented(make_rows(((4000, 1, 0),) * 4), shift=1.0)
    for left in rows_of(found, "cal"):
        assert left / 4000 == pytest.approx((23 / 24) ** 2, abs=0.01)
    cells = found["cal_coordinates"]
    assert cells.min() >= 0 and cells[:, :2].max() <= 23
    hits = len(cells)
    assert {len(found[name]) for name in ("cal_energy", "cal_ghost", "cal_hierarchy", "cal_category")} == {
        hits
    }
    few = [make_rows(((4, 1, 0),))[0] for _ in range(8)]
    batch, found = augmented(few, shift=1.0)
    same_but(batch, found)


@pytest.mark.parametrize(
    ("settings", "name", "width"),
    [
        ({"cell_gain": 0.1}, "ecal_energy", 0.1),
        ({"cell_gain": 0.1}, "ahcal_energy", 0.1),
        ({"ahcal_jitter": 0.12}, "ahcal_energy", 0.12),
        ({"cal_jitter": 0.12}, "cal_energy", 0.12),
    ],
)
def test_factors_of_cells_have_mean_one_and_their_width(settings, name, width):
    batch, found = augmented(make_rows(((600, 600, 0),) * 25), **settings)
    ratio = (in_units(found, name) / in_units(batch, name)).flatten()
    assert len(ratio) >= 625
    assert float(ratio.mean()) == pytest.approx(1, abs=4 * width / np.sqrt(len(ratio)))
    assert float(ratio.log().std()) == pytest.approx(width, rel=0.12)
    changed = {"cell_gain": ("ecal_energy", "ahcal_energy")}.get(next(iter(settings)), (name,))
    same_but(batch, found, *changed)


def test_gain_is_one_factor_on_all_energies_of_an_event_and_not_on_momenta():
    batch, found = augmented(make_rows(((3, 2, 1),) * 2000), gain=0.1)
    ratios = {
        name: (in_units(found, name) / in_units(batch, name)).reshape(2000, -1)
        for name in ("cal_energy", "ecal_energy", "ahcal_energy")
    }
    one = ratios["ecal_energy"][:, :1]
    for ratio in ratios.values():
        torch.testing.assert_close(ratio, one.expand_as(ratio), rtol=2e-3, atol=1e-3)
    assert float(one.mean()) == pytest.approx(1, abs=0.01)
    assert float(one.log().std()) == pytest.approx(0.1, rel=0.06)
    same_but(batch, found, *ratios)


@pytest.mark.parametrize(
    ("name", "part", "constant", "stochastic"),
    [
        ("ecal_energy", "ecal", 3.0, 1.5),
        ("ahcal_energy", "ahcal", 0.03, 0.1),
        ("cal_energy", "cal", 0.06, 0.1),
    ],
)
def test_noise_grows_with_the_root_of_the_energy(name, part, constant, stochastic):
    rows = make_rows(((500, 500, 0),) * 20)
    for row in rows:
        row["cal_energy"] = row["cal_energy"] + np.float32(1)
    settings = {f"{part}_noise_mev": constant, f"{part}_stochastic": stochastic}
    batch, found = augmented(rows, **settings)
    before, after = in_units(batch, name), in_units(found, name)
    pull = (after - before) / torch.sqrt(constant**2 + stochastic**2 * before)
    assert float(pull.mean()) == pytest.approx(0, abs=4 / np.sqrt(pull.numel()))
    assert float(pull.std()) == pytest.approx(1, abs=4 / np.sqrt(2 * pull.numel()))
    same_but(batch, found, name)


def test_noise_makes_no_negative_energy():
    _, found = augmented(make_rows(((500, 100, 0),)), cal_noise_mev=50.0)
    energy = in_units(found, "cal_energy")
    assert float(energy.min()) >= -1e-6
    assert 0.3 < float((energy.abs() < 1e-5).double().mean()) < 0.7


def test_dead_towers_see_nothing_and_are_as_many_as_asked():
    batch, found = augmented(make_rows(((1, 1, 0),) * 2000), ecal_dead=0.4)
    dead = in_units(found, "ecal_energy") < 1
    assert float(dead.double().mean()) == pytest.approx(0.2, abs=0.01)
    shares = dead.double().mean(1)
    assert float(shares.max()) > 0.4 and float(shares.min()) == 0
    alive = ~dead
    torch.testing.assert_close(found["ecal_energy"][alive], batch["ecal_energy"][alive], rtol=1e-4, atol=1e-4)
    same_but(batch, found, "ecal_energy")


def tracks_in_units(batch):
    scales = make_processor().scales
    columns = batch["muon_tracks"].double().unbind(1)
    names = ("muon_px", "muon_py", "muon_pz", "muon_chi2")
    return columns[0], *(
        scales[name].inverse(column) for name, column in zip(names, columns[1:], strict=True)
    )


def test_momenta_of_tracks_keep_their_direction_and_charge():
    batch, found = augmented(make_rows(((1, 1, 8),) * 300), momentum_jitter=0.02, chi2_jitter=0.1)
    charge, *momentum, chi2 = tracks_in_units(batch)
    other_charge, *other_momentum, other_chi2 = tracks_in_units(found)
    one, other = torch.stack(momentum, 1), torch.stack(other_momentum, 1)
    directions = (each / each.norm(dim=1, keepdim=True) for each in (one, other))
    torch.testing.assert_close(*directions, atol=1e-5, rtol=1e-4)
    ratio = other.norm(dim=1) / one.norm(dim=1)
    assert float(ratio.log().std()) == pytest.approx(0.02, rel=0.06)
    assert float((other_chi2 / chi2).log().std()) == pytest.approx(0.1, rel=0.06)
    assert float(ratio.mean()) == pytest.approx(1, abs=0.002)
    assert torch.equal(charge, other_charge)
    same_but(batch, found, "muon_tracks")


def test_tracks_are_permuted_inside_of_their_event():
    batch, found = augmented(make_rows(((1, 1, 5), (1, 1, 0), (1, 1, 4))), permute_tracks=True)
    same_but(batch, found, "muon_tracks")
    assert not torch.equal(batch["muon_tracks"], found["muon_tracks"])
    for span in (slice(0, 5), slice(5, 9)):
        one, other = ({tuple(row) for row in each["muon_tracks"][span].tolist()} for each in (batch, found))
        assert one == other


def test_lost_tracks_are_not_counted():
    batch, found = augmented(make_rows(((1, 1, 5),) * 1000), drop_tracks=0.1)
    assert float(found["muon_count"].mean()) == pytest.approx(4.5, abs=0.1)
    assert found["muon_count"][:, 0].tolist() == rows_of(found, "muon")
    kept = {tuple(row) for row in found["muon_tracks"].tolist()}
    assert kept < {tuple(row) for row in batch["muon_tracks"].tolist()}
    same_but(batch, found, "muon_tracks", "muon_offset", "muon_count")


def test_lost_hits_are_a_share_of_each_event_unless_too_few_stay():
    batch, found = augmented(make_rows(((400, 100, 0),) * 100), drop_hits=0.4)
    for part, hits in (("cal", 400), ("ahcal", 100)):
        kept = np.array(rows_of(found, part)) / hits
        assert 0.75 < kept.mean() < 0.85 and kept.min() > 0.45
    whole = {*map(tuple, torch.cat([batch["cal_coordinates"], batch["cal_energy"]], 1).tolist())}
    rest = {*map(tuple, torch.cat([found["cal_coordinates"], found["cal_energy"]], 1).tolist())}
    assert rest < whole
    batch, found = augmented(make_rows(((4, 3, 0),) * 20), drop_hits=1.0)
    same_but(batch, found)
    _, found = augmented(make_rows(((6, 6, 0),) * 400), drop_hits=0.9)
    assert set(rows_of(found, "cal")) == set(rows_of(found, "ahcal")) == {5, 6}


@pytest.mark.parametrize("settings", [{}, {"muon_transforms": ("asinh", "asinh", "log1p")}])
def test_the_published_set_is_finite_repeatable_and_leaves_its_input(settings):
    rows, processor = make_rows(), make_processor(**settings)
    before = dict(processor(rows, targets=(*TARGETS, *VOXEL_TRUTH)))
    batch, one = augmented(rows, processor=processor, **PUBLISHED)
    _, again = augmented(rows, processor=processor, **PUBLISHED)
    _, other = augmented(rows, processor=processor, seed=1, **PUBLISHED)
    assert all(torch.equal(batch[name], value) for name, value in before.items())
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["ecal_energy"], other["ecal_energy"])
    assert one.keys() == batch.keys()
    for name, value in one.items():
        assert torch.isfinite(value).all() and value.dtype == batch[name].dtype, name
    for name in ("vis_momentum_labels", "labels"):
        assert torch.equal(one[name], batch[name])


def test_a_batch_of_empty_events_stays_one():
    empty = make_rows(((0, 0, 0), (0, 0, 0)))
    _, found = augmented(empty, **PUBLISHED)
    for part in ("cal", "ahcal", "muon"):
        assert found[f"{part}_offset"].tolist() == [0, 0]
    assert found["cal_coordinates"].shape == (0, 3)


def test_a_recipe_sets_it_by_type_and_it_must_be_bound():
    types = types_of(DetectorEventAugmentation)
    assert DetectorEventAugmentation(**checked_fields("augmentation", PUBLISHED, types)).shift == 0.5
    for wrong, said in (({"shifft": 1}, "did you mean shift"), ({"ecal_dead": 2}, "probability")):
        with pytest.raises(RecipeError, match=said):
            checked_fields("augmentation", wrong, types)
    with pytest.raises(RecipeError, match="bound_to"):
        DetectorEventAugmentation()({})
    clouds = NuPointCloudFeatureExtractor.tiny(None)
    assert bound(DetectorEventAugmentation(), clouds, ()) is dict
    with pytest.raises(RecipeError, match="NuPointCloudFeatureExtractor"):
        bound(DetectorEventAugmentation.published(), clouds, ())


def test_all_is_off_by_default_but_the_edge_of_a_cube():
    off = dataclasses.asdict(DetectorEventAugmentation())
    assert {name for name, value in off.items() if value} == {"cube_mm"}
    assert {name for name, value in PUBLISHED.items() if not value} == set()
