"""Points of interest of hand-made events."""

import numpy as np
import pytest

from nuzoo.files.events.event_errors import RangeError
from nuzoo.files.events.event_schema import Ragged
from nuzoo.files.events.keypoints import keypoints, keypoints_of
from nuzoo.files.events.point_cloud_events import KEYPOINT_KINDS, MOTIFS, point_cloud_schema
from nuzoo.simulation.detectors import LARTPC_CUBE

TRACK, SHOWER = MOTIFS.index("track"), MOTIFS.index("shower")


def along(start, stop, y=0, z=0):
    return [(x, y, z) for x in range(start, stop)]


def found(hits, vertices=(), motif=None, particle=None):
    """Kinds and places, in their order."""
    voxels, n = np.array(hits, np.int64).reshape(-1, 3), len(hits)
    columns = keypoints(
        voxels,
        np.full(n, TRACK) if motif is None else np.array(motif),
        np.zeros(n, int) if particle is None else np.array(particle),
        np.array(vertices, dtype=np.float64).reshape(-1, 3),
    )
    places = zip(*(columns[f"keypoint_{axis}"].tolist() for axis in "xyz"), strict=True)
    return [
        (KEYPOINT_KINDS[kind], place) for kind, place in zip(columns["keypoint_kind"], places, strict=True)
    ]


def test_a_track_from_a_vertex_has_one_end():
    expected = [("vertex", (10.25, 0.5, 0.5)), ("track_end", (29.5, 0.5, 0.5))]
    assert found(along(10, 30), [(10.25, 0.5, 0.5)]) == expected


def test_a_track_without_vertex_has_two_ends_in_whatever_order_its_hits_are():
    hits = [along(10, 30)[i] for i in np.random.default_rng(0).permutation(20)]
    assert {place for _, place in found(hits)} == {(10.5, 0.5, 0.5), (29.5, 0.5, 0.5)}


def test_a_vertex_without_a_hit_near_is_not_there():
    assert [kind for kind, _ in found(along(10, 30), [(20.5, 3.5, 0.5), (20.5, 3.6, 0.5)])][:2] == [
        "vertex",
        "track_end",
    ]
    assert [kind for kind, _ in found(along(10, 30), [(20.5, 9.0, 0.5)])] == ["track_end"] * 2


def test_ends_that_meet_are_one():
    """A muon that goes on after a kink: the place between is one end, and there are two others."""
    hits = along(0, 10) + [(9, y, 0) for y in range(1, 10)]
    places = [place for _, place in found(hits, particle=[0] * 10 + [1] * 9)]
    assert len(places) == 3 and sum(place in {(9.5, 0.5, 0.5), (9.5, 1.5, 0.5)} for place in places) == 1


def test_showers_and_short_tracks_have_no_ends():
    assert found(along(0, 20), motif=[SHOWER] * 20) == []
    assert found(along(0, 4)) == [] and len(found(along(0, 5))) == 2
    assert found(along(0, 20), particle=[-1] * 20) == found([]) == []


def test_where_a_cosmic_muon_enters_is_an_end_of_its_track():
    row = {axis: np.array(of) for axis, of in zip("xyz", zip(*along(0, 20), strict=True), strict=True)}
    row |= {"motif": np.full(20, TRACK), "particle": np.zeros(20, int)}
    row |= {f"interaction_{axis}": np.array([0.5]) for axis in "xyz"}
    kinds = [keypoints_of(row | {"interaction_kind": np.array([kind])})["keypoint_kind"] for kind in (0, 2)]
    assert [kind.tolist() for kind in kinds] == [[0, 1], [1, 1]]


def test_the_schema_takes_points_of_interest_and_refuses_other_kinds():
    schema = point_cloud_schema(LARTPC_CUBE.geometry())
    hit = {axis: np.array([1]) for axis in "xyz"} | {"energy": np.array([1.0], np.float32)}
    places = {f"keypoint_{axis}": np.array([1.5, 2.5], np.float32) for axis in "xyz"}

    def check(kinds):
        columns = hit | places | {"keypoint_kind": np.array(kinds)}
        schema.check({name: Ragged(of, np.array([len(of)])) for name, of in columns.items()})

    check([0, 1])
    with pytest.raises(RangeError, match="keypoint_kind"):
        check([0, 2])
