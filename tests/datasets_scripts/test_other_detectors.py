"""Events of another detector than a model is made for."""

import pytest

from nuzoo.datasets_scripts.common.other_detectors import OtherDetectors
from nuzoo.simulation.detectors import find_detector
from nuzoo.simulation.errors import DetectorError


def taken(model, *names):
    others = OtherDetectors(find_detector(model).geometry())
    rows = [{"event_id": "e", "detector": name} for name in names]
    return [row["detector"] for row in others.taken(rows)], list(others.told())


def test_maps_of_the_same_form_are_taken_and_told():
    rows, told = taken("modular-2x2x7", "modular-2x2x7", *["opera-target-tracker-5mm"] * 2)
    assert rows == ["modular-2x2x7"] * 3
    (line,) = told
    assert line.startswith("warning: events of opera-target-tracker-5mm (5 × 5 mm): 2, given to a model for")
    assert line.endswith("what it says of them is no measurement")


def test_events_of_the_detector_itself_need_no_word():
    assert taken("modular-2x2x7", "modular-2x2x7") == (["modular-2x2x7"], [])


def test_voxels_of_another_size_are_told():
    _, (line,) = taken("lartpc-cube-768", "dune-2x2")
    assert "dune-2x2 (4.434 × 4.434 × 4.434 mm)" in line and "lartpc-cube-768 (3 × 3 × 3 mm)" in line


@pytest.mark.parametrize(
    ("model", "name", "words"),
    [
        ("modular-2x2x7", "opera-target-tracker", "expected height 512, as of modular-2x2x7, got 264"),
        ("modular-2x2x7", "protodune-hd-apa", "expected views xz, yz"),
        ("lartpc-cube-768", "modular-2x2x7", "expected views none"),
    ],
)
def test_another_form_is_refused(model, name, words):
    with pytest.raises(DetectorError, match=words):
        taken(model, name)
