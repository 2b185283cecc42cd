"""Hits become points: against a genuine event, hand-made ones, and what must be refused."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import datasets
import numpy as np
import pyarrow as pa
import pytest
import torch

from nuzoo.files.events import event_errors
from nuzoo.files.events.point_cloud_events import MOTIFS
from nuzoo.hub.model.flat_export import export_code
from nuzoo.processors import input_errors as errors
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.processors.standardisation import MADN_PER_MAD
from nuzoo.simulation.detectors import DETECTORS
from nuzoo.training.fields import checked_fields, types_of

DATA = Path(os.environ.get("NUZOO_DATA", Path(__file__).parents[3] / "shared" / "data"))
GENUINE = DATA / "pilarnet" / "pilarnet_m_mini_test_event0.npz"
CUBE = DETECTORS["lartpc-cube-768"].geometry()


def make_processor(**settings):
    return NuPointCloudFeatureExtractor.for_geometry(CUBE, **settings)


def make_row(voxels, energy, **more):
    columns = np.array(voxels, dtype=np.int16).reshape(-1, 3).T
    row = {"detector": CUBE["detector"], "positions": "voxel", **dict(zip("xyz", columns, strict=True))}
    return row | {"energy": np.array(energy, dtype=np.float32)} | more


def make_rows(sizes=(7, 0, 40, 1), seed=0, span=12):
    """Events in which some hits share a voxel."""
    rng = np.random.default_rng(seed)
    return [
        make_row(
            400 + rng.integers(0, span if size != 40 else 3, (size, 3)),
            rng.exponential(0.6, size),
            motif=rng.integers(0, len(MOTIFS), size),
            pid=rng.integers(0, 6, size),
        )
        for size in sizes
    ]


@pytest.fixture
def genuine():
    if not GENUINE.exists():
        pytest.skip(f"{GENUINE.name} is not in {DATA}; set NUZOO_DATA")
    event = np.load(GENUINE)
    return event, make_row(event["voxel"], event["energy"], motif=event["motif"], pid=event["pid"])


@pytest.mark.parametrize("grid", ["voxel", 0.001])
def test_a_genuine_event_becomes_what_panda_makes_of_it(genuine, grid):
    event, row = genuine
    batch = make_processor(grid=grid, energy_threshold_mev=0.13)(row, targets=("motif",))
    assert batch["offset"].tolist() == [1175]
    np.testing.assert_allclose(batch["coordinates"], event["coord_norm"], atol=1e-7)
    np.testing.assert_allclose(batch["energy"][:, 0], event["energy_norm"], atol=1e-6)
    assert batch["labels"].bincount().tolist() == [39, 964, 18, 120, 34]
    pids = make_processor(grid=grid)(row, targets=("pid",))["labels"]
    assert pids.bincount(minlength=6).tolist() == [0, 177, 947, 0, 17, 34]


def test_the_grid_of_voxels_and_that_of_panda_are_as_the_spec_says(genuine):
    event, row = genuine
    voxel = make_processor()(row)["grid_coordinates"].numpy()
    np.testing.assert_array_equal(voxel, event["voxel"])
    fine = make_processor(grid=0.001)(row)["grid_coordinates"].numpy()
    raw = np.floor(((event["voxel"] - 384) / 665.1075).astype(np.float32) / 0.001).astype(int)
    np.testing.assert_array_equal(fine, raw - raw.min(axis=0))
    steps = np.arange(384, 392)
    row = make_row(np.stack([steps, steps * 0 + 384, steps * 0 + 384], axis=1), np.ones(8))
    quirk = make_processor(grid=0.001)(row)["grid_coordinates"][:, 0]
    assert quirk.tolist() == [0, 1, 3, 4, 6, 7, 9, 10]


def test_the_scale_of_energies_has_its_published_ends():
    batch = make_processor()(make_row([(0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0)], [0.0, 20.0, 0.13, 80.0]))
    assert batch["energy"][:3, 0].tolist() == pytest.approx([-1, 1, -0.306], abs=5e-4)
    assert batch["energy"][3] > 1


def test_corners_of_the_detector_lie_on_the_unit_ball():
    corners = make_processor().frame.placed(np.array([[0, 0, 0], [768, 768, 0], [384, 384, 384]]))
    np.testing.assert_allclose(np.linalg.norm(corners, axis=1), [1, 1, 0], atol=1e-12)
    assert make_processor().frame.mm_per_unit == pytest.approx(3 * 665.1075, rel=1e-6)


def test_hits_in_mm_land_where_their_voxels_do():
    box = {"positions": "mm", "shape": [20, 10, 5], "pitch_mm": [3.0, 4.0, 5.0], "origin_mm": [-30, 0, 100]}
    in_mm = NuPointCloudFeatureExtractor(**box)
    voxels = np.array([[0, 0, 0], [19, 9, 4], [7, 3, 2]])
    middle = (voxels + 0.5) * box["pitch_mm"] + box["origin_mm"]
    row = dict(zip("xyz", middle.T.astype(np.float32), strict=True)) | {"energy": np.ones(3, np.float32)}
    batch = in_mm(row)
    assert batch["grid_coordinates"].tolist() == voxels.tolist()
    centre = np.array([-30, 0, 100]) + np.array([60, 40, 25]) / 2
    half = np.sqrt(60**2 + 40**2 + 25**2) / 2
    np.testing.assert_allclose(batch["coordinates"], (middle - centre) / half, atol=1e-6)
    wall = {"x": [30.0], "y": [40.0], "z": [125.0], "energy": [1.0]}
    assert in_mm(wall)["grid_coordinates"].tolist() == [[19, 9, 4]]


def test_hits_in_one_cell_become_one_by_the_stated_rule():
    """Two of 2 MeV tie: the first gives the truth. The order of points is that of the hits that stay."""
    row = make_row(
        [(5, 5, 5), (9, 9, 9), (5, 5, 5), (5, 5, 5), (9, 9, 9)],
        [1.0, 2.0, 4.0, 0.5, 2.0],
        motif=[0, 1, 2, 3, 4],
    )
    batch = make_processor()([row, row], targets=("motif",), return_inverse=True)
    assert batch["grid_coordinates"].tolist() == [[9, 9, 9], [5, 5, 5]] * 2
    assert batch["labels"].tolist() == [1, 2, 1, 2]
    assert batch["inverse"].tolist() == [1, 0, 1, 1, 0, 3, 2, 3, 3, 2]
    assert (batch["offset"].tolist(), batch["inverse_offset"].tolist()) == ([2, 4], [5, 10])
    in_mev = make_processor().energy_scale.inverse(batch["energy"][:, 0].double())
    assert in_mev.tolist() == pytest.approx([4.0, 5.5, 4.0, 5.5], rel=1e-5)


def test_merging_keeps_the_energy_and_every_inverse_names_the_cell_of_its_hit():
    rows = make_rows()
    batch = make_processor()(rows, return_inverse=True)
    points = batch["grid_coordinates"].numpy()
    hits = np.concatenate([np.stack([row[axis] for axis in "xyz"], axis=1) for row in rows])
    assert len(points) < len(hits)
    np.testing.assert_array_equal(points[batch["inverse"]], hits)
    ends = [0, *batch["offset"].tolist()]
    in_mev = make_processor().energy_scale.inverse(batch["energy"][:, 0].double())
    for number, row in enumerate(rows):
        span = slice(ends[number], ends[number + 1])
        assert len(np.unique(points[span], axis=0)) == span.stop - span.start
        assert float(in_mev[span].sum()) == pytest.approx(float(row["energy"].sum()), rel=1e-5)


def test_the_order_of_hits_is_the_order_of_points_and_nothing_else():
    row = make_rows((60,), span=5)[0]
    order = np.random.default_rng(1).permutation(60)
    shuffled = {name: value[order] if isinstance(value, np.ndarray) else value for name, value in row.items()}
    one, other = (make_processor()(each, targets=("motif",), return_inverse=True) for each in (row, shuffled))
    for name in ("coordinates", "energy", "grid_coordinates", "labels"):
        assert torch.equal(one[name][one["inverse"]][order], other[name][other["inverse"]])


def test_company_changes_no_event_and_the_processor_repeats_itself():
    rows = make_rows()
    for grid in ("voxel", 0.001):
        processor = make_processor(grid=grid)
        together = processor(rows)
        assert all(torch.equal(value, together[name]) for name, value in processor(rows).items())
        for number, row in enumerate(rows):
            alone, ends = processor(row), [0, *together["offset"].tolist()]
            for name in ("coordinates", "energy", "grid_coordinates"):
                assert torch.equal(alone[name], together[name][ends[number] : ends[number + 1]])


def test_a_far_hit_changes_no_other_point():
    row, far = (
        make_row([(5, 6, 7), (8, 6, 7)], [1.0, 1.0]),
        make_row([(5, 6, 7), (8, 6, 7), (0, 767, 1)], [1.0] * 3),
    )
    one, other = make_processor()(row), make_processor()(far)
    assert all(torch.equal(one[name], other[name][:2]) for name in one if name != "offset")


def test_hits_below_the_threshold_are_left_out_and_have_no_label():
    row = make_row([(1, 1, 1), (2, 2, 2), (3, 3, 3)], [0.13, 0.5, 0.1])
    batch = make_processor(energy_threshold_mev=np.float32(0.13).item())([row, row], return_inverse=True)
    assert batch["inverse"].tolist() == [-1, 0, -1, -1, 1, -1]
    outputs = SimpleNamespace(logits=torch.tensor([[0.0, 3.0], [5.0, 1.0]]))
    first, second = make_processor().post_process_semantic_segmentation(outputs, batch)
    assert (first.tolist(), second.tolist()) == ([-1, 1, -1], [-1, 0, -1])


def test_labels_come_back_for_every_hit_as_transformers_gives_them():
    processor, rows = make_processor(), make_rows()
    batch = processor(rows, targets=("motif",), return_inverse=True)
    logits = torch.nn.functional.one_hot(batch["labels"], len(MOTIFS)).float()
    outputs = SimpleNamespace(logits=logits)
    labels = processor.post_process_semantic_segmentation(outputs, batch)
    assert [len(one) for one in labels] == [len(row["x"]) for row in rows]
    assert torch.equal(torch.cat(labels), batch["labels"][batch["inverse"]])
    of_points = processor.post_process_semantic_segmentation(outputs, {"offset": batch["offset"]})
    assert torch.equal(torch.cat(of_points), batch["labels"])
    scored = processor.post_process_semantic_segmentation(outputs, batch, return_segmentation_scores=True)
    assert scored[2].segmentation_scores.shape == (len(MOTIFS), 40)
    assert torch.equal(scored[2].segmentation, labels[2])
    with pytest.raises(event_errors.ShapeError, match="points of the batch"):
        processor.post_process_semantic_segmentation(SimpleNamespace(logits=logits[:-1]), batch)


def test_events_without_hits_are_events():
    empty = make_row([], [], motif=np.empty(0, dtype=np.int64))
    for grid in ("voxel", 0.001):
        batch = make_processor(grid=grid)([empty, empty], targets=("motif",), return_inverse=True)
        assert batch["offset"].tolist() == [0, 0]
        assert batch["coordinates"].shape == (0, 3) and batch["energy"].shape == (0, 1)
        assert batch["grid_coordinates"].dtype == batch["labels"].dtype == torch.int64
    assert (
        make_processor()
        .post_process_semantic_segmentation(SimpleNamespace(logits=torch.zeros(0, 5)), batch)[1]
        .tolist()
        == []
    )
    only_noise = make_processor(energy_threshold_mev=5.0)([make_row([(1, 2, 3)], [1.0]), empty])
    assert only_noise["offset"].tolist() == [0, 0]


def test_every_form_of_the_same_events_gives_the_same_points():
    rows, processor = make_rows(), make_processor()
    lists = [{k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in row.items()} for row in rows]
    columns = {name: [row[name] for row in lists] for name in rows[0]}
    floats = pa.schema([(name, pa.list_(pa.float32())) for name in ("energy",)])
    table = pa.table({**columns, "energy": pa.array(columns["energy"], floats.field(0).type)})
    expected = processor(rows, targets=("motif",))
    for form in (lists, columns, table, datasets.Dataset(table)):
        batch = processor(form, targets=("motif",))
        assert all(torch.equal(batch[name], value) for name, value in expected.items())


def test_robust_energies_are_those_of_the_formula_and_are_saved(tmp_path):
    rows = make_rows((300, 200, 0), span=300)
    processor = make_processor(normalisation="robust", energy_transform="log1p")
    with pytest.raises(errors.MissingStatisticsError, match="fit"):
        processor(rows)
    with pytest.raises(errors.MissingStatisticsError, match="fit"):
        processor.save_pretrained(tmp_path)
    with pytest.raises(errors.MissingStatisticsError, match="fit"):
        NuPointCloudFeatureExtractor.from_dict(processor.to_dict())
    batch = processor.fit(rows)(rows)
    x = np.concatenate([row["energy"] for row in rows]).astype(np.float64)
    k = MADN_PER_MAD * np.median(np.abs(x - np.median(x)))
    u = np.log1p(x / k)
    z = (u - np.median(u)) / (MADN_PER_MAD * np.median(np.abs(u - np.median(u))))
    np.testing.assert_allclose(batch["energy"][:, 0], z, rtol=1e-4, atol=1e-5)
    processor.save_pretrained(tmp_path)
    loaded = NuPointCloudFeatureExtractor.from_pretrained(tmp_path)
    assert loaded.to_dict() == processor.to_dict()
    assert torch.equal(loaded(rows)["energy"], batch["energy"])
    with pytest.raises(errors.MissingStatisticsError, match="energies of points"):
        make_processor(normalisation="robust").fit([make_row([], [])])


def test_settings_are_saved_and_come_back(tmp_path):
    processor = make_processor(grid=0.001, energy_threshold_mev=0.13)
    processor.save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "preprocessor_config.json").read_text())
    assert saved["feature_extractor_type"] == "NuPointCloudFeatureExtractor"
    assert (saved["grid"], saved["shape"], saved["detector"]) == (0.001, [768] * 3, "lartpc-cube-768")
    loaded = NuPointCloudFeatureExtractor.from_pretrained(tmp_path)
    assert loaded.to_dict() == processor.to_dict()
    for one, other in zip(processor(make_rows()).values(), loaded(make_rows()).values(), strict=True):
        assert torch.equal(one, other)


def test_targets_of_particles_and_interactions_have_their_own_ends():
    processor = make_processor()
    row = make_row(
        [(1, 1, 1), (2, 2, 2)],
        [1.0, 1.0],
        particle=[1, 0],
        particle_pid=[2, 4, 0],
        particle_px=[1.0, 0.0, 5.0],
        particle_py=[2.0, 0.0, 6.0],
        particle_pz=[3.0, 0.0, 7.0],
        interaction_x=[384.0],
        interaction_y=[0.0],
        interaction_z=[768.0],
    )
    empty = {name: value if isinstance(value, str) else value[:0] for name, value in row.items()}
    momenta, vertex = ("particle_px", "particle_py", "particle_pz"), tuple(f"interaction_{a}" for a in "xyz")
    batch = processor([empty, row], targets=("particle", "particle_pid", *momenta, *vertex))
    assert batch["particle_labels"].tolist() == [1, 0]
    assert batch["particle_pid_labels"].tolist() == [2, 4, 0]
    assert (batch["particle_offset"].tolist(), batch["interaction_offset"].tolist()) == ([0, 3], [0, 1])
    assert batch["particle_start_momentum"].tolist() == [[1, 2, 3], [0, 0, 0], [5, 6, 7]]
    half = 384 / 665.1075
    assert batch["interaction_vertex"].tolist() == [pytest.approx([0, -half, half], abs=1e-6)]
    for wrong, said in (
        (("motife",), "did you mean motif"),
        (("particle_px",), "all of particle_px"),
        ("motif", "in a list"),
        (("event_id",), "among the columns"),
    ):
        with pytest.raises(errors.ProcessorSettingError, match=said):
            processor(row, targets=wrong)


def test_classes_of_whole_events_are_labels_too():
    geometry = DETECTORS["scintillator-cube-200"].geometry()
    processor = NuPointCloudFeatureExtractor.for_geometry(geometry)
    row = make_row([(100, 100, 100)], [1.0], label=2, detector=geometry["detector"])
    assert processor([row, row | {"label": 0}], targets=("label",))["labels"].tolist() == [2, 0]
    with pytest.raises(event_errors.MissingColumnError, match="label"):
        processor(row | {"label": None}, targets=("label",))


GOOD = make_row([(1, 2, 3), (4, 5, 6)], [1.0, 2.0], motif=[0, 1])


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"energy": np.array([1, 2])}, event_errors.UnitError, "counts"),
        ({"energy": np.array([1.0, -2.0])}, event_errors.RangeError, "entry 1"),
        ({"energy": np.array([1.0, np.nan])}, event_errors.NonFiniteError, "finite"),
        ({"energy": np.array([1.0])}, event_errors.ShapeError, "event 1"),
        ({"x": np.array([1.0, 4.0])}, event_errors.DtypeError, "whole"),
        ({"z": np.array([1, 768])}, event_errors.RangeError, "another detector"),
        ({"y": None}, event_errors.MissingColumnError, "'y' of event 1"),
        ({"motif": [0, 7]}, event_errors.RangeError, "motif"),
        ({"motif": []}, event_errors.ShapeError, "'motif' of event 1"),
        ({"detector": "elsewhere"}, errors.DetectorMismatchError, "elsewhere"),
        ({"positions": "mm"}, event_errors.UnitError, "positions"),
    ],
)
def test_one_bad_event_among_good_ones_is_named(changed, error, said):
    with pytest.raises(error, match=said) as caught:
        make_processor()([GOOD, GOOD | changed, GOOD], targets=("motif",))
    assert caught.value.event in (1, None)


def test_another_detector_can_be_accepted_knowingly():
    assert len(make_processor()(GOOD | {"detector": "elsewhere"}, detector="elsewhere")["energy"]) == 2
    assert len(make_processor(detector=None)(GOOD)["energy"]) == 2


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"grit": 0.001}, "no setting 'grit': did you mean grid"),
        ({"grid": "voxels"}, "grid must be"),
        ({"grid": 1e-6}, "grid must be"),
        ({"normalisation": "pands"}, "normalisation must be"),
        ({"energy_offset_mev": 0.0}, "energy_offset_mev"),
        ({"energy_transform": "log"}, "transform among"),
        ({"energy_statistics": {"k": 1.0}}, "k, mu and sigma"),
        ({"shape": [3, 3]}, "3 numbers"),
        ({"pitch_mm": [1, 1, 0]}, "pitch_mm must be"),
        ({"positions": "cm"}, "positions must be"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, said):
    with pytest.raises(errors.ProcessorSettingError, match=said):
        make_processor(**settings)


def test_unknown_options_of_a_call_are_refused():
    with pytest.raises(errors.ProcessorSettingError, match="did you mean return_inverse"):
        make_processor()(GOOD, return_invers=True)
    assert make_processor().call_options == {"detector", "return_inverse"}


def test_a_recipe_may_set_what_it_should():
    types = types_of(NuPointCloudFeatureExtractor)
    given = {"grid": 0.001, "normalisation": "robust", "energy_threshold_mev": 0.13}
    assert checked_fields("processor", given, types) == given
    assert checked_fields("processor", {"grid": "voxel"}, types) == {"grid": "voxel"}


def test_examples_are_as_the_checks_want_them_and_merge_nowhere():
    processor = NuPointCloudFeatureExtractor.tiny(None)
    events = processor.example_events(6)
    sizes = [len(event["x"]) for event in events]
    assert sizes[:2] == [0, 1] and min(sizes[2:]) > 10
    assert processor(events)["offset"].diff(prepend=torch.zeros(1)).tolist() == sizes
    in_mm = NuPointCloudFeatureExtractor(positions="mm", shape=[64] * 3, origin_mm=[-96] * 3)
    assert in_mm(in_mm.example_events(6))["offset"].tolist() == processor(events)["offset"].tolist()


def test_it_says_what_networks_and_people_need():
    processor = make_processor(grid=0.001)
    assert processor.network_fields() == {"in_channels": 4, "grid_shape": [1155] * 3}
    assert make_processor().network_fields()["grid_shape"] == [768] * 3
    processor.check_agrees(SimpleNamespace(writes_text=False, model_type="toy"))
    with pytest.raises(errors.ProcessorModelMismatchError, match="5 numbers"):
        processor.check_agrees(SimpleNamespace(writes_text=False, model_type="toy", in_channels=5))
    robust = make_processor(normalisation="robust")
    for one in (processor, robust, NuPointCloudFeatureExtractor(positions="mm")):
        assert all(isinstance(value, str) and value for value in one.facts().values())
        constants = one.instructions()["constants"]
        assert constants == json.loads(json.dumps(constants))
    assert "0.001 (1.995 mm)" in processor.facts()["grid"]


def test_the_steps_of_the_instructions_make_the_tensors():
    """Written from them alone, by another way than the processor's."""
    processor, row = make_processor(energy_threshold_mev=0.2), make_rows((40,))[0]
    c = processor.instructions()["constants"]
    position = np.stack([row[axis] for axis in "xyz"], axis=1)
    cells: dict = {}
    for place, energy in zip(position.tolist(), row["energy"].tolist(), strict=True):
        if energy > c["energy_threshold_mev"]:
            cells[tuple(place)] = cells.get(tuple(place), 0) + energy
    batch = processor(row)
    for point, coordinates, scaled in zip(
        batch["grid_coordinates"].tolist(), batch["coordinates"], batch["energy"][:, 0].tolist(), strict=True
    ):
        energy = cells.pop(tuple(point))
        span = np.log(1 + c["energy_max_mev"] / c["energy_offset_mev"])
        assert scaled == pytest.approx(2 * np.log(1 + energy / c["energy_offset_mev"]) / span - 1, rel=1e-5)
        expected = (np.array(point) - np.array(c["shape"]) / 2) * c["pitch_mm"] / c["mm_per_unit"]
        np.testing.assert_allclose(coordinates, expected, atol=1e-6)
    assert not cells


def test_its_code_goes_into_a_repository(tmp_path):
    names = export_code([NuPointCloudFeatureExtractor], tmp_path)
    assert "feature_extraction_nu_point_cloud.py" in names and "standardisation.py" in names
