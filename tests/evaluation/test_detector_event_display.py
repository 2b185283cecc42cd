"""Displays of detector events: places against the design's numbers, and what pictures and pages show."""

import base64
import itertools
import json
import re
import shutil
import subprocess
from contextlib import contextmanager

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from PIL import Image

from nuzoo.evaluation.core.errors import DisplayError, EvaluationError
from nuzoo.evaluation.core.style import class_parts, class_title
from nuzoo.evaluation.display.detector_events import event_figure
from nuzoo.evaluation.display.detector_events.detector_parts import DetectorParts
from nuzoo.evaluation.display.detector_events.display import DISPLAY
from nuzoo.evaluation.display.detector_events.event_columns import event_columns
from nuzoo.evaluation.display.detector_events.event_figure import draw_event
from nuzoo.evaluation.display.detector_events.event_scene import CATEGORY_COLOURS, STATUS_COLOURS, event_scene
from nuzoo.evaluation.display.draw_events import draw_events, find_display, read_dataset
from nuzoo.evaluation.display.scenes.scene_page import write_scene_page
from nuzoo.files.events.event_errors import (
    MissingColumnError,
    NonFiniteError,
    OrderError,
    RangeError,
    ShapeError,
)
from nuzoo.simulation.detectors import DETECTORS
from nuzoo.simulation.errors import UnknownDetectorError

from ..drawing import undrawn
from .detector_event_rows import empty_row, large_row, small_row, without_truth

WITH_NODE = pytest.mark.skipif(
    shutil.which("node") is None, reason="node is not there, which runs the page's code"
)
SCORES = {"label": "nc", "scores": {"nue_cc": 0.2, "nc": 0.8}}
# The front of the 3DCal in the frame of the events, cm: its middle less half of its sides.
FRONT = np.array([17.4 - 24, 10.9 - 24, -6.6 - 125])


def scene_of(row, prediction=None, sample=None):
    return event_scene(event_columns(row), row, prediction, sample)


def page_of(row, folder, **options):
    text = write_scene_page(scene_of(row, **options), folder / "event.html").read_text()
    return text, json.loads(re.search(r'<script id="data"[^>]*>(.*?)</script>', text, re.DOTALL)[1])


def words_of(colouring):
    codes = np.frombuffer(base64.b64decode(colouring["codes"]), dtype="<u2")
    return [colouring["labels"][code] for code in codes]


# Places


def test_cubes_stand_behind_the_plates_and_gaps_of_the_modules_before_them():
    """Modules of 10 mm of tungsten, 20 cubes of 1 cm and 40 mm of air: 25 cm each."""
    position = scene_of(small_row()).position
    np.testing.assert_allclose(position[0] - FRONT, (0.5, 10.5, 1.5))
    np.testing.assert_allclose(position[1] - FRONT, (0.5, 10.5, 25 + 1.5))
    np.testing.assert_allclose(position[2] - FRONT, (47.5, 47.5, 9 * 25 + 1 + 19.5))


def test_thin_plates_make_short_modules():
    sandwich = DETECTORS["fasercal-1mm"].readout.sandwich
    places = DetectorParts(sandwich).cubes(np.array([[0, 0, 0], [0, 0, 20]]))
    assert places[1, 2] - places[0, 2] == pytest.approx(24.1)


def test_calorimeters_stand_behind_the_cubes_on_the_same_axis():
    """10 cm of air, 66 layers of 6 mm, 10 cm of air, 40 layers of 23 mm; 48 and 72 cm across."""
    position = scene_of(small_row()).position
    ecal, first, last = position[3:]
    middle = FRONT + np.array([24, 24, 0])
    # Tower 7 of 5 rows of 5 is the second along x and the third along y.
    np.testing.assert_allclose(ecal - middle, (-9.6, 0, 250 + 10 + 19.8), atol=1e-9)
    np.testing.assert_allclose(first - middle, (-34, 34, 250 + 10 + 39.6 + 10 + 1.15))
    np.testing.assert_allclose(last - middle, (34, -34, 309.6 + 39.5 * 2.3))


def test_boxes_hold_the_hits_of_their_parts_and_do_not_overlap():
    scene = scene_of(large_row(3000))
    boxes = [box for box in scene.boxes if box.name == "3DCal"]
    assert len(boxes) == 10 and len([box for box in scene.boxes if box.name == "tungsten"]) == 10
    part = scene.colourings[0]
    for name, of in (("3DCal", boxes), ("AHCAL", [scene.boxes[-1]]), ("ECAL", [scene.boxes[-2]])):
        inside = scene.position[part.codes == part.labels.index(name)]
        held = [((box.low < inside) & (inside < box.high)).all(axis=1) for box in of]
        assert np.sum(held, axis=0).tolist() == [1] * len(inside)
    order = sorted(scene.boxes, key=lambda box: box.low[2])
    assert all(one.high[2] <= other.low[2] + 1e-9 for one, other in itertools.pairwise(order))


def test_muon_tracks_go_from_the_vertex_along_their_momentum_to_the_back():
    [trail] = scene_of(small_row()).trails
    start, end = trail.places
    np.testing.assert_allclose(start, (17.4, 10.9, -100.0))
    assert (end[0] - start[0]) / (end[2] - start[2]) == pytest.approx(0.01)
    assert end[2] == pytest.approx(FRONT[2] + 309.6 + 92)
    assert len(scene_of(empty_row(primary_vertex=None)).trails) == 0
    [unknown] = scene_of(without_truth(small_row())).trails
    assert np.isfinite(unknown.places).all()


# Classes


def test_hits_are_coloured_by_what_is_known_of_them():
    part, status, particle, hierarchy = scene_of(small_row()).colourings
    said = [[of.labels[code] for code in of.codes] for of in (part, status, particle, hierarchy)]
    assert said[0] == ["3DCal"] * 3 + ["ECAL"] + ["AHCAL"] * 2
    assert said[1] == ["matched", "ghost", "unmatched"] + ["none"] * 3
    # 0.25 of the proton, which is secondary, and 0.75 of the electron, which is primary.
    assert said[2] == ["electromagnetic"] + ["none"] * 5
    assert said[3] == ["primary"] + ["none"] * 5


def test_without_truth_only_the_parts_are_known():
    scene = scene_of(without_truth(small_row()))
    assert [of.name for of in scene.colourings] == ["part"]
    assert scene.marks == ()
    assert scene.truth is None


def test_classes_of_neutrinos_are_written_as_the_field_does():
    assert class_parts("nutau_cc_mu") == [("ν", False), ("τ", True), (" CC, τ → μ", False)]
    assert class_title("nutau_cc_had") == "$\\nu_{\\tau}$ CC\nτ → hadrons"


# Print


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    figures = []
    opened = event_figure.figure

    @contextmanager
    def kept(*arguments, **options):
        with opened(*arguments, **options) as figure:
            figures.append(figure)
            yield figure

    monkeypatch.setattr(event_figure, "figure", kept)

    def draw(row, **options):
        paths = draw_event(event_columns(row), scene_of(row, **options), tmp_path / "event.png")
        assert [path.suffix for path in paths] == [".png", ".pdf"]
        assert Image.open(paths[0]).format == "PNG"
        assert paths[1].read_bytes().startswith(b"%PDF")
        return figures[-1]

    return draw


def panels_of(figure):
    return {axes.get_title(): axes for axes in figure.axes if axes.get_title()}


def cells_in(axes):
    """Middle and colour of each cell of the hits, as they are drawn."""
    found = {}
    for artist in axes.collections:
        if isinstance(artist, PolyCollection):
            for path, colour in zip(artist.get_paths(), artist.get_facecolors(), strict=True):
                found[tuple(np.round(path.vertices[:4].mean(axis=0), 2))] = to_hex(colour).upper()
    return found


def test_print_shows_all_parts_the_ecal_as_a_map_and_ghosts_apart(drawn):
    panels = panels_of(drawn(small_row()))
    assert list(panels) == [
        "zx projection",
        "zy projection",
        "3DCal xy",
        "AHCAL xy",
        "ECAL (GeV)",
        "zx projection, matched hits",
        "zx projection, ghost and unmatched hits",
    ]
    places = {(round(z - FRONT[2], 2), round(x - FRONT[0], 2)) for z, x in cells_in(panels["zx projection"])}
    assert {(1.5, 0.5), (26.5, 0.5), (245.5, 47.5)} <= places
    assert len(places) == 3 + 2 + 5
    texts = [text.get_text() for text in panels["ECAL (GeV)"].texts]
    assert texts.count("1.5") == 1 and texts.count("0") == 24
    bright = np.asarray(panels["ECAL (GeV)"].images[0].get_array())[..., :3].min(axis=2) < 1
    assert np.argwhere(bright).tolist() == [[2, 1]], "rows of a picture are y, columns x"


def test_print_colours_matched_hits_by_particle_and_the_others_by_status(drawn):
    panels = panels_of(drawn(small_row()))
    assert list(cells_in(panels["zx projection, matched hits"]).values()) == [
        CATEGORY_COLOURS["electromagnetic"].upper()
    ]
    others = cells_in(panels["zx projection, ghost and unmatched hits"])
    assert sorted(others.values()) == sorted(STATUS_COLOURS[name].upper() for name in ("ghost", "unmatched"))


def test_print_without_truth_shows_energies_alone(drawn):
    assert len(panels_of(drawn(without_truth(small_row())))) == 5


def test_print_shows_what_a_model_says(drawn):
    figure = drawn(without_truth(small_row()), prediction={"labels": ["ghost", "matched", "matched"]})
    assert "zx projection, prediction" in panels_of(figure)
    figure = drawn(small_row(flavour=5), prediction=SCORES)
    assert "prediction (correct)" in [axes.get_title(loc="left") for axes in figure.axes]


@pytest.mark.parametrize("row", [empty_row(), without_truth(empty_row())], ids=["of nothing", "unknown"])
def test_an_event_without_hits_is_drawn(drawn, tmp_path, row):
    assert cells_in(panels_of(drawn(row))["AHCAL xy"]) == {}
    _, event = page_of(row, tmp_path)
    assert event["shown"] == "All 0 are shown."


def test_facts_are_those_of_the_row():
    facts = dict(scene_of(small_row()).facts)
    assert (facts["class"], facts["charm"]) == ("numu_cc", "decays to μ")
    assert facts["neutrino"] == "νμ 1234 GeV"
    assert facts["vertex"] == "174, 109, -1000 mm"
    assert facts["3DCal"] == "3 hits, 0.0055 GeV"
    assert facts["ECAL"] == "1.5 GeV"
    assert (
        dict(scene_of(small_row(e_vis=[0.26432], pt_miss=[999.6])).facts).items()
        >= {
            "visible": "0.264 GeV",
            "missing pT": "1000 GeV/c",
        }.items()
    )
    assert (facts["muon tracks"], facts[""]) == ("1", "μ⁻ 300 GeV/c")
    assert "class" not in dict(scene_of(without_truth(small_row())).facts)


# Pages


def test_a_page_has_all_parts_and_colourings(tmp_path):
    _, event = page_of(small_row(), tmp_path)
    assert [of["name"] for of in event["colourings"]] == ["part", "status", "particle", "hierarchy"]
    assert words_of(event["colourings"][1])[:3] == ["matched", "ghost", "unmatched"]
    assert len(event["boxes"]) == 22
    assert {title: parts[0][0] for title, parts in event["facts"]}["charm"] == "decays to μ"


def test_a_large_event_is_thinned_and_the_page_says_so(tmp_path):
    _, event = page_of(large_row(), tmp_path)
    assert event["shown"].startswith("30,000 of 40,003 are shown")


@WITH_NODE
def test_the_page_draws_boxes_and_tracks_that_plotly_takes(tmp_path):
    from plotly.graph_objects import Figure

    page, event = page_of(small_row(), tmp_path)
    code = re.search(r'<script id="drawing">(.*?)</script>', page, re.DOTALL)[1]
    settings = {"colouring": 1, "from": 0, "size": 2, "whole": False}
    ask = f"JSON.stringify(traces(unpacked({json.dumps(event)}), {json.dumps(settings)}))"
    done = subprocess.run(
        ["node", "-"], input=f"{code}\nconsole.log({ask});", capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    traces = json.loads(done.stdout)
    assert [trace["name"] for trace in traces] == [
        "matched (1)",
        "ghost (1)",
        "unmatched (1)",
        "none (3)",
        "vertex",
        "direction of a muon track",
        "tungsten",
        "3DCal",
        "ECAL",
        "AHCAL",
    ]
    cubes = next(trace for trace in traces if trace["name"] == "3DCal")
    assert {round(z - FRONT[2], 6) for z in cubes["z"] if z is not None} == {
        edge for module in range(10) for edge in (25 * module + 1, 25 * module + 21)
    }
    assert len(Figure(data=traces).data) == len(traces)


# Rows


def test_rows_that_are_wrong_are_named():
    with pytest.raises(UnknownDetectorError, match="got 'other'"):
        scene_of(small_row(detector="other"))
    with pytest.raises(DisplayError, match="several parts, got lartpc-cube-768"):
        scene_of(small_row(detector="lartpc-cube-768"))
    with pytest.raises(MissingColumnError, match="cal_energy"):
        scene_of(small_row(cal_energy=None))
    with pytest.raises(MissingColumnError, match="ecal_energy"):
        scene_of(small_row(ecal_energy=None))
    with pytest.raises(ShapeError, match="each of 25 towers, got 24"):
        scene_of(small_row(ecal_energy=[0.0] * 24))
    with pytest.raises(NonFiniteError, match="ecal_energy"):
        scene_of(small_row(ecal_energy=[np.nan] * 25))
    with pytest.raises(RangeError, match=r"'cal_x'.*at most 47, got 48"):
        scene_of(small_row(cal_x=[48, 1, 2]))
    with pytest.raises(OrderError, match="each cube once"):
        scene_of(small_row(cal_x=[0, 0, 0], cal_y=[1, 1, 1], cal_z=[1, 1, 2], cal_module=[0, 0, 0]))
    with pytest.raises(RangeError, match="flavour"):
        scene_of(small_row(flavour="nux_cc"))
    with pytest.raises(DisplayError, match="each of 3 hits of the 3DCal, got 2"):
        scene_of(small_row(), prediction={"labels": ["ghost", "matched"]})
    with pytest.raises(EvaluationError, match='--sample "'):
        scene_of(small_row(source="run 7"))


def test_detector_events_are_told_from_others_by_detector_and_columns():
    assert find_display(small_row()) is DISPLAY
    assert find_display(without_truth(small_row())) is DISPLAY
    assert not DISPLAY.draws(small_row(detector="lartpc-cube-768"))
    assert not DISPLAY.draws({"event_id": "a", "detector": "fasercal"})


@undrawn()
def test_events_are_drawn_with_a_page_of_all_and_the_broken_one_is_left_out(tmp_path):
    left_out = []
    rows = [small_row(), small_row(event_id="broken", cal_energy=None)]
    paths = draw_events(rows, tmp_path, left_out=left_out)
    assert [path.name for path in paths] == ["sim-3-1.png", "sim-3-1.pdf", "sim-3-1.html", "index.html"]
    assert [one.event for one in left_out] == ["broken"]
    assert "decays to μ" in paths[-1].read_text()


class Events(list):
    features = None


@pytest.mark.parametrize(
    ("splits", "read"), [(("train", "test"), "test"), (("train", "validation"), "train")]
)
def test_a_dataset_without_a_test_split_is_drawn_from_its_first(monkeypatch, splits, read):
    from nuzoo.datasets_scripts.common import loading

    def load_events(source, split, streaming):
        assert split is None
        return {name: Events([{"event_id": name}]) for name in splits}

    monkeypatch.setattr(loading, "load_events", load_events)
    assert [row["event_id"] for row in read_dataset("folder", None)] == [read]


# Reconstruction


def told(**changes):
    """What the pipeline says of an event: the values of `small_row`, each a little off."""
    scores = {"nue_cc": 0.1, "numu_cc": 0.7, "nc": 0.2}
    charm = {"none": 0.4, "charm_had": 0.6}
    vectors = {
        "vis_momentum": [3.0, 4.0, 0.0],
        "jet_momentum": [0.0, 0.0, 40.0],
        "vertex": [180.0, 100.0, -990.0],
    }
    return {
        "flavour": {"label": "numu_cc", "score": 0.7, "scores": scores},
        "charm": {"label": "charm_had", "score": 0.6, "scores": charm},
        **{name: {"value": value, "unit": ""} for name, value in vectors.items()},
    } | changes


def test_true_and_reconstructed_quantities_stand_beside_each_other():
    facts = dict(scene_of(small_row(e_vis=[900.1], pt_miss=[2.2]), prediction=told()).facts)
    pairs = {
        "charm": ("decays to μ", "hadronic (0.60)"),
        "visible": ("900 GeV", "5 GeV"),
        "missing pT": ("2.2 GeV/c", "5 GeV/c"),
        "jet": ("400 GeV/c", "40 GeV/c"),
        "vertex": ("174, 109, -1000 mm", "180, 100, -990 mm"),
    }
    assert {title: (facts[title], facts[f"{title} found"]) for title in pairs} == pairs
    # (1, 2, 900) less (-1, 1, 400); (3, 4, 0) less (0, 0, 40).
    assert (facts["seen of lepton"], facts["lepton found"]) == ("500 GeV/c", "40.3 GeV/c")
    unknown = dict(scene_of(without_truth(small_row()), prediction=told()).facts)
    assert "jet" not in unknown and unknown["jet found"] == "40 GeV/c"
    assert not [title for title in dict(scene_of(small_row()).facts) if "found" in title]


def test_the_reconstructed_vertex_is_marked_beside_the_true_one():
    scene = scene_of(small_row(), prediction=told())
    assert [mark.kind for mark in scene.marks] == ["vertex", "found vertex"]
    np.testing.assert_allclose(scene.marks[1].position, (18.0, 10.0, -99.0))
    assert scene.prediction["label"] == scene.truth == "numu_cc"


def test_print_and_index_show_a_reconstruction(drawn):
    figure = drawn(small_row(), prediction=told())
    assert "prediction (correct)" in [axes.get_title(loc="left") for axes in figure.axes]
    legends = [
        text.get_text() for axes in figure.axes if axes.get_legend() for text in axes.get_legend().texts
    ]
    assert {"vertex", "found vertex"} <= set(legends)
    facts = DISPLAY.facts(small_row(), told())
    assert (facts["prediction"], facts["predicted charm"]) == ("numu_cc", "hadronic")
