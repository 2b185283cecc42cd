"""Detector events become tensors: against the formulas, hand-made links, and what must be refused."""

import json
import subprocess
import sys
from types import SimpleNamespace

import datasets
import numpy as np
import pyarrow as pa
import pytest
import torch

from nuzoo.files.events import event_errors
from nuzoo.files.events.detector_event_columns import VOXEL_TRUTH
from nuzoo.hub.model.flat_export import export_code
from nuzoo.processors import input_errors as errors
from nuzoo.processors.detector_events.event_quantities import QUANTITIES, HeldValues
from nuzoo.processors.detector_events.feature_extraction_nu_detector_event import (
    NuDetectorEventFeatureExtractor,
)
from nuzoo.processors.detector_events.momentum_statistics import momentum_statistics
from nuzoo.simulation.detectors import DETECTORS
from nuzoo.training.fields import checked_fields, types_of

FASERCAL = DETECTORS["fasercal"].geometry()
TARGETS = ("flavour", "charm", "vis_momentum", "jet_momentum", "lepton_momentum", "primary_vertex")


def madn(values):
    return 1.482602218505602 * np.median(np.abs(values - np.median(values)))


def make_processor(**settings):
    return NuDetectorEventFeatureExtractor.for_geometry(FASERCAL, **settings)


def make_row(rng, hits=40, tiles=12, tracks=2, true=25):
    """An event with all its truth, whose links add up."""
    flat = rng.choice(48 * 48 * 200, hits, replace=False)
    cal = np.stack(np.unravel_index(flat, (48, 48, 200)))
    tile = np.stack(np.unravel_index(rng.choice(18 * 18 * 40, tiles, replace=False), (18, 18, 40)))
    status = rng.integers(0, 3, hits) if true else np.ones(hits, int)
    links = np.where(status == 0, rng.integers(1, 4, hits), 0)
    weight = rng.uniform(0.1, 1, links.sum())
    total = np.bincount(np.repeat(np.arange(hits), links), weight, hits)
    weight = weight / np.repeat(total, links)
    momentum = rng.normal(0, 1, (3, 3)) * (2, 2, 300) + (0, 0, 400)
    return {
        "event_id": f"e{hits}",
        "detector": "fasercal",
        **{f"cal_{axis}": number for axis, number in zip("xyz", cal, strict=True)},
        "cal_module": cal[2] // 20,
        "cal_energy": rng.exponential(3.0, hits).astype(np.float32),
        "cal_status": status,
        "cal_link_count": links,
        "link_true": rng.integers(0, max(true, 1), links.sum()),
        "link_weight": weight.astype(np.float32),
        "true_pdg": rng.choice([11, 13, 22, 211, 2212, 15], true),
        "true_is_primary": rng.integers(0, 2, true),
        "true_is_secondary": rng.integers(0, 2, true),
        "ecal_energy": (rng.exponential(500.0, 25) * (rng.random(25) < 0.6)).astype(np.float32),
        **{f"ahcal_{axis}": number for axis, number in zip("xyz", tile, strict=True)},
        "ahcal_energy": rng.exponential(1.0, tiles).astype(np.float32),
        "muon_count": tracks,
        "muon_charge": rng.choice([-1.0, 1.0], tracks).astype(np.float32),
        **{
            f"muon_p{axis}": rng.normal(m, s, tracks).astype(np.float32)
            for axis, m, s in zip("xyz", (0, 0, 300), (3, 3, 50), strict=True)
        },
        "muon_chi2": rng.chisquare(8, tracks).astype(np.float32),
        "muon_n_points": np.full(tracks, 9),
        "flavour": int(rng.integers(0, 6)),
        "charm": int(rng.integers(0, 4)),
        "is_cc": int(hits > 0),
        "is_tau": 0,
        "tau_decay_mode": 0,
        "vis_momentum": momentum[0].astype(np.float32),
        "jet_momentum": momentum[1].astype(np.float32),
        "lepton_momentum": momentum[2].astype(np.float32),
        "tau_vis_momentum": np.zeros(3, np.float32),
        "primary_vertex": rng.normal((174, 109, -66), (130, 120, 600)).astype(np.float32),
    }


def make_rows(seed=0, sizes=((40, 12, 2, 25), (0, 0, 0, 0), (60, 20, 3, 30), (1, 1, 1, 1), (50, 0, 0, 9))):
    rng = np.random.default_rng(seed)
    return [make_row(rng, *size) for size in sizes]


@pytest.fixture(scope="module")
def fitted():
    return make_processor().fit(make_rows())


def split(batch, part):
    ends = batch[f"{part}_offset"].tolist()
    return list(zip([0, *ends[:-1]], ends, strict=True))


def test_constants_are_those_of_the_formulas(fitted):
    """Written from arXiv 2604.07037 with NumPy alone, on the training rows."""
    rows = make_rows()
    values = {
        "cal_energy": 10 * np.concatenate([row["cal_energy"] for row in rows]).astype(np.float64),
        "ahcal_energy": 10 * np.concatenate([row["ahcal_energy"] for row in rows]).astype(np.float64),
        "ecal_energy": np.concatenate([row["ecal_energy"] for row in rows]).astype(np.float64),
        **{
            name: np.concatenate([row[name] for row in rows]).astype(np.float64)
            for name in ("muon_px", "muon_py", "muon_pz", "muon_chi2")
        },
    }
    values["ecal_energy"] = values["ecal_energy"][values["ecal_energy"] > 0]
    assert fitted.input_statistics.keys() == values.keys() == {*QUANTITIES}
    for name, x in values.items():
        k = madn(x)
        u = x / k if name.startswith("muon_p") else np.log1p(x / k)
        expected = {"k": k, "mu": np.median(u), "sigma": madn(u)}
        assert fitted.input_statistics[name] == pytest.approx(expected, rel=1e-6)


def test_tensors_are_those_of_the_formulas_and_ragged(fitted):
    rows = make_rows()
    batch = fitted(rows)
    c = fitted.input_statistics
    for name, factor in (("cal_energy", 10), ("ahcal_energy", 10)):
        x = factor * np.concatenate([row[name] for row in rows]).astype(np.float64)
        z = (np.log1p(x / c[name]["k"]) - c[name]["mu"]) / c[name]["sigma"]
        np.testing.assert_allclose(batch[name][:, 0], z, rtol=1e-5, atol=1e-6)
    x = np.stack([row["ecal_energy"] for row in rows]).astype(np.float64)
    of = c["ecal_energy"]
    np.testing.assert_allclose(
        batch["ecal_energy"], (np.log1p(x / of["k"]) - of["mu"]) / of["sigma"], rtol=1e-5, atol=1e-6
    )
    assert batch["cal_offset"].tolist() == [40, 40, 100, 101, 151]
    assert batch["ahcal_offset"].tolist() == [12, 12, 32, 33, 33]
    assert batch["muon_offset"].tolist() == [2, 2, 5, 6, 6]
    assert batch["muon_count"].tolist() == [[2], [0], [3], [1], [0]]
    cells = np.concatenate([np.stack([row[f"cal_{axis}"] for axis in "xyz"], axis=1) for row in rows])
    np.testing.assert_array_equal(batch["cal_coordinates"], cells)
    assert batch["muon_tracks"].shape == (6, 5)
    np.testing.assert_array_equal(
        batch["muon_tracks"][:, 0], np.concatenate([row["muon_charge"] for row in rows])
    )
    in_mev = fitted.scales["cal_energy"].inverse(batch["cal_energy"][:, 0].double())
    np.testing.assert_allclose(in_mev, np.concatenate([row["cal_energy"] for row in rows]), rtol=1e-5)


def test_the_factor_of_charge_changes_the_constants_and_no_tensor(fitted):
    other = make_processor(charge_factor=1.0).fit(make_rows())
    one, two = (each.input_statistics["cal_energy"] for each in (fitted, other))
    assert one["k"] == pytest.approx(10 * two["k"])
    for name, value in fitted(make_rows()).items():
        torch.testing.assert_close(other(make_rows())[name], value, rtol=1e-5, atol=1e-6)


def test_tracks_that_are_not_fitted_are_left_out_and_counted(fitted):
    row = make_rows()[2] | {"muon_count": 14, "muon_n_points": [3, 2, 9], "muon_chi2": [1.0, 2.0, 0.0]}
    batch = fitted(row)
    assert (batch["muon_offset"].tolist(), batch["muon_count"].tolist()) == ([1], [[14]])
    assert batch["muon_tracks"][0, 0] == row["muon_charge"][0]
    unknown = fitted(row | {"muon_n_points": None, "muon_count": None})
    assert (unknown["muon_offset"].tolist(), unknown["muon_count"].tolist()) == ([2], [[3]])


def test_values_are_thinned_evenly_when_they_are_too_many():
    held = HeldValues(most=100)
    for start in range(0, 1000, 7):
        held.add(np.arange(start, min(start + 7, 1000)))
    found = held.values
    assert 50 < len(found) <= 100
    assert np.unique(np.diff(found)).tolist() == [16]
    assert found[0] == 0


def test_momenta_have_the_constants_of_the_formulas():
    rng = np.random.default_rng(5)
    momenta = {name: rng.normal(0, 1, (500, 3)) * (3, 4, 100) + (0, 0, 150) for name in ("vis", "jet", "lep")}
    is_cc = rng.random(500) < 0.7
    found = momentum_statistics(momenta, is_cc)
    for name, p in momenta.items():
        p = p[is_cc] if name == "lep" else p
        cc = is_cc[is_cc] if name == "lep" else is_cc
        pt, pz, size = np.hypot(p[:, 0], p[:, 1]), np.clip(p[:, 2], 0, None), np.sqrt((p**2).sum(axis=1))
        for axis, x in (("T", pt), ("Z", pz)):
            u = np.log1p(x / madn(x))
            expected = {f"k_{axis}": madn(x), f"mu_u{axis}": np.median(u), f"sigma_u{axis}": madn(u)}
            assert {key: found[name][key] for key in expected} == pytest.approx(expected)
        assert found[name]["s_xyz"] == pytest.approx([madn(p[:, i]) for i in range(3)])
        assert (found[name]["s_pT"], found[name]["s_mag"]) == pytest.approx((madn(pt), madn(size)))
        assert found[name]["tau_pt"] == pytest.approx(np.percentile(pt, 5))
        assert found[name]["tau_mag_cc"] == pytest.approx(np.percentile(size[cc], 5))
        assert ("tau_pt_nc" in found[name]) == (name != "lep")


def test_truth_becomes_targets(fitted):
    rows = make_rows()
    rows[0] |= {"is_cc": 1, "is_tau": 1, "tau_vis_momentum": np.float32([1, 2, 3])}
    rows[1] |= {"is_cc": 1, "is_tau": 0, "tau_vis_momentum": None}
    rows[2] |= {"is_cc": 0, "is_tau": 0, "lepton_momentum": None}
    batch = fitted(rows, targets=TARGETS)
    assert batch["flavour_labels"].tolist() == [row["flavour"] for row in rows]
    assert batch["charm_labels"].tolist() == [row["charm"] for row in rows]
    np.testing.assert_array_equal(batch["vis_momentum_labels"], [row["vis_momentum"] for row in rows])
    assert batch["lepton_momentum_labels"][0].tolist() == [1, 2, 3]
    np.testing.assert_array_equal(batch["lepton_momentum_labels"][1], rows[1]["lepton_momentum"])
    assert batch["lepton_momentum_labels"][2].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(batch["vertex_labels"], [row["primary_vertex"] for row in rows])
    assert fitted(rows, targets=("charm",))["labels"].tolist() == [row["charm"] for row in rows]
    for wrong, said in (
        (("flavor",), "did you mean flavour"),
        ("charm", "in a list"),
        (("weight",), "among"),
    ):
        with pytest.raises(errors.ProcessorSettingError, match=said):
            fitted(rows, targets=wrong)
    for column, target in (
        ("flavour", "flavour"),
        ("is_cc", "lepton_momentum"),
        ("vis_momentum", "vis_momentum"),
    ):
        with pytest.raises(event_errors.MissingColumnError, match=column):
            fitted([*rows[:-1], rows[-1] | {column: None}], targets=(target,))
    with pytest.raises(event_errors.RangeError, match="flavour"):
        fitted(rows[0] | {"flavour": 6}, targets=("flavour",))
    with pytest.raises(event_errors.ShapeError, match="expected 3 numbers"):
        fitted(rows[0] | {"jet_momentum": [1.0, 2.0]}, targets=("jet_momentum",))


def test_vertices_can_be_standardised_by_the_training_events():
    rows = make_rows()
    processor = make_processor(vertex="fitted")
    assert not processor.is_fitted
    fields, vertex = processor.fit(rows).network_fields(), np.stack([row["primary_vertex"] for row in rows])
    np.testing.assert_allclose(fields["vertex_mean_mm"], vertex.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(fields["vertex_std_mm"], vertex.std(axis=0), rtol=1e-5)
    published = make_processor().fit(rows).network_fields()
    assert published["vertex_mean_mm"] == [174.26, 109.02, -66.38]
    assert published["vertex_std_mm"] == [135.14, 125.34, 652.16]
    with pytest.raises(errors.MissingStatisticsError, match="primary_vertex"):
        make_processor(vertex="fitted").fit([row | {"primary_vertex": None} for row in rows])


HAND_MADE = {
    "detector": "fasercal",
    "cal_x": [1, 2, 3, 4],
    "cal_y": [1, 1, 1, 1],
    "cal_z": [5, 5, 5, 5],
    "cal_energy": [1.0, 1.0, 1.0, 1.0],
    "cal_status": [0, 1, 0, 2],
    "cal_link_count": [3, 0, 1, 0],
    "link_true": [0, 2, 1, 3],
    "link_weight": [0.5, 0.3, 0.2, 1.0],
    "true_pdg": [-11, 13, 2212, 15],
    "true_is_primary": [1, 0, 1, 0],
    "true_is_secondary": [0, 0, 1, 0],
    "ecal_energy": [0.0] * 25,
    **{f"ahcal_{name}": [] for name in ("x", "y", "z", "energy")},
    **{f"muon_{name}": [] for name in ("charge", "px", "py", "pz", "chi2")},
    "tau_decay_mode": 2,
}


def test_soft_labels_follow_the_links_by_hand(fitted):
    """Hit 0: 0.5 of e+ (primary), 0.3 of p (secondary goes first), 0.2 of mu (other); hit 2: a tau to mu."""
    before = make_rows()[0]
    batch = fitted([before, HAND_MADE], targets=VOXEL_TRUTH)
    hit = slice(40, 44)
    np.testing.assert_allclose(
        batch["cal_category"][hit], [[0.5, 0.2, 0.3], [0, 0, 0], [0, 1, 0], [0, 0, 0]], atol=1e-6
    )
    np.testing.assert_allclose(
        batch["cal_hierarchy"][hit], [[0.2, 0.5, 0.3], [0, 0, 0], [1, 0, 0], [0, 0, 0]], atol=1e-6
    )
    assert batch["cal_ghost"][hit].tolist() == [0, 1, 0, 0]
    as_the_paper = make_processor(ghosts="unmatched").fit(make_rows())
    assert as_the_paper(HAND_MADE, targets=VOXEL_TRUTH)["cal_ghost"].tolist() == [0, 1, 0, 1]
    hadronic = fitted(HAND_MADE | {"tau_decay_mode": 4}, targets=VOXEL_TRUTH)["cal_category"]
    assert hadronic[2].tolist() == [0, 0, 1]
    assert {"cal_ghost", "cal_category"}.isdisjoint(fitted(HAND_MADE))
    with pytest.raises(event_errors.RangeError, match="sum to 1"):
        fitted(HAND_MADE | {"link_weight": [0.5, 0.3, 0.1, 1.0]}, targets=VOXEL_TRUTH)
    with pytest.raises(event_errors.MissingColumnError, match="true_pdg"):
        fitted([before, HAND_MADE | {"true_pdg": None}], targets=VOXEL_TRUTH)


def test_company_and_order_of_hits_change_no_event(fitted):
    rows = make_rows()
    together = fitted(rows, targets=(*TARGETS, *VOXEL_TRUTH))
    for number, row in enumerate(rows):
        alone = fitted(row, targets=(*TARGETS, *VOXEL_TRUTH))
        for name, value in together.items():
            part = name.partition("_")[0]
            if name.endswith("_offset"):
                continue
            if part in ("cal", "ahcal") or name == "muon_tracks":
                start, stop = split(together, part)[number]
                assert torch.equal(alone[name], value[start:stop]), name
            else:
                assert torch.equal(alone[name], value[number : number + 1]), name
    order = np.random.default_rng(1).permutation(40)
    row = rows[0]
    shuffled = row | {
        name: row[name][order] for name in ("cal_x", "cal_y", "cal_z", "cal_module", "cal_energy")
    }
    one, other = fitted(row), fitted(shuffled)
    assert torch.equal(one["cal_energy"][order], other["cal_energy"])
    assert torch.equal(one["cal_coordinates"][order], other["cal_coordinates"])
    assert torch.equal(one["ecal_energy"], other["ecal_energy"])


def test_every_form_of_the_same_events_gives_the_same_tensors(fitted):
    rows = make_rows()
    lists = [{k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in row.items()} for row in rows]
    columns = {name: [row[name] for row in lists] for name in rows[0]}
    float_lists = {name for name, value in rows[0].items() if getattr(value, "dtype", None) == np.float32}
    table = pa.table(
        {
            name: pa.array(values, pa.list_(pa.float32())) if name in float_lists else values
            for name, values in columns.items()
        }
    )
    expected = fitted(rows, targets=(*TARGETS, *VOXEL_TRUTH))
    for form in (lists, columns, table, datasets.Dataset(table)):
        batch = fitted(form, targets=(*TARGETS, *VOXEL_TRUTH))
        assert all(torch.equal(batch[name], value) for name, value in expected.items())
    assert make_processor().fit(datasets.Dataset(table)).to_dict() == fitted.to_dict()


def test_events_in_which_nothing_was_recorded_are_events(fitted):
    empty = make_rows()[1] | {"ecal_energy": [0.0] * 25}
    batch = fitted([empty, empty], targets=(*TARGETS, *VOXEL_TRUTH))
    assert batch["cal_offset"].tolist() == batch["muon_offset"].tolist() == [0, 0]
    assert batch["cal_coordinates"].shape == (0, 3) and batch["muon_tracks"].shape == (0, 5)
    assert batch["cal_hierarchy"].shape == (0, 3)
    assert all(torch.isfinite(value).all() for value in batch.values())
    assert torch.equal(batch["ecal_energy"][0], batch["ecal_energy"][0][:1].expand(25))


def test_it_is_saved_and_comes_back(fitted, tmp_path):
    with pytest.raises(errors.MissingStatisticsError, match="fit"):
        make_processor().save_pretrained(tmp_path)
    with pytest.raises(errors.MissingStatisticsError, match="fit"):
        make_processor()(make_rows())
    processor = make_processor(muon_transforms=("asinh", "asinh", "log1p"), vertex="fitted").fit(make_rows())
    processor.save_pretrained(tmp_path)
    loaded = NuDetectorEventFeatureExtractor.from_pretrained(tmp_path)
    assert loaded.to_dict() == processor.to_dict()
    one, other = (each(make_rows(), targets=TARGETS) for each in (processor, loaded))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert loaded.momentum_statistics.keys() == {"vis", "jet", "lep"}
    saved = json.loads((tmp_path / "preprocessor_config.json").read_text())
    assert saved["feature_extractor_type"] == "NuDetectorEventFeatureExtractor"
    with pytest.raises(event_errors.RangeError, match=r"muon_pz.*0 or more for log1p"):
        loaded(make_rows()[0] | {"muon_pz": np.float32([-5.0, 1.0])})


def test_statistics_are_of_the_events_that_it_is_given_alone(fitted):
    others = make_rows(seed=1)
    assert make_processor().fit(make_rows()).to_dict() == fitted.to_dict()
    assert make_processor().fit(others).to_dict() != fitted.to_dict()
    without = [row | {"jet_momentum": None} if number == 3 else row for number, row in enumerate(others)]
    assert make_processor().fit(without).momentum_statistics is None
    with pytest.raises(errors.MissingStatisticsError, match="ahcal_energy"):
        make_processor().fit(others[-1])


GOOD = make_rows()[0]


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"cal_energy": np.full(40, np.nan)}, event_errors.NonFiniteError, "cal_energy"),
        ({"ecal_energy": [np.inf] * 25}, event_errors.NonFiniteError, "ecal_energy"),
        ({"ecal_energy": [-1.0] * 25}, event_errors.RangeError, "ecal_energy"),
        ({"ecal_energy": [1.0] * 24}, event_errors.ShapeError, "ecal_energy.*25 numbers"),
        ({"ecal_energy": None}, event_errors.MissingColumnError, "ecal_energy"),
        ({"muon_px": np.float32([np.nan, 1])}, event_errors.NonFiniteError, "muon_px"),
        ({"muon_pz": np.float32([2e5, 1])}, event_errors.RangeError, "convert from MeV/c"),
        ({"muon_count": 1}, event_errors.RangeError, "2 muon tracks that are stored, got 1"),
        ({"muon_n_points": [9]}, event_errors.ShapeError, "muon_n_points"),
        ({"ahcal_x": np.full(12, 18)}, event_errors.RangeError, "another detector"),
        ({"cal_y": None}, event_errors.MissingColumnError, "cal_y"),
        ({"cal_energy": np.ones(40, int)}, event_errors.UnitError, "counts"),
        ({"cal_x": np.zeros(40, int), "cal_y": np.zeros(40, int), "cal_z": np.zeros(40, int)},
         event_errors.OrderError, "each cube once"),
        ({"detector": "elsewhere"}, errors.DetectorMismatchError, "elsewhere"),
    ],
)  # fmt: skip
def test_one_bad_event_among_good_ones_is_named(fitted, changed, error, said):
    with pytest.raises(error, match=said) as caught:
        fitted([GOOD, GOOD | changed, GOOD])
    assert caught.value.event in (1, None)


@pytest.mark.parametrize("column", ["cal_energy", "ahcal_energy"])
@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_energies_of_hits_in_another_unit_are_refused(fitted, column, factor):
    rows = make_rows()
    rows[2] |= {column: factor * rows[2][column]}
    with pytest.raises(
        event_errors.UnitError, match=f"column '{column}' of event 2: expected energies in MeV"
    ):
        fitted(rows)


@pytest.mark.parametrize("factor", [1 / 30, 30])
def test_events_of_much_more_or_less_energy_are_events(fitted, factor):
    rows = [row | {"cal_energy": factor * row["cal_energy"]} for row in make_rows()]
    assert len(fitted(rows)["cal_offset"]) == len(rows)


def test_few_hits_may_have_any_energy(fitted):
    """A hit or two say nothing about the unit."""
    row = make_rows()[3]
    assert len(fitted(row | {"cal_energy": 1e4 * row["cal_energy"]})["cal_energy"]) == 1


def test_more_tracks_than_are_stored_are_refused(fitted):
    rng = np.random.default_rng(3)
    assert fitted(make_row(rng, tracks=10))["muon_offset"].tolist() == [10]
    with pytest.raises(event_errors.ShapeError, match="expected 10 tracks at most, got 11: store the first"):
        fitted(make_row(rng, tracks=11))


@pytest.mark.parametrize("version", [6, 8])
def test_another_version_of_the_data_is_refused(fitted, version):
    rows = make_rows()
    assert torch.equal(fitted(rows[0] | {"data_version": 7})["cal_energy"], fitted(rows[0])["cal_energy"])
    with pytest.raises(event_errors.RangeError, match=r"'data_version' of event 1: .* 7.* convert the files"):
        fitted([rows[0] | {"data_version": 7}, rows[2] | {"data_version": version}])


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("ecal_", "column 'ecal_energy' of event 0: expected 25 numbers .* networks read all parts"),
        ("ahcal_", "expected the columns .* ahcal_x"),
        ("muon_", "expected the columns .* muon_charge"),
    ],
)
def test_a_part_of_the_detector_that_is_missing_is_refused(fitted, part, said):
    row = {name: value for name, value in make_rows()[2].items() if not name.startswith(part)}
    with pytest.raises(event_errors.MissingColumnError, match=said):
        fitted(row)


def test_another_detector_can_be_accepted_knowingly(fitted):
    assert len(fitted(GOOD | {"detector": "elsewhere"}, detector="elsewhere")["cal_energy"]) == 40


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"gohsts": "status"}, "did you mean ghosts"),
        ({"ghosts": "paper"}, "ghosts must be one of"),
        ({"vertex": "none"}, "vertex must be one of"),
        ({"energy_transform": "log"}, "transform among"),
        ({"muon_transforms": ["identity"]}, "muon_transforms must hold 3"),
        ({"charge_factor": 0.0}, "charge_factor"),
        ({"cal_shape": [48, 48, 199]}, "divide the layers"),
        ({"ecal_shape": [5, 0]}, "above 0"),
        ({"vertex_std_mm": [1.0, 0.0, 1.0]}, "vertex_std_mm"),
        ({"input_statistics": {"cal_energy": {}}}, "input_statistics"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, said):
    with pytest.raises(errors.ProcessorSettingError, match=said):
        make_processor(**settings)


def test_unknown_options_of_a_call_are_refused(fitted):
    with pytest.raises(errors.ProcessorSettingError, match="did you mean detector"):
        fitted(GOOD, detektor=None)
    assert fitted.call_options == {"detector"}
    with pytest.raises(errors.ProcessorSettingError, match="all columns that say what made hits"):
        fitted(GOOD, targets=("cal_status",))


def test_a_recipe_may_set_what_it_should():
    types = types_of(NuDetectorEventFeatureExtractor)
    given = {"charge_factor": 10.0, "muon_transforms": ["asinh", "asinh", "log1p"], "ghosts": "unmatched"}
    assert checked_fields("processor", given, types) == given


def test_it_says_what_networks_and_people_need(fitted):
    fields = fitted.network_fields()
    assert fields["cal_shape"] == [48, 48, 200] and fields["muon_features"] == 5
    assert fields["vertex_std_mm"] == [135.14, 125.34, 652.16]
    assert fields["momentum_statistics"]["vis"]["k_T"] > 0
    assert fields["input_statistics"] == fitted.input_statistics
    network = {"writes_text": False, "model_type": "toy"}
    fitted.check_agrees(SimpleNamespace(**network, cal_shape=(48, 48, 200)))
    with pytest.raises(errors.ProcessorModelMismatchError, match="ahcal_shape"):
        fitted.check_agrees(SimpleNamespace(**network, ahcal_shape=[1, 2, 3]))
    for one in (fitted, make_processor()):
        assert all(isinstance(value, str) and value for value in one.facts().values())
        constants = one.instructions()["constants"]
        assert constants == json.loads(json.dumps(constants))


def test_examples_are_as_the_checks_want_them():
    processor = NuDetectorEventFeatureExtractor.tiny(None)
    events = processor.example_events(6)
    sizes = [max(len(value) for value in event.values() if isinstance(value, np.ndarray)) for event in events]
    assert sizes[:2] == [0, 1] and min(sizes[2:]) > 10
    batch = processor.fit(events)(events)
    assert all(torch.isfinite(value).all() for value in batch.values())
    wide = NuDetectorEventFeatureExtractor.tiny(SimpleNamespace(cal_shape=(12, 12, 20)))
    assert wide.cal_shape == [12, 12, 20]


def test_it_needs_nothing_but_torch_numpy_and_transformers():
    code = (
        "import sys\n"
        "for name in ('datasets', 'pyarrow', 'pandas', 'matplotlib', 'numba'): sys.modules[name] = None\n"
        "import nuzoo.processors.detector_events.feature_extraction_nu_detector_event\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_its_code_goes_into_a_repository(tmp_path):
    names = export_code([NuDetectorEventFeatureExtractor], tmp_path)
    assert {"feature_extraction_nu_detector_event.py", "detector_event_labels.py"} <= set(names)
