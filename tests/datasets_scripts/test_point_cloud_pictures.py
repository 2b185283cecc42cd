"""The picture of a point cloud, against a hand-made event."""

import io

import numpy as np
from PIL import Image

from nuzoo.datasets_scripts.common.point_cloud_pictures import with_projections


def picture(row):
    return np.asarray(Image.open(io.BytesIO(with_projections(row)["display"]["bytes"])))


def test_each_hit_is_in_three_projections():
    row = {"detector": "lartpc-cube-768", "positions": "voxel", "energy": np.array([20.0, 10.0, 10.0])}
    row |= {"x": np.array([0, 767, 766]), "y": np.array([0, 3, 4]), "z": np.array([767, 6, 7])}
    pixels = picture(row)  # 3 voxels a pixel; x up and z right, y up and z right, y up and x right
    assert pixels.shape == (256, 768) and pixels.dtype == np.uint8
    lit = {(int(up), int(right)) for up, right in np.argwhere(pixels[::-1])}
    assert lit == {(0, 255), (255, 2), (0, 256 + 255), (1, 256 + 2), (0, 512), (1, 512 + 255)}
    assert pixels[::-1][0, 255] == pixels[::-1][255, 2] == 255  # 20 MeV is white, two hits in a pixel add up


def test_an_event_without_hits_has_a_black_picture():
    none = np.zeros(0)
    row = {
        "detector": "scintillator-cube-200",
        "positions": "voxel",
        "energy": none,
        "x": none,
        "y": none,
        "z": none,
    }
    assert not picture(row).any() and picture(row).shape == (200, 600)
