"""Objects that are drawn by hand, where it is known which pixels are whose."""

import numpy as np
import pytest

from nuzoo.evaluation.display.pixel_maps.event_views import views_of
from nuzoo.evaluation.explain.event_objects import find_objects
from nuzoo.simulation.detectors import DETECTORS

DETECTOR = DETECTORS["modular-2x2x7"]
VIEW = views_of(DETECTOR)[0]
ANCHOR_ROW, ANCHOR_COLUMN = VIEW.anchor_pixel
MIP = 1.05
"""MeV in a pixel of 5 mm."""


def line(slope, pixels, energy=MIP, first=0):
    steps = np.arange(first, pixels)
    return [(ANCHOR_ROW + round(slope * step), ANCHOR_COLUMN + step, energy) for step in steps]


def cone(slope, pixels, energy):
    """A shower: wider and wider, with several MeV in a pixel."""
    return [
        (ANCHOR_ROW + round(slope * step) + across, ANCHOR_COLUMN + step, energy)
        for step in range(pixels)
        for across in range(-(step // 10), step // 10 + 1)
    ]


def event(*hits):
    """The same picture in both views."""
    maps = {}
    for row, column, energy in (hit for part in hits for hit in part):
        maps[row * VIEW.columns + column] = maps.get(row * VIEW.columns + column, 0.0) + energy
    index = sorted(maps)
    columns = {"event_id": "made", "detector": DETECTOR.name}
    for view in views_of(DETECTOR):
        columns |= {f"{view.name}_index": index, f"{view.name}_energy": [maps[pixel] for pixel in index]}
    return columns


def pixels_of(hits, beyond=5):
    return {row * VIEW.columns + column for row, column, _ in hits[beyond:]}


def test_line_is_a_track_and_cone_is_a_shower():
    track, shower = line(0.7, 200), cone(-0.4, 100, 2.0)
    first, second = find_objects(event(track, shower))[:2]
    assert (first.kind, second.kind) == ("shower", "track")
    assert first.energy == pytest.approx(sum(energy for *_, energy in shower), rel=0.05)
    assert second.energy == pytest.approx(sum(energy for *_, energy in track), rel=0.05)
    for found, hits in ((first, shower), (second, track)):
        for view in views_of(DETECTOR):
            mine = set(found.pixels[view.name].tolist())
            assert len(mine & pixels_of(hits)) > 0.9 * len(pixels_of(hits))


def test_objects_of_two_views_are_matched_along_z():
    long, short = line(0.5, 220), line(-0.5, 60, energy=2 * MIP)
    row = event(long, short)
    turned = event(line(-0.5, 220), line(0.5, 60, energy=2 * MIP))
    row |= {"yz_index": turned["yz_index"], "yz_energy": turned["yz_energy"]}
    first = find_objects(row)[0]
    xz, yz = (first.pixels[name] for name in ("xz", "yz"))
    assert (xz // VIEW.columns > ANCHOR_ROW).all()
    assert (yz // VIEW.columns < ANCHOR_ROW).all()
    assert np.allclose([len(xz), len(yz)], 216, atol=3)


def test_empty_event_has_no_objects():
    row = {"detector": DETECTOR.name}
    for view in views_of(DETECTOR):
        row |= {f"{view.name}_index": [], f"{view.name}_energy": []}
    assert find_objects(row) == []


def test_no_pixel_is_of_two_objects():
    objects = find_objects(event(line(0.7, 200), line(0.1, 150), cone(-0.6, 90, 4.0)))
    for view in views_of(DETECTOR):
        pixels = np.concatenate([found.pixels.get(view.name, []) for found in objects])
        assert len(pixels) == len(np.unique(pixels)) > 0
