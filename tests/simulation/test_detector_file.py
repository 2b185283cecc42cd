import pytest
import yaml

from nuzoo.simulation.detectors import DETECTORS, enter_detector, find_detector
from nuzoo.simulation.detectors.detector_file import commented_text, read_detector, shown
from nuzoo.simulation.errors import DetectorError, DetectorFileError, UnknownDetectorError

SMALL = {"name": "small", "size": [8, 6], "views": [{"name": "yz", "pitch_mm": 4}]}


def written(folder, content):
    file = folder / "detector.yaml"
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return file


@pytest.mark.parametrize("name", ["dune-like-3view", "modular-2x2x7"])
def test_nuzoos_own_are_described_whole(tmp_path, name):
    assert read_detector(written(tmp_path, commented_text(DETECTORS[name]))) == DETECTORS[name]


def test_a_detector_without_pixel_maps_is_shown_by_its_facts():
    told = shown(DETECTORS["lartpc-cube-768"])
    assert "grid: 768 × 768 × 768 voxels of 3 × 3 × 3 mm" in told
    assert "active volume: 2.304 × 2.304 × 2.304 m of liquid argon" in told


def test_the_least_description_gives_views_size_and_pitch(tmp_path):
    detector = read_detector(written(tmp_path, SMALL))
    assert detector.geometry() == {
        "detector": "small",
        "views": ["yz"],
        "height": 8,
        "width": 6,
        "pixel_pitch_mm": [[4.0, 4.0]],
    }
    assert not detector.has_volume
    assert read_detector(written(tmp_path, commented_text(detector))) == detector


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"siz": 1}, "expected fields among name, size, .* got siz: did you mean size?"),
        ({"views": [{"name": "yz", "pich_mm": 4}]}, r"views\[0\]: .* got pich_mm: did you mean pitch_mm"),
        ({"views": [{"name": "yz", "pitch_mm": -4}]}, r"views\[0\].pitch_mm: expected .* got -4"),
        ({"views": [{"name": "yz", "pitch_mm": "4"}]}, r"views\[0\].pitch_mm: expected .* got '4'"),
        ({"views": [{"name": "u", "pitch_mm": 4}]}, "row_axis and column_axis of u"),
        ({"views": [{"name": "yz", "pitch_mm": 4, "row_axis": [0, 2, 0]}]}, "length 1"),
        ({"views": [{"name": "y_z", "pitch_mm": 4}]}, r"views\[0\].name"),
        ({"views": SMALL["views"] * 2}, "different names"),
        (
            {"views": [*SMALL["views"], {"name": "YZ", "pitch_mm": 4, "row_axis": "y", "column_axis": "z"}]},
            "YZ",
        ),
        ({"views": [{"name": "neutrino", "pitch_mm": 4, "row_axis": "y", "column_axis": "z"}]}, "the truth"),
        ({"views": [{"name": "yy", "pitch_mm": 4}]}, "two directions as the axes of yy"),
        ({"views": [{"name": "yz", "pitch_mm": float("inf")}]}, r"views\[0\].pitch_mm: expected .* got inf"),
        ({"views": [{"name": "yz", "pitch_mm": 4, "anchor_pixel": [8, 0]}]}, "anchor_pixel of yz .* 8 × 6"),
        ({"views": [{"name": "yz", "pitch_mm": 4, "anchor_pixel": [0, -1]}]}, "anchor_pixel of yz"),
        ("name: one\nname: two\n", "line 1: expected each field once, got name again"),
        ("[" * 5000, "deeper"),
        ({"views": []}, "views: expected a list of views"),
        ({"size": [8]}, "size"),
        ({"size": [8, 0]}, r"size\[1\]: expected rows and columns"),
        ({"size": [1, 10**9]}, r"size\[1\]: expected rows and columns"),
        ({"mev_per_count": float("nan")}, "mev_per_count: expected"),
        ({"volume": {"low_cm": [0, 0, 0], "high_cm": [1, 1, 1]}}, "volume, drift and electronics"),
        ({"name": "../small"}, "name: expected"),
        ("- 1", "expected fields"),
        ("{", "line 1"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path, change, message):
    file = written(tmp_path, change if isinstance(change, str) else SMALL | change)
    with pytest.raises(DetectorError, match=message):
        read_detector(file)


def test_a_name_stands_for_one_detector(tmp_path, monkeypatch):
    monkeypatch.setattr("nuzoo.simulation.detectors.DETECTORS", dict(DETECTORS))
    detector = find_detector(written(tmp_path, SMALL))
    assert find_detector("small") is detector is enter_detector(detector)
    with pytest.raises(DetectorError, match="a second, different one"):
        find_detector(written(tmp_path, SMALL | {"size": [8, 7]}))
    with pytest.raises(DetectorError, match="a second, different one"):
        find_detector(written(tmp_path, SMALL | {"name": "modular-2x2x7"}))


def test_an_unknown_name_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(UnknownDetectorError, match="did you mean dune-like-3view"):
        find_detector("dune-like")
    with pytest.raises(DetectorFileError, match=r"no\.yaml"):
        find_detector(tmp_path / "no.yaml")
