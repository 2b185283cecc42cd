import json
import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import LogNorm
from PIL import Image

from nuzoo.evaluation.core.errors import DisplayError, EvaluationError
from nuzoo.evaluation.display.draw_events import draw_events
from nuzoo.evaluation.display.event_summary import truth_lines
from nuzoo.evaluation.display.pixel_maps.event_display import brightest_of_blocks, draw_event, energy_colours
from nuzoo.evaluation.display.pixel_maps.event_page import write_interactive
from nuzoo.evaluation.display.pixel_maps.event_views import axis_name, energy_range, event_views, views_of
from nuzoo.files.events.event_errors import MissingColumnError, RangeError
from nuzoo.simulation.detectors import DETECTORS
from nuzoo.simulation.errors import UnknownDetectorError
from nuzoo.simulation.response.pixel_maps import Anchor, View

from ..drawing import undrawn

PREDICTION = {"label": "nc", "score": 0.6, "scores": {"nue_cc": 0.3, "numu_cc": 0.1, "nc": 0.6}}


def make_view(name, row_axis, anchor, pixel):
    return View(
        name=name,
        row_axis=row_axis,
        column_axis=(0.0, 0.0, 1.0),
        row_pitch_mm=5.0,
        column_pitch_mm=10.0,
        rows=100,
        columns=200,
        row_anchor=anchor,
        column_anchor=Anchor.FIRST,
        anchor_pixel=pixel,
    )


KNOWN = DETECTORS["modular-2x2x7"]
VIEWS = (
    make_view("xz", (1.0, 0.0, 0.0), Anchor.VERTEX, (50, 0)),
    make_view("u", (0.0, 0.6, 0.8), Anchor.MEAN, (0, 0)),
)
DETECTOR = replace(KNOWN, name="toy", readout=replace(KNOWN.readout, views=VIEWS))


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    monkeypatch.setitem(DETECTORS, "toy", DETECTOR)


def make_row(**changes):
    row = {
        "event_id": "sim-1-2",
        "source": "nuzoo-simulation test",
        "detector": "toy",
        "xz_index": [40 * 200 + 50, 40 * 200 + 149, 59 * 200 + 50],
        "xz_energy": [1.0, 2.0, 4.0],
        "u_index": [0],
        "u_energy": [0.5],
        "label": 1,
        "interaction_mode": 3,
        "neutrino_energy": 3.214,
        "n_protons": 2,
        "lepton_energy": None,
        "inelasticity": float("nan"),
    }
    return row | changes


def test_maps_are_placed_in_space():
    view, wires = event_views(make_row())
    assert (view.row_label, view.column_label) == ("x from the vertex", "z from the first pixel")
    assert wires.row_label == "u wires from the mean pixel"
    # The centre of the anchor pixel (row 50, column 0) is the origin.
    assert view.extent == pytest.approx((-0.5, 199.5, -25.25, 24.75))
    image = view.dense()
    assert image[40, 149] == 2
    assert np.isfinite(image).sum() == 3
    left, right, bottom, top = view.activity()
    # Columns 50..149 are at 50 to 149 cm: 8 % margin. Rows 40..59 are at -5 to 4.5 cm: 30 cm window.
    assert (left, right) == pytest.approx((50 - 7.92, 149 + 7.92))
    assert (bottom, top) == pytest.approx((-15.25, 14.75))


def test_window_leaves_noise_out():
    index = [50 * 200 + 100 + i for i in range(60)]
    row = make_row(xz_index=[3, *index], xz_energy=[0.1] + [1.0] * 60)
    left, right, bottom, _ = event_views(row)[0].activity()
    assert 90 < left < 100 < 159 < right < 170
    assert bottom > -20


def test_axis_names():
    assert axis_name((0, -1, 0), "v") == "y"
    assert axis_name((0, 0.6, 0.8), "v") == "v wires"


OF_EACH_SHAPE = {
    tuple((view.name, view.rows, view.columns) for view in views_of(detector)): name
    for name, detector in DETECTORS.items()
}
"""A detector of each set of views: those with pixels of another size are drawn alike."""


@pytest.mark.parametrize("name", [name for views, name in OF_EACH_SHAPE.items() if views])
def test_the_detectors_can_be_drawn(tmp_path, name):
    detector = DETECTORS[name]
    row = make_row(detector=name)
    for view in views_of(detector):
        row[f"{view.name}_index"] = [view.anchor_pixel[0] * view.columns + view.anchor_pixel[1]]
        row[f"{view.name}_energy"] = [1.0]
    for view in event_views(row):
        left, right, bottom, top = view.activity()
        assert left <= 0 <= right
        assert bottom <= 0 <= top
    assert Image.open(draw_event(row, tmp_path / "event.png")).format == "PNG"
    page = write_interactive(row, tmp_path / "event.html").read_text()
    assert len(embedded(page)["views"]) == len(views_of(detector))


def test_energy_range_spans_at_most_three_decades():
    views = event_views(make_row(xz_energy=[1e-6, 1.0, 10.0]))
    low, high = energy_range(views)
    assert 1 < high <= 10
    assert 100 < high / low <= 1000 * 1.001


def test_shrinking_keeps_single_pixels():
    image = np.full((5, 7), np.nan)
    image[4, 6], image[0, 0], image[1, 1] = 3, 1, 2
    small = brightest_of_blocks(image, 3)
    assert small.shape == (2, 3)
    assert small[0, 0] == 2
    assert small[1, 2] == 3
    assert np.isnan(small[0, 1])


def test_truth_is_written_with_units_and_unknowns_left_out():
    assert truth_lines(make_row()) == [
        ("class", "numu_cc"),
        ("channel", "DIS"),
        ("neutrino energy", "3.21 GeV"),
        ("protons", "2"),
    ]


def count_colour(path, energy, scale):
    """Pixels of a picture that have exactly the colour of an energy."""
    colour = energy_colours()(LogNorm(*scale)(energy), bytes=True)[:3]
    return (np.asarray(Image.open(path).convert("RGB")) == colour).all(axis=2).sum()


def test_picture_shows_energies_in_colour_and_zooms(tmp_path):
    """A block of 10 cm x 20 cm: 1/50 of the whole map of 50 cm x 200 cm, most of the window."""
    index = [(40 + r) * 200 + 100 + c for r in range(20) for c in range(20)]
    row = make_row(xz_index=index, xz_energy=[10.0] * 10 + [1.0] * 390, u_index=[], u_energy=[])
    scale = energy_range(event_views(row))
    options = {"prediction": PREDICTION}
    whole = draw_event(row, tmp_path / "whole.png", full_view=True, **options)
    zoomed = draw_event(row, tmp_path / "zoomed.png", **options)
    empty = make_row(xz_index=[], xz_energy=[], u_index=[], u_energy=[])
    blank = draw_event(empty, tmp_path / "blank.png", **options)
    in_blank, in_whole, in_zoomed = (count_colour(p, 1.0, scale) for p in (blank, whole, zoomed))
    assert in_whole - in_blank > 500
    assert in_zoomed - in_blank > 10 * (in_whole - in_blank)


def embedded(page):
    return json.loads(re.search(r'<script id="data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])


def test_page_holds_the_whole_event(tmp_path):
    path = write_interactive(make_row(), tmp_path / "e.html", prediction=PREDICTION)
    event = embedded(path.read_text())
    view = event["views"][0]
    assert np.cumsum(view["steps"]).tolist() == make_row()["xz_index"]
    assert view["energy"] == [1.0, 2.0, 4.0]
    assert (view["rowPitch"], view["columnPitch"]) == (0.5, 1.0)
    assert event["trueClass"] == "numu_cc"
    assert event["prediction"]["scores"][2] == ["nc", 0.6]
    assert path.stat().st_size < 30_000


def test_page_is_self_contained(tmp_path):
    page = write_interactive(make_row(), tmp_path / "e.html").read_text()
    assert not re.search(r"https?:|src=|href=|@import|url\(", page)


def test_page_cannot_be_injected(tmp_path):
    evil = "</script><img src=x onerror=alert(1)>&amp;"
    page = write_interactive(
        make_row(event_id=evil, source=evil), tmp_path / "e.html", sample="<b>x</b>"
    ).read_text()
    assert "<img" not in page
    assert "<b>x" not in page
    assert page.count("</script>") == 2
    assert embedded(page)["id"] == evil
    assert "innerHTML" not in page


def test_bad_rows_are_named(tmp_path):
    out = tmp_path / "e.png"
    with pytest.raises(UnknownDetectorError, match="got 'other'"):
        draw_event(make_row(detector="other"), out)
    with pytest.raises(DisplayError, match="seen in pixel maps, got lartpc-cube-768"):
        draw_event(make_row(detector="lartpc-cube-768"), out)
    with pytest.raises(MissingColumnError, match="u_energy"):
        draw_event(make_row(u_energy=None), out)
    with pytest.raises(RangeError, match=r"u_index.*at most 19999, got 20000"):
        draw_event(make_row(u_index=[20000]), out)
    with pytest.raises(EvaluationError, match='--sample "'):
        draw_event(make_row(event_id="run 7", source="run 7"), out)
    assert not out.exists()


def test_rows_that_no_modality_draws_are_named_before_anything_is_made(tmp_path):
    for row in (make_row(detector="other"), {"event_id": "a", "detector": "modular-2x2x7", "hits": [1]}):
        with pytest.raises(DisplayError, match=f"event {row['event_id']}: expected events of pixel-maps"):
            draw_events([row], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_name_is_drawn_as_it_is_and_not_as_a_formula(tmp_path):
    row = make_row(event_id="a$\\frac{$_{^\x00\n" + "b" * 5000)
    assert draw_event(row, tmp_path / "event.png").stat().st_size > 0


def test_axes_are_named_after_the_vertex_only_where_it_is_known():
    def label(**changes):
        return event_views(make_row(**changes))[0].row_label

    assert label() == "x from the vertex"
    assert label(source="a.h5#1", vertex=[1.0, 2.0, 3.0]) == "x from the vertex"
    assert label(source="a.h5#1") == label(source="a.h5#1", vertex=None) == "x from pixel 50"


def test_what_leaves_a_neutral_current_is_called_a_neutrino():
    charged = make_row(label=0, lepton_pdg=11, lepton_energy=1.0)
    neutral = make_row(label=2, lepton_pdg=-14, lepton_energy=1.0)
    unknown = make_row(label=2, lepton_pdg=None, lepton_energy=1.0)
    assert ("lepton energy", "1.00 GeV") in truth_lines(charged)
    for row in (neutral, unknown):
        assert ("outgoing neutrino", "1.00 GeV") in truth_lines(row)


def test_classes_of_ones_own_are_drawn_by_their_names(tmp_path):
    prediction = {"label": "cosmic", "score": 1.0, "scores": {"cosmic": 1.0, "a $long$ name of a class": 0.0}}
    row = make_row(label="a $long$ name of a class")
    assert draw_event(row, tmp_path / "e.png", prediction=prediction).with_suffix(".pdf").stat().st_size > 0
    page = embedded(write_interactive(row, tmp_path / "e.html", prediction=prediction).read_text())
    assert page["symbols"]["cosmic"] == [["cosmic", False]]


def test_the_title_of_a_page_is_the_event(tmp_path):
    page = write_interactive(make_row(event_id="run<1>"), tmp_path / "e.html").read_text()
    assert "<title>run&lt;1&gt;</title>" in page


@undrawn()
def test_events_of_any_names_have_pictures_of_their_own_inside_the_folder(tmp_path):
    names = ["..", "/tmp/x", "a/1", "a_1", "a 1", "a 1", "index", "x" * 300]
    out = tmp_path / "in" / "out"
    paths = draw_events([make_row(event_id=name) for name in names], out)
    assert {path.parent for path in paths} == {out}
    assert len(list(out.glob("*.png"))) == len(names)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["out"]


def test_one_event_that_cannot_be_drawn_costs_no_other(tmp_path):
    left_out = []
    rows = [
        make_row(event_id="a"),
        make_row(event_id="b", u_energy=None),
        make_row(event_id="c", detector="d"),
    ]
    draw_events(rows, tmp_path, left_out=left_out)
    assert [path.name for path in tmp_path.glob("*.png")] == ["a.png"]
    assert [(one.event, one.file) for one in left_out] == [(n, "nuzoo-simulation test") for n in ("b", "c")]
    index = (tmp_path / "index.html").read_text()
    assert index.count("<article>") == 1 and "ν<sub>μ</sub> CC" in index


def test_no_text_of_an_event_becomes_markup_in_the_index(tmp_path):
    evil = "<script>alert(1)</script>"
    draw_events([make_row(event_id=evil, source=evil, label=evil)], tmp_path, sample=evil)
    assert "<script" not in (tmp_path / "index.html").read_text()
