import base64
import json
import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from PIL import Image

from nuzoo.evaluation.core.errors import DisplayError, EvaluationError
from nuzoo.evaluation.display.draw_events import draw_events, find_display
from nuzoo.evaluation.display.point_clouds.display import DISPLAY
from nuzoo.evaluation.display.point_clouds.event_scene import MOTIF_COLOURS, event_scene
from nuzoo.evaluation.display.point_clouds.particle_names import interaction_name, particle_name
from nuzoo.evaluation.display.scenes import scene_figure
from nuzoo.evaluation.display.scenes.projection import project
from nuzoo.evaluation.display.scenes.scene import LONGEST_LEGEND, Colouring
from nuzoo.evaluation.display.scenes.scene_figure import draw_scene, round_below
from nuzoo.evaluation.display.scenes.scene_page import packed_plotly, thinned, write_scene_page
from nuzoo.files.events.event_errors import MissingColumnError, RangeError, ShapeError, UnitError
from nuzoo.files.events.point_cloud_events import PLANES
from nuzoo.simulation.detectors import DETECTORS
from nuzoo.simulation.errors import UnknownDetectorError

from ..drawing import undrawn
from .point_cloud_rows import empty_row, event_row, small_row, without_truth

DATA = Path(os.environ.get("NUZOO_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
GENUINE = DATA / "pilarnet" / "pilarnet_m_mini_test_event0.npz"
WITH_NODE = pytest.mark.skipif(
    shutil.which("node") is None, reason="node is not there, which runs the page's code"
)
EVIL = "</script><script>alert(1)</script>$x^{_$<b>"
SCORES = {"label": "muon", "score": 0.7, "scores": {"proton": 0.1, "pion": 0.1, "muon": 0.7, "electron": 0.1}}


def scene_of(row, prediction=None, sample=None):
    return event_scene(row, prediction, sample)


def embedded(page):
    return json.loads(re.search(r'<script id="data"[^>]*>(.*?)</script>', page, re.DOTALL)[1])


def page_of(row, folder, **options):
    text = write_scene_page(scene_of(row, **options), folder / "event.html").read_text()
    return text, embedded(text)


def unpacked(text, kind):
    return np.frombuffer(base64.b64decode(text), dtype=kind)


def words_of(colouring):
    """The label of each point of a page."""
    return [colouring["labels"][code] for code in unpacked(colouring["codes"], "<u2")]


# Places and projections


def test_hits_are_placed_in_the_middle_of_their_voxels():
    scene = scene_of(small_row())
    # Voxel 100 of 3 mm reaches from 30 cm to 30.3 cm.
    assert scene.position[0] == pytest.approx((30.15, 60.15, 90.15))
    cubes = small_row(detector="scintillator-cube-200", x=[0], y=[100], z=[199], energy=[1.0])
    assert scene_of(without_truth(cubes)).position[0] == pytest.approx((-99.5, 0.5, 99.5))


def test_positions_in_mm_are_taken_as_they_are():
    row = small_row(positions="mm", x=[301.5], y=[2303.0], z=[3.0], energy=[1.0])
    assert scene_of(without_truth(row)).position[0] == pytest.approx((30.15, 230.3, 0.3))


def test_a_vertex_in_voxels_counts_from_the_corner_of_the_first_one():
    first, cosmic = scene_of(small_row()).marks
    assert first.position == pytest.approx((30.0, 60.0, 90.0))
    assert cosmic.position == pytest.approx((0.0, 230.4, 0.0))
    assert (first.name, cosmic.name) == ("vertex of 0 neutrino νμ CC 2.31 GeV", "vertex of 1 cosmic muon")


def test_voxels_that_are_projected_onto_one_cell_add_up():
    """By hand: the first two hits differ in y alone, the first and the third in x alone."""
    expected = {
        "zx": {(90.15, 30.15): 3.0, (90.15, 30.45): 0.5, (93.15, 31.05): 4.0},
        "zy": {(90.15, 60.15): 1.5, (90.15, 63.15): 2.0, (93.15, 60.15): 4.0},
        "xy": {(30.15, 60.15): 1.0, (30.15, 63.15): 2.0, (30.45, 60.15): 0.5, (31.05, 60.15): 4.0},
    }
    scene = scene_of(small_row())
    for name, axes in PLANES.items():
        view = project(scene, axes)
        found = {tuple(np.round(at, 2)): energy for at, energy in zip(view.middle, view.energy, strict=True)}
        assert found == pytest.approx(expected[name])


def test_hits_in_mm_fall_into_the_same_cells_as_those_in_voxels():
    row = without_truth(event_row())
    in_mm = row | {"positions": "mm"} | {axis: row[axis] * 3.0 + 1.5 for axis in "xyz"}
    for axes in PLANES.values():
        of_voxels, of_mm = (project(scene_of(each), axes) for each in (row, in_mm))
        np.testing.assert_array_equal(of_voxels.cell, of_mm.cell)
        np.testing.assert_allclose(of_voxels.middle, of_mm.middle)


def test_a_cell_has_the_class_with_most_energy_in_it():
    scene = scene_of(small_row())
    motif = scene.colourings[0]
    view = project(scene, PLANES["zx"])
    # z, x of hits 0 and 1 are one cell: 1 MeV of a track, 2 MeV of a delta ray.
    names = [motif.labels[code] for code in view.main_class(motif.codes, scene.energy)]
    assert names == ["delta ray", "track", "low-energy deposit"]


def test_the_window_is_a_cube_around_all_hits():
    low, high = scene_of(small_row()).window(margin=0.1, least=1.0)
    # 3.3 cm along y and z: voxels 200 to 210 with their edges; a tenth of it on each side.
    assert high - low == pytest.approx([3.96] * 3)
    assert (low + high) / 2 == pytest.approx((30.6, 61.65, 91.65))
    low, high = scene_of(empty_row()).window(margin=0.1, least=1.0)
    assert high - low == pytest.approx([1.2 * 230.4] * 3)


# Print


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Draws a scene and gives the figure."""
    figures = []
    opened = scene_figure.figure

    @contextmanager
    def kept(*arguments, **options):
        with opened(*arguments, **options) as figure:
            figures.append(figure)
            yield figure

    monkeypatch.setattr(scene_figure, "figure", kept)

    def draw(row, **options):
        paths = draw_scene(scene_of(row, **options), tmp_path / "event.png")
        assert [path.suffix for path in paths] == [".png", ".pdf"]
        assert all(path.stat().st_size > 1000 for path in paths)
        assert Image.open(paths[0]).format == "PNG"
        return figures[-1]

    return draw


def panels_of(figure):
    return [axes for axes in figure.axes if axes.get_title().endswith("projection")]


def legends_of(figure):
    legends = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    return {
        legend.get_title().get_text(): [text.get_text() for text in legend.get_texts()] for legend in legends
    }


def test_print_has_three_projections_of_one_scale_by_energy_and_by_motif(drawn):
    figure = drawn(small_row())
    panels = panels_of(figure)
    assert [axes.get_title().split()[0] for axes in panels] == ["zx", "zy", "xy"] * 2
    assert [axes.get_xlabel() for axes in panels[:3]] == ["z (cm)", "z (cm)", "x (cm)"]
    assert [axes.get_ylabel() for axes in panels[:3]] == ["x (cm)", "y (cm)", "y (cm)"]
    sides = [np.diff(limits)[0] for axes in panels for limits in (axes.get_xlim(), axes.get_ylim())]
    assert sides == pytest.approx([sides[0]] * 12)
    assert legends_of(figure) == {"motif": ["track", "delta ray", "low-energy deposit", "vertex"]}
    assert "Energy in a cell (MeV)" in [axes.get_ylabel() for bar in figure.axes for axes in bar.child_axes]


def test_print_draws_each_cell_once_and_the_vertex_where_it_is(drawn):
    zx, *_ = panels_of(drawn(small_row()))
    [cells] = [artist for artist in zx.collections if isinstance(artist, PolyCollection)]
    middles = sorted(tuple(np.round(path.vertices[:4].mean(axis=0), 2)) for path in cells.get_paths())
    assert middles == [(90.15, 30.15), (90.15, 30.45), (93.15, 31.05)]
    sides = [np.ptp(path.vertices, axis=0) for path in cells.get_paths()]
    np.testing.assert_allclose(sides, 0.3)
    assert (90.0, 30.0) in [(float(x), float(y)) for x, y in (line.get_xydata()[0] for line in zx.lines)]


def test_print_colours_cells_by_the_main_motif(drawn):
    classes = panels_of(drawn(small_row()))[3]
    [cells] = [artist for artist in classes.collections if isinstance(artist, PolyCollection)]
    # In the order of energy: 0.5 MeV of the track, 3 MeV mainly of the delta ray, 4 MeV of a deposit.
    colours = [to_hex(colour).upper() for colour in cells.get_facecolors()]
    assert colours == [MOTIF_COLOURS[motif].upper() for motif in ("track", "delta ray", "low-energy deposit")]


def test_print_without_truth_has_energies_alone(drawn):
    figure = drawn(without_truth(small_row()))
    assert len(panels_of(figure)) == 3
    assert legends_of(figure) == {}


def test_print_shows_what_a_model_says_of_the_hits_or_of_the_event(drawn):
    figure = drawn(without_truth(small_row()), prediction={"labels": ["track", "shower", "track", "other"]})
    assert legends_of(figure) == {"prediction": ["shower", "track", "other"]}
    row = without_truth(small_row(detector="scintillator-cube-200", x=[1], y=[2], z=[3], energy=[1.0]))
    figure = drawn(row | {"label": 2}, prediction=SCORES)
    assert "prediction (correct)" in [axes.get_title(loc="left") for axes in figure.axes]


@pytest.mark.parametrize("row", [empty_row(), without_truth(empty_row())], ids=["of nothing", "unknown"])
def test_an_event_without_hits_is_drawn(drawn, tmp_path, row):
    for axes in panels_of(drawn(row)):
        assert axes.get_xlim()[0] < 0 < 230.4 < axes.get_xlim()[1]
    _, event = page_of(row, tmp_path)
    assert event["shown"] == "All 0 are shown."


def test_one_hit_is_drawn(drawn, tmp_path):
    row = without_truth(small_row(x=[5], y=[6], z=[7], energy=[1.0]))
    zx, *_ = panels_of(drawn(row))
    assert zx.get_xlim() == pytest.approx((2.25 - 5, 2.25 + 5))
    _, event = page_of(row, tmp_path)
    assert unpacked(event["position"], "<f4") == pytest.approx((1.65, 1.95, 2.25))


@pytest.mark.parametrize(("length", "expected"), [(0.9, 0.5), (1, 1), (4.99, 2), (72, 50), (1999, 1000)])
def test_scale_bars_have_round_lengths(length, expected):
    assert round_below(length) == pytest.approx(expected)


# Pages


def test_numbers_of_particles_without_a_table_may_be_any():
    row = without_truth(small_row(x=[1, 2, 3], y=[0] * 3, z=[0] * 3, energy=[1.0] * 3))
    scene = event_scene(row | {"particle": [10**9, -1, 7]}, None, None)
    colouring = next(each for each in scene.colourings if each.name == "particle")
    assert [colouring.labels[code] for code in colouring.codes] == ["1000000000", "none", "7"]


def test_hits_are_coloured_by_role_where_it_is_known():
    scene = scene_of(small_row(role=[0, 2, 0, 3]))
    (role,) = (each for each in scene.colourings if each.name == "role")
    assert [role.labels[code] for code in role.codes] == ["primary", "delta ray", "primary", "other"]


def test_a_page_holds_the_whole_event(tmp_path):
    _, event = page_of(small_row(), tmp_path)
    assert unpacked(event["energy"], "<f4").tolist() == [1.0, 2.0, 0.5, 4.0]
    assert unpacked(event["position"], "<f4").reshape(4, 3)[3] == pytest.approx((31.05, 60.15, 93.15))
    assert [of["name"] for of in event["colourings"]] == ["motif", "particle type", "particle", "interaction"]
    motif, kind, particle, interaction = event["colourings"]
    assert words_of(motif) == ["track", "delta ray", "track", "low-energy deposit"]
    assert words_of(kind) == ["muon", "electron", "muon", "other or unknown"]
    assert words_of(particle) == ["0 μ⁻", "1 e⁻", "0 μ⁻", "none"]
    assert words_of(interaction) == ["0 neutrino νμ CC 2.31 GeV"] * 3 + ["none"]
    assert [(entry["name"], entry["hits"]) for entry in motif["legend"]] == [
        ("track", 2),
        ("delta ray", 1),
        ("low-energy deposit", 1),
    ]
    facts = {title: parts[0][0] for title, parts in event["facts"]}
    assert facts["hits"] == "4"
    assert facts["energy"] == "7.5 MeV"
    told = [parts[0][0] for title, parts in event["facts"] if not title]
    assert told == ["1 × neutrino νμ CC 2.31 GeV", "1 × cosmic muon"]
    assert facts["threshold"] == DETECTORS["lartpc-cube-768"].readout.simulation_facts()["threshold"]
    _, event = page_of(small_row(source="run 7"), tmp_path, sample="data")
    assert "threshold" not in dict(event["facts"]), "what others cut, nobody has said"


def test_a_page_without_truth_has_no_classes(tmp_path):
    _, event = page_of(without_truth(small_row()), tmp_path)
    assert event["colourings"] == event["marks"] == []


def test_a_page_has_what_a_model_says(tmp_path):
    _, event = page_of(small_row(), tmp_path, prediction={"labels": ["track", "led", "other", "track"]})
    said = event["colourings"][-1]
    assert (said["name"], words_of(said)) == (
        "prediction",
        ["track", "low-energy deposit", "other", "track"],
    )
    assert said["legend"][0]["colour"] == MOTIF_COLOURS["track"]
    row = without_truth(small_row(detector="scintillator-cube-200", x=[1], y=[2], z=[3], energy=[1.0]))
    _, event = page_of(row, tmp_path, prediction=SCORES)
    assert [bar["score"] for bar in event["prediction"] if bar["isBest"]] == [0.7]
    assert event["verdict"] == ""
    for label, verdict in ((2, "correct"), (0, "wrong")):
        _, event = page_of(row | {"label": label}, tmp_path, prediction=SCORES)
        assert event["verdict"] == verdict


def test_a_large_event_is_thinned_and_the_page_says_so(tmp_path):
    number = 40_000
    rng = np.random.default_rng(1)
    row = without_truth(small_row()) | {axis: rng.integers(0, 768, number) for axis in "xyz"}
    row |= {"energy": rng.exponential(1.0, number), "motif": np.repeat([1, 4], number // 2)}
    _, event = page_of(row, tmp_path)
    assert event["shown"].startswith("30,000 of 40,000 are shown: the 15,000 most energetic, and 15,000")
    shown = unpacked(event["energy"], "<f4")
    assert len(shown) == len(unpacked(event["colourings"][0]["codes"], "<u2")) == 30_000
    assert np.sort(shown)[-15_000:] == pytest.approx(np.sort(row["energy"])[-15_000:], rel=1e-6)
    assert [entry["hits"] for entry in event["colourings"][0]["legend"]] == [20_000, 20_000]
    again = page_of(row, tmp_path)[1]
    assert again == event


def test_thinning_keeps_the_most_energetic_and_a_fair_share_of_the_others():
    energy = np.arange(1.0, 1001.0)
    kept = thinned(energy, most=200)
    assert len(set(kept)) == 200
    assert set(range(900, 1000)) <= set(kept)
    faint = kept[kept < 900]
    assert abs(faint.mean() - 449.5) < 3 * 900 / np.sqrt(12 * 100)
    assert thinned(energy, most=1000).tolist() == list(range(1000))


def test_of_very_many_classes_the_most_energetic_have_an_entry_and_the_others_share_one():
    labels = tuple(map(str, range(30)))
    legend = Colouring("particle", labels, np.arange(30)).legend(np.arange(30.0))
    assert [entry.name for entry in legend] == [*map(str, range(11, 30)), "11 others"]
    assert legend[-1].codes == tuple(range(11))
    few = Colouring("particle", labels, np.arange(LONGEST_LEGEND)).legend(np.ones(LONGEST_LEGEND))
    assert [entry.name for entry in few] == list(labels[:LONGEST_LEGEND])


def test_a_page_is_one_file_that_asks_for_nothing(tmp_path):
    page, _ = page_of(small_row(), tmp_path)
    assert packed_plotly() in page
    own = page.replace(packed_plotly(), "")
    assert not re.search(r"https?:|src=|href=|@import|url\(", own)
    assert "default-src 'none'" in own
    assert len(own) < 30_000


def test_no_text_of_an_event_becomes_markup_or_a_formula(tmp_path):
    row = small_row(event_id=EVIL, source=EVIL)
    scene = scene_of(row, sample=EVIL, prediction={"labels": [EVIL, "track", "a$b$", "%{x}"]})
    page = write_scene_page(scene, tmp_path / "event.html").read_text()
    own = page.replace(packed_plotly(), "")
    assert "alert(1)</script>" not in own
    assert own.count("</script>") == 4
    assert embedded(page)["id"] == EVIL
    assert "innerHTML" not in own
    assert "typesetMath: false" in own
    assert draw_scene(scene, tmp_path / "event.png")[1].stat().st_size > 0


@pytest.mark.parametrize("name", ["EVENT_DATA", "PACKED_PLOTLY", "PAGE_STYLE"])
def test_an_event_may_have_the_name_of_a_place_in_the_page(tmp_path, name):
    page, event = page_of(small_row(event_id=name), tmp_path)
    assert event["id"] == name
    assert f"<title>{name}</title>" in page


def traces_in(page, settings, of="traces"):
    """What the page hands to plotly, by running its own code without a browser."""
    code = re.search(r'<script id="drawing">(.*?)</script>', page, re.DOTALL)[1]
    ask = f"JSON.stringify({of}(unpacked({json.dumps(embedded(page))}), {json.dumps(settings)}))"
    done = subprocess.run(
        ["node", "-"], input=f"{code}\nconsole.log({ask});", capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@WITH_NODE
def test_the_page_draws_what_it_holds(tmp_path):
    page, _ = page_of(small_row(), tmp_path, prediction={"labels": ["<b>x</b>", "led", "led", "led"]})
    settings = {"colouring": -1, "from": 0, "size": 2, "whole": False}
    hits, vertices = traces_in(page, settings)
    assert hits["marker"]["color"] == pytest.approx(np.log10([1.0, 2.0, 0.5, 4.0]))
    assert hits["text"][0].split("<br>") == [
        "x 30.15, y 60.15, z 90.15 cm",
        "1.00 MeV",
        "motif: track",
        "particle type: muon",
        "particle: 0 μ⁻",
        "interaction: 0 neutrino νμ CC 2.31 GeV",
        "prediction: &lt;b&gt;x&lt;/b&gt;",
    ]
    assert vertices["y"] == pytest.approx([60.0, 230.4])
    classes = traces_in(page, settings | {"colouring": 0, "from": 0.7, "whole": True})
    assert [trace["name"] for trace in classes] == [
        "track (2)",
        "delta ray (1)",
        "low-energy deposit (1)",
        "true vertex",
        "detector",
    ]
    assert [len(trace["x"]) for trace in classes[:3]] == [1, 1, 1]
    assert {round(x, 6) for x in classes[-1]["x"] if x is not None} == {0.0, 230.4}
    said = traces_in(page, settings | {"colouring": 4})
    assert [trace["name"] for trace in said[:2]] == ["low-energy deposit (3)", "&lt;b&gt;x&lt;/b&gt; (1)"]


@WITH_NODE
@pytest.mark.parametrize("whole", [False, True])
def test_lengths_keep_their_proportions_and_all_is_before_the_camera(tmp_path, whole):
    page, _ = page_of(small_row(), tmp_path)
    shown = traces_in(page, {"colouring": -1, "whole": whole}, of="layout")["scene"]
    sides = np.array([np.ptp(shown[f"{axis}axis"]["range"]) for axis in "xyz"])
    drawn = np.array([shown["aspectratio"][axis] for axis in "xyz"])
    np.testing.assert_allclose(drawn / sides, drawn[0] / sides[0])
    assert np.linalg.norm(drawn) / 2 < np.linalg.norm([*shown["camera"]["eye"].values()]) / 2


@WITH_NODE
def test_plotly_takes_the_traces_for_what_they_are(tmp_path):
    """Plotly's own check of every name and value of the traces."""
    from plotly.graph_objects import Figure

    page, _ = page_of(event_row(), tmp_path)
    for colouring in (-1, 0, 2):
        traces = traces_in(page, {"colouring": colouring, "from": 0, "size": 2, "whole": True})
        assert len(Figure(data=traces).data) == len(traces)


# Rows


def test_rows_that_are_wrong_are_named(tmp_path):
    with pytest.raises(UnknownDetectorError, match="got 'other'"):
        scene_of(small_row(detector="other"))
    with pytest.raises(DisplayError, match=r"seen in three dimensions, got modular-2x2x7"):
        scene_of(small_row(detector="modular-2x2x7"))
    with pytest.raises(MissingColumnError, match="energy"):
        scene_of(small_row(energy=None))
    with pytest.raises(MissingColumnError, match="expected voxel or mm, got None"):
        scene_of(small_row(positions=None))
    with pytest.raises(UnitError, match="expected voxel or mm, got 'cm'"):
        scene_of(small_row(positions="cm"))
    with pytest.raises(RangeError, match=r"'x'.*at most 767, got 768"):
        scene_of(small_row(x=[768, 1, 2, 3]))
    with pytest.raises(ShapeError, match="'motif'"):
        scene_of(small_row(motif=[1, 1]))
    with pytest.raises(DisplayError, match="a label for each of 4 hits, got 2"):
        scene_of(small_row(), prediction={"labels": ["track", "led"]})
    with pytest.raises(EvaluationError, match='--sample "'):
        scene_of(small_row(source="run 7"))


def test_point_clouds_are_told_from_pixel_maps_by_their_columns():
    assert find_display(small_row()) is DISPLAY
    assert find_display(without_truth(small_row())) is DISPLAY
    assert not DISPLAY.draws({"event_id": "a", "detector": "modular-2x2x7", "xz_index": [1]})
    assert not DISPLAY.draws(small_row(detector="modular-2x2x7"))
    assert not DISPLAY.draws({"event_id": "a"})


def test_the_list_of_events_says_how_many_interactions_there_are_and_what_was_predicted():
    row = small_row(interaction_kind=[0, 0])
    labels = ["track", "track", "track", "led"]
    assert DISPLAY.facts(row, {"labels": labels}) == {
        "truth": "2 × neutrino",
        "hits": "4",
        "prediction": "track 75%, low-energy deposit 25%",
    }
    assert DISPLAY.facts(small_row())["truth"] == "1 × neutrino, 1 × cosmic muon"
    assert DISPLAY.facts(without_truth(small_row())) == {"hits": "4"}
    bombs = small_row(interaction_kind=[1, 2])
    assert DISPLAY.facts(bombs)["truth"] == "1 × particle bomb, 1 × cosmic muon"
    one = without_truth(small_row(detector="scintillator-cube-200", x=[1], y=[2], z=[3], energy=[1.0]))
    assert scene_of(one | {"label": 2, "interaction_kind": [1]}).facts[-2] == ("", "1 × particle gun")
    assert DISPLAY.facts(one | {"label": 2}, SCORES) == {"truth": "muon", "hits": "1", "prediction": "muon"}


@undrawn()
def test_events_are_drawn_into_a_folder_and_one_that_cannot_costs_no_other(tmp_path):
    left_out = []
    rows = [small_row(event_id="a"), small_row(event_id="b", z=None), empty_row(event_id="c")]
    paths = draw_events(rows, tmp_path, left_out=left_out)
    names = ["a.png", "a.pdf", "a.html", "c.png", "c.pdf", "c.html", "index.html"]
    assert [path.name for path in paths] == names
    assert [one.event for one in left_out] == ["b"]
    assert "1 × neutrino, 1 × cosmic muon" in paths[-1].read_text()


@undrawn()
def test_a_dataset_of_point_clouds_is_drawn_without_saying_that_it_is_one(tmp_path):
    from datasets import Dataset

    from nuzoo.cli import main
    from nuzoo.datasets_scripts.common.rows import row_features
    from nuzoo.files.events.point_cloud_events import point_cloud_schema

    schema = point_cloud_schema(DETECTORS["lartpc-cube-768"].geometry())
    rows = [dict.fromkeys(schema.by_name) | row for row in (small_row(), event_row())]
    folder = tmp_path / "cubes"
    (folder / "data").mkdir(parents=True)
    Dataset.from_list(rows, features=row_features(schema)).to_parquet(folder / "data" / "test-0.parquet")
    card = (
        "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: test\n    path: data/test-*\n---\n"
    )
    (folder / "README.md").write_text(card)
    assert main(["display", str(folder), "--out", str(tmp_path / "drawn")]) == 0
    assert len(list((tmp_path / "drawn").glob("*.png"))) == 2


def test_particles_and_interactions_have_the_names_that_the_field_uses():
    assert [particle_name(pdg) for pdg in (13, -13, 2212, 0)] == ["μ⁻", "μ⁺", "p", ""]
    assert particle_name(1000180400) == "nucleus Z=18 A=40"
    assert particle_name(9999) == "PDG 9999"
    assert interaction_name("neutrino", -12, 1.0, 0) == "neutrino ν̄e NC 1.00 GeV"
    assert interaction_name("cosmic", 0, 0.0, -1) == "cosmic"


def test_names_of_particles_agree_with_the_tables_of_the_particle_data_group():
    particle = pytest.importorskip("particle")
    from nuzoo.evaluation.display.point_clouds.particle_names import NAMES

    for pdg, name in NAMES.items():
        charge = particle.Particle.from_pdgid(pdg).charge
        signs = name.count("⁺") - name.count("⁻")
        assert signs == (charge if name[0] not in "pn" else 0)


@pytest.mark.parametrize("name", [name for name, of in DETECTORS.items() if "positions" in of.geometry()])
def test_the_detectors_that_are_seen_in_space_can_be_drawn(tmp_path, name):
    middle = DETECTORS[name].geometry()["shape"][0] // 2
    row = without_truth(small_row(detector=name, energy=[1.0], x=[middle], y=[middle], z=[middle]))
    assert len(DISPLAY.draw(row, tmp_path / "event")) == 3


def test_a_genuine_event_is_drawn(tmp_path):
    if not GENUINE.is_file():
        pytest.skip(f"{GENUINE.name} is not in {DATA}; set NUZOO_DATA")
    event = np.load(GENUINE)
    columns = {name: event[name].astype(np.int64) for name in ("motif", "pid", "particle", "interaction")}
    row = without_truth(small_row()) | columns | dict(zip("xyz", event["voxel"].T, strict=True))
    row |= {"energy": event["energy"], "source": "PILArNet-M"}
    DISPLAY.draw(row, tmp_path / "event", sample="PILArNet-M")
    shown = embedded((tmp_path / "event.html").read_text())
    assert shown["shown"] == "All 1,175 are shown."
    assert sum(entry["hits"] for entry in shown["colourings"][2]["legend"]) == 1175


def test_found_instances_are_drawn_beside_the_true_ones(drawn):
    prediction = {
        "labels": ["muon", "none", "muon", "photon"],
        "instances": [2, -1, 2, 1],
        "segments": [{"label": "photon", "score": 0.9}, {"label": "muon", "score": 0.75}],
    }
    legends = legends_of(drawn(small_row(), prediction=prediction))
    assert list(legends) == ["particle", "found instance", "prediction"]
    assert legends["found instance"] == ["none", "1 photon 0.90", "2 muon 0.75", "true vertex"]
    assert legends["particle"] == ["none", "0 μ⁻", "1 e⁻", "true vertex"]
    with pytest.raises(DisplayError, match="each of 4 hits, got 2"):
        scene_of(small_row(), prediction=prediction | {"instances": [1, 1]})
    assert DISPLAY.facts(small_row(), prediction)["prediction"] == "1 photon, 1 muon"
