"""The detector response against closed forms and hand-computed pixels."""

import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from nuzoo.simulation.detectors import DUNE_LIKE, MODULAR_LARTPC, Detector, find_detector
from nuzoo.simulation.errors import DetectorError, UnknownDetectorError
from nuzoo.simulation.event_types import Deposits
from nuzoo.simulation.response.charge import MIP_DEDX, recombination
from nuzoo.simulation.response.pixel_maps import ENERGY_STEP, SparseView, pixel_maps

MIP_ELECTRONS_PER_MEV = 29.9e3
"""Charge after recombination at 2.1 MeV/cm, 0.5 kV/cm: 42.4 ke/MeV × 0.705."""


def segments(start, end, energy, pdg=13) -> Deposits:
    start = np.atleast_2d(np.asarray(start, np.float32))
    count = len(start)
    return Deposits(
        start=start,
        end=np.atleast_2d(np.asarray(end, np.float32)),
        energy=np.broadcast_to(np.asarray(energy, np.float32), count).copy(),
        particle=np.zeros(count, np.int32),
        pdg=np.full(count, pdg, np.int32),
        semantic=np.ones(count, np.uint8),
        interaction=np.zeros(count, np.int32),
    )


def straight_muon(start, direction, length, step=0.3) -> Deposits:
    """A minimum-ionising track in segments of `step` cm."""
    edges = np.arange(round(length / step) + 1)[:, None] * step * np.asarray(direction) + start
    return segments(edges[:-1], edges[1:], MIP_DEDX * step)


def ideal(detector: Detector, **drift) -> Detector:
    """The detector without noise, threshold and capture, so that only the named effects are left."""
    drift = replace(detector.readout.drift, **{"lifetime": math.inf, **drift})
    electronics = replace(detector.readout.electronics, noise=0.0, threshold=0.0, saturation_mev=None)
    return with_readout(detector, drift=drift, electronics=electronics)


def with_readout(detector: Detector, **changes) -> Detector:
    return replace(detector, readout=replace(detector.readout, **changes))


def respond(deposits: Deposits, detector: Detector, vertex=(0.0, 0.0, 300.0)) -> dict[str, SparseView]:
    rng = np.random.default_rng(1)
    return pixel_maps(rng, deposits, detector.readout, detector.material, np.array(vertex))


@pytest.mark.parametrize(("dedx", "expected"), [(2.1, 0.705), (5.0, 0.590), (10.0, 0.454), (20.0, 0.320)])
def test_box_recombination_has_the_published_values(dedx, expected):
    assert recombination(dedx, 1.396, 0.5) == pytest.approx(expected, abs=6e-4)


def test_no_more_charge_escapes_than_was_freed():
    values = recombination(np.geomspace(1e-3, 1e4, 200), 1.396, 0.5)
    assert np.all((values > 0) & (values < 1))


def test_denser_ionisation_recombines_more():
    assert np.all(np.diff(recombination(np.geomspace(MIP_DEDX, 1e3, 200), 1.396, 0.5)) < 0)


@pytest.mark.parametrize("detector", [MODULAR_LARTPC, DUNE_LIKE], ids=lambda detector: detector.name)
@pytest.mark.parametrize("direction", [(0.0, 0.0, 1.0), (0.36, 0.48, 0.8), (-0.6, 0.64, 0.48)])
def test_a_minimum_ionising_track_reads_its_true_energy_in_every_view(detector, direction):
    vertex = np.array([5.0, -7.0, 300.0])
    track = straight_muon(vertex, direction, 60.0)
    for view in respond(track, ideal(detector), vertex).values():
        assert view.energy.sum() == pytest.approx(60.0 * MIP_DEDX, rel=1e-3)


def test_dense_ionisation_reads_low_by_the_ratio_of_the_recombination_factors():
    proton = segments([[5.0, 0.0, 300.0]], [[5.0, 0.0, 301.0]], 20.0, pdg=2212)
    for view in respond(proton, ideal(MODULAR_LARTPC)).values():
        assert view.energy.sum() == pytest.approx(20.0 * 0.320 / 0.705, rel=3e-3)


@pytest.mark.parametrize("drift_length", [10.0, 40.0, 70.0, 90.0])
def test_diffusion_grows_as_the_root_of_the_drift_length(drift_length):
    detector = ideal(MODULAR_LARTPC, anodes=(0.0,))
    centre = np.array([[drift_length + 0.25, 0.25, 300.25]])
    vertex = np.array([drift_length, 0.0, 300.0])
    views = respond(segments(centre, centre, 10.0), detector, vertex)

    def kept(mm_per_root_metre):
        width = mm_per_root_metre * math.sqrt((drift_length + 0.25) / 100)
        return 1 - 2 * NormalDist(0, width).cdf(-2.5)

    transverse, longitudinal = kept(1.3), kept(0.9)
    for name, expected in (("xz", longitudinal * transverse), ("yz", transverse**2)):
        view = views[name]
        own = view.energy[view.index == 256 * 512 + 256]
        assert own / view.energy.sum() == pytest.approx(expected, rel=0.01)


def test_diffusion_moves_no_charge_on_average():
    detector = ideal(MODULAR_LARTPC, anodes=(0.0,))
    point = np.array([[80.25, 0.25, 300.25]])
    view = respond(segments(point, point, 10.0), detector, (80.0, 0.0, 300.0))["yz"]
    rows, columns = np.divmod(view.index.astype(int), 512)
    assert np.average(rows, weights=view.energy) == pytest.approx(256, abs=1e-3)
    assert np.average(columns, weights=view.energy) == pytest.approx(256, abs=1e-3)


def test_capture_follows_the_electron_lifetime():
    point = np.array([[15.0, 0.25, 300.25]])
    deposit = segments(point, point, 50.0)
    pure = respond(deposit, ideal(MODULAR_LARTPC))["yz"].energy.sum()
    dirty = respond(deposit, ideal(MODULAR_LARTPC, lifetime=0.1))["yz"].energy.sum()
    drift_time_ms = 150.0 / 1.648 / 1000
    assert dirty / pure == pytest.approx(math.exp(-drift_time_ms / 0.1), rel=2e-4)


@pytest.mark.parametrize(
    ("point", "xz", "yz"),
    [
        ((0.1, 0.1, 300.1), (256, 256), (256, 256)),
        ((3.0 + 0.1, -10.0 + 0.1, 350.1), (262, 356), (236, 356)),
        ((-29.9, 20.1, 172.1), (196, 0), (296, 0)),
        ((29.9, 20.1, 427.9), (315, 511), (296, 511)),
    ],
)
def test_a_point_lands_on_its_pixel(point, xz, yz):
    detector = ideal(MODULAR_LARTPC, transverse_diffusion=0.0, longitudinal_diffusion=0.0)
    views = respond(segments([point], [point], 10.0), detector)
    assert {name: view.index.tolist() for name, view in views.items()} == {
        "xz": [xz[0] * 512 + xz[1]],
        "yz": [yz[0] * 512 + yz[1]],
    }


def test_what_lies_outside_the_window_is_cut():
    point = [[0.1, 0.1, 428.1]]
    detector = ideal(MODULAR_LARTPC, transverse_diffusion=0.0, longitudinal_diffusion=0.0)
    assert all(len(view.index) == 0 for view in respond(segments(point, point, 10.0), detector).values())


@pytest.mark.parametrize(("view", "angle"), [("u", 35.7), ("v", -35.7), ("z", 0.0)])
def test_wires_count_along_their_inclined_axis(view, angle):
    geometry = next(candidate for candidate in DUNE_LIKE.readout.views if candidate.name == view)
    points = np.array([[100.1, 20.0, 300.0], [110.3, 55.0, 420.0], [95.0, -15.0, 460.0]])
    detector = ideal(DUNE_LIKE, transverse_diffusion=0.0, longitudinal_diffusion=0.0)
    found = respond(segments(points, points, 5.0), detector)[view]
    sine, cosine = math.sin(math.radians(angle)), math.cos(math.radians(angle))
    wires = [math.floor((y * sine + z * cosine) * 10 / geometry.column_pitch_mm) for _, y, z in points]
    ticks = [math.floor(x * 10 / geometry.row_pitch_mm) for x, _, _ in points]
    expected = {
        (tick - round(np.mean(ticks)) + 250, wire - min(wires))
        for tick, wire in zip(ticks, wires, strict=True)
    }
    assert {divmod(int(index), 500) for index in found.index} == expected


def test_hits_keep_the_charge_of_a_track_along_the_drift():
    track = straight_muon((100.0, 0.0, 300.2), (1.0, 0.0, 0.0), 30.0)
    detector = ideal(DUNE_LIKE, transverse_diffusion=0.0, longitudinal_diffusion=0.0)
    view = respond(track, detector)["z"]
    assert len(view.index) < 30 / 0.51
    assert view.energy.sum() == pytest.approx(30 * MIP_DEDX, rel=1e-3)


def test_two_pulses_on_a_wire_are_two_hits():
    points = np.array([[100.0, 0.0, 300.2], [105.1, 0.0, 300.2]])
    detector = ideal(DUNE_LIKE, transverse_diffusion=0.0, longitudinal_diffusion=0.0)
    view = respond(segments(points, points, 5.0), detector)["z"]
    rows, columns = np.divmod(view.index.astype(int), 500)
    assert rows[1] - rows[0] == 10
    assert columns.tolist() == [0, 0]


def test_stored_energy_saturates():
    point = [[100.0, 0.0, 300.2]]
    for view in respond(segments(point, point, 500.0), DUNE_LIKE).values():
        assert view.energy.max() == pytest.approx(
            DUNE_LIKE.readout.electronics.saturation_mev, abs=ENERGY_STEP
        )


def test_a_stray_hit_upstream_does_not_move_the_window():
    detector = ideal(DUNE_LIKE, transverse_diffusion=0.0, longitudinal_diffusion=0.0)
    track = straight_muon((100.1, 0.0, 300.0), (0.0, 0.0, 1.0), 60.0)
    stray = np.array([[100.1, 0.0, 200.0]])
    both = segments(
        np.concatenate([stray, track.start]),
        np.concatenate([stray, track.end]),
        np.concatenate([[5.0], track.energy]),
    )
    expected, found = respond(track, detector)["z"], respond(both, detector)["z"]
    assert expected.index.min() % 500 == 0
    np.testing.assert_array_equal(found.index, expected.index)


def test_the_spread_of_a_pixel_is_its_noise():
    z = 172.25 + 0.5 * np.arange(512)
    points = np.stack([np.full(512, 0.25), np.full(512, 0.25), z], axis=1)
    detector = with_readout(
        ideal(MODULAR_LARTPC, transverse_diffusion=0.0, longitudinal_diffusion=0.0),
        electronics=replace(MODULAR_LARTPC.readout.electronics, noise=1030.0, threshold=0.0),
    )
    view = respond(segments(points, points, 5.0), detector)["xz"]
    expected = 1030.0 / MIP_ELECTRONS_PER_MEV
    assert len(view.index) == 512
    assert view.energy.std() == pytest.approx(expected, rel=4 / math.sqrt(2 * 512))


def test_nothing_below_the_threshold_is_stored():
    charges = np.linspace(0.05, 0.6, 400)
    points = np.stack([np.full(400, 0.25), np.full(400, 0.25), 172.25 + 0.5 * np.arange(400)], axis=1)
    detector = with_readout(
        MODULAR_LARTPC,
        drift=replace(MODULAR_LARTPC.readout.drift, transverse_diffusion=0.0, longitudinal_diffusion=0.0),
    )
    view = respond(segments(points, points + np.array([0, 0, 0.2]), charges), detector)["yz"]
    assert 0 < len(view.index) < 400
    assert view.energy.min() >= 7000 / MIP_ELECTRONS_PER_MEV * 0.999


@pytest.mark.parametrize("detector", [MODULAR_LARTPC, DUNE_LIKE], ids=lambda detector: detector.name)
def test_pixels_are_ascending_unique_and_inside(detector):
    rng = np.random.default_rng(3)
    start = rng.uniform((-80, -80, 200), (80, 80, 400), (3000, 3))
    deposits = segments(start, start + rng.normal(0, 1, (3000, 3)), rng.exponential(1.0, 3000))
    for geometry, view in zip(detector.readout.views, respond(deposits, detector).values(), strict=True):
        assert view.index.dtype == np.uint32
        assert view.energy.dtype == np.float32
        assert np.all(np.diff(view.index.astype(np.int64)) > 0)
        assert view.index.max() < geometry.rows * geometry.columns
        assert np.all(np.isfinite(view.energy) & (view.energy > 0))


@pytest.mark.parametrize("detector", [MODULAR_LARTPC, DUNE_LIKE], ids=lambda detector: detector.name)
def test_an_event_without_deposits_has_empty_maps(detector):
    nothing = segments(np.empty((0, 3)), np.empty((0, 3)), np.empty(0))
    views = respond(nothing, detector)
    assert list(views) == [view.name for view in detector.readout.views]
    assert all(len(view.index) == len(view.energy) == 0 for view in views.values())


def test_detectors_that_contradict_themselves_are_refused():
    with pytest.raises(DetectorError, match="coarser pitch"):
        with_readout(
            MODULAR_LARTPC,
            drift=replace(MODULAR_LARTPC.readout.drift, anodes=(-90.0,), transverse_diffusion=5.0),
        )
    with pytest.raises(DetectorError, match="inside the active volume"):
        replace(MODULAR_LARTPC, vertex_high=(200.0, 0.0, 100.0))


def test_diffusion_is_judged_at_the_longest_drift_wherever_that_is():
    """Anodes on both faces: the longest drift is half way between them, a metre here."""
    drift = replace(MODULAR_LARTPC.readout.drift, anodes=(-100.0, 100.0), transverse_diffusion=5.0)
    with pytest.raises(DetectorError, match="coarser pitch"):
        with_readout(MODULAR_LARTPC, drift=drift)
    with_readout(MODULAR_LARTPC, drift=replace(drift, transverse_diffusion=3.0))


def test_views_of_two_sizes_are_refused():
    first, second = MODULAR_LARTPC.readout.views
    with pytest.raises(DetectorError, match="all of one size"):
        with_readout(MODULAR_LARTPC, views=(first, replace(second, rows=256)))


def test_an_unknown_detector_is_named():
    with pytest.raises(UnknownDetectorError, match=r"expected one of modular-2x2x7, .* got 'sphere'"):
        find_detector("sphere")
