"""The schema of point clouds: what it takes, and what it refuses by name."""

import numpy as np
import pytest

from nuzoo.files.events.event_errors import EventError, RangeError, ShapeError
from nuzoo.files.events.event_schema import Ragged
from nuzoo.files.events.point_cloud_events import MOTIFS, ROLES, hit_roles, point_cloud_schema

VOXELS = {
    "detector": "box",
    "positions": "voxel",
    "shape": [10, 20, 30],
    "pitch_mm": [3.0, 3.0, 3.0],
    "origin_mm": [0.0, 0.0, 0.0],
}


def ragged(*events, dtype=np.int64) -> Ragged:
    lists = [np.array(event, dtype=dtype) for event in events]
    return Ragged(np.concatenate(lists), np.array([len(each) for each in lists]))


def two_events(**changed) -> dict[str, Ragged]:
    """The first event has three hits of two particles of one interaction, the second is empty."""
    table = {
        "x": ragged([0, 9, 4], []),
        "y": ragged([0, 19, 4], []),
        "z": ragged([0, 29, 4], []),
        "energy": ragged([0.5, 1.5, 0.2], [], dtype=np.float32),
        "motif": ragged([1, 0, 4], []),
        "particle": ragged([0, 1, -1], []),
        "interaction": ragged([0, 0, -1], []),
        "particle_pdg": ragged([13, 22], []),
        "particle_interaction": ragged([0, 0], []),
        "interaction_pdg": ragged([14], []),
    }
    return table | changed


def test_hits_with_all_their_truth_are_taken():
    point_cloud_schema(VOXELS).check(two_events(), stored=True)


def test_truth_that_is_not_known_may_be_empty():
    point_cloud_schema(VOXELS).check(two_events(motif=ragged([], [])))


def test_a_hit_is_what_its_motif_says_else_what_its_particle_is():
    """A primary muon, its delta and Michel electron, a secondary shower, one that showers, and an LED."""
    motif = ["track", "delta", "michel", "shower", "michel", "shower", "led"]
    particle = np.array([0, 1, 2, 3, 4, 4, -1])
    numbers = np.array([MOTIFS.index(name) for name in motif])
    role = hit_roles(numbers, particle, np.array([1, 0, 0, 0, 1]))
    assert [ROLES[number] for number in role] == [
        "primary",
        "delta",
        "michel",
        "other",
        "michel",
        "primary",
        "other",
    ]
    nothing = np.zeros(0, np.int64)
    assert hit_roles(nothing, nothing, nothing).tolist() == []
    point_cloud_schema(VOXELS).check(two_events(role=ragged([0, 2, 3], [])))


def test_a_table_has_the_length_that_its_first_known_column_says():
    """Of particles without a PDG code, as in PILArNet-M, other columns tell how many there are."""
    schema = point_cloud_schema(VOXELS)
    table = {"particle_pdg": ragged([], []), "particle_hits": ragged([2, 1], [])}
    schema.check(two_events(**table))
    schema.check(two_events(**table, particle_energy=ragged([1.0, 2.0], [], dtype=np.float32)))
    with pytest.raises(
        ShapeError, match=r"'particle_energy' of event 0: .* in 'particle_interaction', 2, got 1"
    ):
        schema.check(two_events(**table, particle_energy=ragged([1.0], [], dtype=np.float32)))
    with pytest.raises(RangeError, match="below the 2 of every particle"):
        schema.check(two_events(**table, particle=ragged([0, 2, -1], [])))
    with pytest.raises(ShapeError, match=r"'motif' of event 1: .* in 'x', 0, got 1"):
        schema.check(two_events(motif=ragged([1, 0, 4], [2])))


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"x": ragged([0, 10, 4], [])}, RangeError, "'x' of event 0: expected at most 9, got 10"),
        ({"motif": ragged([1, 0, 5], [])}, RangeError, "'motif' of event 0: expected at most 4, got 5"),
        ({"role": ragged([0, 4, 3], [])}, RangeError, "'role' of event 0: expected at most 3, got 4"),
        ({"motif": ragged([1, 0], [])}, ShapeError, "expected as many entries as in 'x', 3, got 2"),
        ({"particle": ragged([0, 2, -1], [])}, RangeError, "below the 2 of every particle"),
        ({"particle_interaction": ragged([0, 1], [])}, RangeError, "below the 1 of every interaction"),
        ({"energy": ragged([0.5, np.nan, 0.2], [], dtype=np.float32)}, EventError, "finite"),
    ],
)
def test_what_is_wrong_is_named(changed, error, words):
    with pytest.raises(error, match=words.replace("'", ".")):
        point_cloud_schema(VOXELS).check(two_events(**changed))


def test_positions_in_mm_are_those_of_the_detector():
    schema = point_cloud_schema(VOXELS | {"positions": "mm", "origin_mm": [-10.0, 0.0, 0.0]})
    assert (schema["x"].low.value, schema["x"].high.value, schema["x"].dtype) == (-10.0, 20.0, "float32")
