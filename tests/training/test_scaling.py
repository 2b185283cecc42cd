"""How what is wrong falls with events and parameters: the laws, and what a study says of them."""

import csv
import re

import numpy as np
import pytest

from nuzoo.training.fields import RecipeError
from nuzoo.training.grid import run_grid as running
from nuzoo.training.grid.run_grid import Measured
from nuzoo.training.grid.study import GridStudy
from nuzoo.training.scaling.power_laws import fit_both, fit_events
from nuzoo.training.scaling.run_study import run_study

from ..pickled_work import PickledWork

EVENTS = np.array([1e3, 3e3, 1e4, 3e4, 1e5])
ERROR = np.full(5, 1e-4)


def test_a_straight_line_in_logarithms_is_found_with_its_slope():
    """Without a floor the exponent is the slope that numpy fits to logarithms, and a is what 10⁴ give."""
    wrong = 0.3 * (EVENTS / 1e4) ** -0.4
    slope, _ = np.polyfit(np.log(EVENTS), np.log(wrong), 1)
    law = fit_events(EVENTS, wrong, ERROR)
    assert law.numbers["alpha"].value == pytest.approx(-slope, abs=1e-3)
    assert law.numbers["a"].value == pytest.approx(wrong[2], abs=1e-3)
    assert law.numbers["c"].value == pytest.approx(0, abs=1e-3)
    assert law.degrees == 2 and law.chi2 < 1e-3


def test_errors_are_those_of_the_points_and_chi2_says_when_the_law_does_not_hold():
    rng = np.random.default_rng(0)
    wrong = 0.1 + 0.2 * (EVENTS / 1e4) ** -0.5
    law = fit_events(EVENTS, wrong + rng.normal(0, 0.003, 5), np.full(5, 0.003))
    assert abs(law.numbers["alpha"].value - 0.5) < 3 * law.numbers["alpha"].error < 0.3
    bent = np.array([0.5, 0.5, 0.1, 0.5, 0.5])
    assert fit_events(EVENTS, bent, np.full(5, 0.003)).chi2 > 1e3


def test_events_and_parameters_are_told_apart():
    n, p = (grid.ravel() for grid in np.meshgrid(EVENTS, [2e4, 8e4, 3e5, 1.2e6]))
    wrong = 0.1 + 0.1 * (n / 1e4) ** -0.4 + 0.05 * (p / 1e5) ** -0.3
    law = fit_both(n, p, wrong, np.full(20, 1e-4))
    found = {name: number.value for name, number in law.numbers.items()}
    true = {"E": 0.1, "A": 0.1, "alpha": 0.4, "B": 0.05, "beta": 0.3}
    assert found == pytest.approx(true, abs=0.02)
    assert law.curve(np.array([1e4]), np.array([1e5])) == pytest.approx([0.25], abs=1e-3)


def test_too_few_points_and_one_size_have_no_law():
    assert fit_events(EVENTS[:2], np.array([0.3, 0.2]), ERROR[:2]) is None
    assert fit_both(EVENTS, np.full(5, 1e5), np.full(5, 0.2), ERROR) is None


def test_text_table_and_figure_hold_every_cell_and_law(tmp_path, monkeypatch):
    sizes = {"small": 20_000, "large": 200_000}

    def measured(study, cell, *_):
        wrong = 0.1 + 0.1 * (cell.events / 1e4) ** -0.5 + 0.02 * (sizes[cell.way] / 1e5) ** -0.5
        return Measured(cell, "Accuracy", 1 - wrong, 0.002, sizes[cell.way], tmp_path)

    monkeypatch.setattr(running, "load_splits", lambda recipe: {"train": range(100_000), "test": range(5)})
    monkeypatch.setattr(running, "measure_cell", measured)
    ways = "ways={small: {}, large: {}}"
    study = GridStudy.read("nu_cnn_scaling", [f"out={tmp_path}", "seeds=[1,2]", ways])
    files = run_study(study, tell=lambda line: None)
    assert [file.name for file in files if not file.is_file()] == []
    alone, workers = (tmp_path / "scaling.csv").read_bytes(), PickledWork()
    run_study(study, tell=lambda line: None, workers=workers)
    assert len(workers.pieces) == 20 and (tmp_path / "scaling.csv").read_bytes() == alone
    assert len(list(csv.DictReader((tmp_path / "scaling.csv").open()))) == 2 * 5 * 2
    text = (tmp_path / "scaling.md").read_text()
    assert "| small | 20,000 | 0.539" in text
    assert re.search(r"\| all \| E = 0\.\d+ .*, α = 0\.5", text) and "| large | c = 0.1" in text


def test_a_way_may_have_a_recipe_of_its_own(tmp_path):
    ways = "ways={cnn: {}, vit: {recipe: nu_vit_tiny}}"
    study = GridStudy.read("nu_cnn_scaling", [f"out={tmp_path}", ways])
    types = {study.recipe_of(cell).architecture.model_type for cell in study.cells()}
    assert types == {"nu_cnn", "nu_vit"}
    with pytest.raises(RecipeError, match="nu_vit_tny"):
        GridStudy.read("nu_cnn_scaling", [f"out={tmp_path}", "ways={vit: {recipe: nu_vit_tny}}"])
