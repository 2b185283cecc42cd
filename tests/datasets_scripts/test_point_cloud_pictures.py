import io

import numpy as np
import pytest
from PIL import Image

from nuzoo.datasets_scripts.common.point_cloud_pictures import projections, with_display
from nuzoo.files.events.point_cloud_events import PointCloudGeometry

LAYOUT = PointCloudGeometry("toy", "voxel", (2, 3, 4), (10.0, 10.0, 10.0), (-10.0, 0.0, 5.0))


def row_of(*hits, **changes):
    x, y, z, energy = np.array(hits, dtype=float).reshape(-1, 4).T
    place = {axis: of.astype(np.int16) for axis, of in zip("xyz", (x, y, z), strict=True)}
    return {"detector": "lartpc-cube-768", "positions": "voxel", **place, "energy": energy} | changes


def grey(energy):
    """By the definition: 255 at 20 MeV, as the logarithm of 1 + E."""
    return round(255 * np.log(1 + energy) / np.log(21))


def test_the_projections_stand_side_by_side_and_add_up():
    """By hand: z is the first axis of two planes; what has the same z and x is one pixel of zx."""
    found = projections(row_of((0, 0, 0, 1.0), (0, 2, 0, 2.0), (1, 1, 3, 20.0)), LAYOUT)
    zx, zy, xy = np.zeros((3, 4), int), np.zeros((3, 4), int), np.zeros((3, 2), int)
    zx[2, 0], zx[1, 3] = grey(3.0), 255
    zy[2, 0], zy[0, 0], zy[1, 3] = grey(1.0), grey(2.0), 255
    xy[2, 0], xy[0, 0], xy[1, 1] = grey(1.0), grey(2.0), 255
    assert found.tolist() == np.concatenate([zx, zy, xy], axis=1).tolist()


def test_positions_in_mm_fall_into_the_same_pixels():
    layout = PointCloudGeometry("toy", "mm", (2, 3, 4), (10.0, 10.0, 10.0), (-10.0, 0.0, 5.0))
    in_mm = {"x": np.array([-5.0, 9.0]), "y": np.array([0.0, 30.0]), "z": np.array([5.0, 44.9])}
    of_mm = projections(row_of(positions="mm") | in_mm | {"energy": np.array([1.0, 2.0])}, layout)
    of_voxels = projections(row_of((0, 0, 0, 1.0), (1, 2, 3, 2.0)), LAYOUT)
    assert of_mm.tolist() == of_voxels.tolist()


@pytest.mark.parametrize(
    ("detector", "size"), [("lartpc-cube-768", (768, 256)), ("scintillator-cube-200", (600, 200))]
)
def test_a_row_gets_a_small_picture(detector, size):
    last = size[1] * (3 if detector == "lartpc-cube-768" else 1) - 1
    row = row_of((0, 0, 0, 0.001), (last, last, last, 1e5), detector=detector)
    stored = with_display(row)
    picture = Image.open(io.BytesIO(stored["display"]["bytes"]))
    assert (picture.size, picture.mode, picture.format) == (size, "L", "PNG")
    grey = np.asarray(picture)
    assert grey[-1, 0] == 1, "what has any energy is not black"
    assert grey[0, -1] == 255
    assert np.count_nonzero(grey) == 6
    assert {name: value for name, value in stored.items() if name != "display"} == row


def test_an_event_without_hits_has_a_black_picture():
    picture = Image.open(io.BytesIO(with_display(row_of())["display"]["bytes"]))
    assert not np.asarray(picture).any()
