"""Masks on a network whose answer to them is known in closed form."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers.modeling_outputs import ImageClassifierOutput

from nuzoo.evaluation.core.errors import ExplanationError, RegionError
from nuzoo.evaluation.display.pixel_maps.event_views import views_of
from nuzoo.evaluation.explain.explain_classified_event import explain_classified_event
from nuzoo.evaluation.explain.faithfulness import (
    cited_kind,
    conclusion,
    masks_of,
    measure_masks,
    what_to_mask,
)
from nuzoo.evaluation.explain.masking import elsewhere, rectangle, without
from nuzoo.files.events.pixel_map_events import pixel_map_schema

from .test_event_objects import ANCHOR_COLUMN, ANCHOR_ROW, DETECTOR, VIEW, cone, event, line


class Linear(torch.nn.Module):
    """The logit of the first class is the energy above the vertex's row over 100 MeV; the other's is 0."""

    dtype, device = torch.float32, torch.device("cpu")
    config = SimpleNamespace(id2label={0: "up", 1: "other"}, temperature=1.0, writes_text=False)

    def forward(self, upper):
        return ImageClassifierOutput(logits=torch.stack([upper / 100, torch.zeros_like(upper)], dim=1))


class Upper:
    """A processor: energy above the vertex's row in the first view."""

    schema = pixel_map_schema({"detector": "toy", "views": ("xz",), "height": 1, "width": 1})
    kept_from_network = ()

    def __call__(self, rows):
        return {"upper": torch.tensor([upper_of(row) for row in rows.to_pylist()])}


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def events(number):
    return [event(line(0.5 + 0.01 * k, 200), cone(-0.5, 60, 1.0 + 0.1 * k)) for k in range(number)]


def test_drop_is_that_of_the_closed_form():
    rows = events(4)
    masks = masks_of(rows, [what_to_mask(row, "A muon track.") for row in rows])
    found = measure_masks(Linear(), Upper(), rows, masks)
    whole = [float(upper_of(row)) for row in rows]
    cited = [mask for mask in masks if mask.what == "cited"]
    assert [mask.event for mask in cited] == [0, 1, 2, 3]
    expected = []
    for mask, before in zip(cited, whole, strict=True):
        left = float(upper_of(without(rows[mask.event], mask.pixels)))
        expected.append(sigmoid(before / 100) - sigmoid(left / 100))
        assert left < 0.1 * before
    assert found["mean_drop"]["cited"]["value"] == pytest.approx(np.mean(expected), abs=1e-6)
    assert found["mean_drop"]["other"]["value"] == pytest.approx(0, abs=0.02)
    change = next(one for one in found["events"] if one["mask"] == "cited")["change"]
    assert sum(change.values()) == pytest.approx(0, abs=1e-6)


def upper_of(row):
    index, energy = np.asarray(row["xz_index"]), np.asarray(row["xz_energy"])
    return energy[index // VIEW.columns > ANCHOR_ROW].sum()


def test_what_matters_is_told_and_what_does_not_is_not():
    rows = events(12)
    masks = masks_of(rows, [what_to_mask(row, "A muon track.") for row in rows])
    found = measure_masks(Linear(), Upper(), rows, masks)
    assert found["conclusion"].endswith("it matters.")
    masks = masks_of(rows, [what_to_mask(row, "An electron.") for row in rows])
    found = measure_masks(Linear(), Upper(), rows, masks)
    assert "matters less" in found["conclusion"] or "cannot be told" in found["conclusion"]
    assert "fewer than 10 events" in conclusion({})


def test_without_text_the_most_energetic_object_is_masked():
    row = event(line(0.5, 200), cone(-0.5, 60, 5.0))
    mask = masks_of([row], [what_to_mask(row, None)])[0]
    assert (mask.pixels["xz"] // VIEW.columns <= ANCHOR_ROW + 1).all()
    assert mask.energy_fraction > 0.5


def test_one_event_is_told_of_in_the_probabilities_of_the_closed_form(tmp_path):
    row = event(line(0.5, 200), cone(-0.5, 60, 0.2))
    found = explain_classified_event(Linear(), Upper(), row, tmp_path / "why.png", sample="toy")
    (left,) = [
        without(row, mask.pixels)
        for mask in masks_of([row], [what_to_mask(row, None)])
        if mask.what == "leading"
    ]
    before, after = (sigmoid(float(upper_of(of)) / 100) for of in (row, left))
    assert found.lines[0].startswith(
        f"The probability of up is {before:.2f}, and {after:.2f} without the most"
    )
    assert "a track" in found.lines[0] and before - after > 0.1
    assert found.picture.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ExplanationError, match="an event without one"):
        explain_classified_event(Linear(), Upper(), event(), tmp_path / "none.png", sample="toy")


def test_control_is_elsewhere_and_as_large():
    row = event(line(0.5, 100), line(-0.7, 200))
    index, energy = np.array(row["xz_index"]), np.array(row["xz_energy"])
    pixels = {view.name: index[index // VIEW.columns > ANCHOR_ROW + 3] for view in views_of(DETECTOR)}
    control = elsewhere(row, pixels, np.random.default_rng(1))
    for view in views_of(DETECTOR):
        assert not set(control[view.name]) & set(pixels[view.name])
        wanted = energy[np.isin(index, pixels[view.name])].sum()
        assert energy[np.isin(index, control[view.name])].sum() == pytest.approx(wanted, rel=0.03)


def test_a_view_without_activity_has_no_control():
    row = event(line(0.5, 100), line(-0.7, 200)) | {"yz_index": [], "yz_energy": []}
    pixels = {"xz": np.array(row["xz_index"][:50]), "yz": np.array([], dtype=int)}
    assert elsewhere(row, pixels, np.random.default_rng(1)).keys() == {"xz"}


def test_event_without_pixels_keeps_the_rest():
    row = event(line(0.5, 50))
    gone = row["xz_index"][:10]
    masked = without(row, {"xz": np.array(gone)})
    assert masked["xz_index"] == row["xz_index"][10:]
    assert masked["xz_energy"] == row["xz_energy"][10:]
    assert masked["yz_index"] == row["yz_index"]
    assert len(row["xz_index"]) == 50


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("An electron shower of about 3 GeV starts at the vertex, with one proton.", "shower"),
        ("A muon track of 2 GeV leaves the vertex.", "track"),
        ("A long track, and later a small shower.", "track"),
        ("Only hadrons leave the vertex: two protons.", None),
        ("There is no electron shower, only a long muon track.", "track"),
        ("A track without a shower.", "track"),
        ("Two photoelectrons.", None),
        ("", None),
    ],
)
def test_what_a_text_cites(text, kind):
    assert cited_kind(text) == kind


def test_rectangle_of_the_user():
    row = event(line(0.0, 50))
    region = f"xz:{ANCHOR_ROW},{ANCHOR_COLUMN},{ANCHOR_ROW + 1},{ANCHOR_COLUMN + 20}"
    assert len(rectangle(row, region)["xz"]) == 20


@pytest.mark.parametrize(
    "text", ["uv:0,0,1,1", "xz:0,0,1", "xz:5,5,1,1", "xz:0,0,9999,10", "nonsense", "xz:a,b,c,d"]
)
def test_region_that_is_none_is_refused(text):
    with pytest.raises(RegionError, match="expected a region"):
        rectangle(event(line(0.0, 5)), text)
