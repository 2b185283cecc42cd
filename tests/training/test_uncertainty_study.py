"""Studies of uncertainty: which trainings methods share, and what is said of them."""

import csv

import numpy as np
import pytest
from datasets import Dataset

from nuzoo.evaluation.uncertainty.numbers import class_uncertainty
from nuzoo.evaluation.uncertainty.report import Measured
from nuzoo.evaluation.uncertainty.sampling import Samples
from nuzoo.modeling.dropping import DropsNothingError
from nuzoo.training.fields import RecipeError
from nuzoo.training.recipe_data import with_replacement
from nuzoo.training.uncertainty import run_study as running
from nuzoo.training.uncertainty.run_study import run_study
from nuzoo.training.uncertainty.study import TITLES, Member, UncertaintyStudy

NAME = "nu_vit_uncertainty"

pytestmark = pytest.mark.usefixtures("undrawn_curves")


def test_methods_share_trainings():
    study = UncertaintyStudy.read(NAME, ["members=3"])
    plain = [Member("plain", seed) for seed in (1, 2, 3)]
    assert study.members_of("naive_ensemble") == plain
    assert study.members_of("deterministic") == study.members_of("mc_dropout") == plain[:1]
    names = [member.name for member in study.trainings()]
    assert len(names) == len(set(names)) == 3 + 3 + 3
    own = UncertaintyStudy.read(NAME, ["methods.mc_dropout.model.hidden_dropout_prob=0.2"])
    assert own.members_of("mc_dropout") == [Member("mc_dropout", 1)]
    assert own.recipe_of(Member("mc_dropout", 1)).model.fields["hidden_dropout_prob"] == 0.2


def test_recipes_differ_in_what_the_method_needs():
    study = UncertaintyStudy.read(NAME, ["fields.training.max_steps=7"])
    plain, drawn, brier = (
        study.recipe_of(Member(way, 2)) for way in ("plain", "bootstrap_ensemble", "evidential_brier")
    )
    assert plain.model.fields.get("evidential") is None and plain.data.bootstrap is None
    assert drawn.data.bootstrap == 2 and brier.model.fields["evidential"] == "brier"
    for recipe in (plain, drawn, brier):
        assert (recipe.training.seed, recipe.training.max_steps) == (2, 7)
    assert len({recipe.output for recipe in (plain, drawn, brier)}) == 3


def test_about_two_thirds_of_the_events_are_drawn():
    """1 - 1/e of them are, some of them twice and more, and the seed decides which."""
    rows = Dataset.from_dict({"event_id": range(4000)})
    drawn = with_replacement(rows, 1)["event_id"]
    assert len(drawn) == 4000
    assert len(set(drawn)) / 4000 == pytest.approx(1 - np.exp(-1), abs=0.02)
    assert list(drawn) == list(with_replacement(rows, 1)["event_id"]) != with_replacement(rows, 2)["event_id"]


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["methods.naive_ensembel={}"], "did you mean naive_ensemble"),
        (["methods={}"], "study.methods: expected some of"),
        (["members=1"], "members: expected 2 or more"),
        (["passes=1"], "passes: expected 2 or more"),
        (["membres=3"], "membres"),
        (["methods.deterministic.model.hiden_size=3"], "hiden_size"),
        (["fields.training.max_stps=3"], "max_stps"),
        (["published.columns=[one]"], "1 each as columns has"),
        (["passes.x=1"], "passes of a study is a value"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_trained(overrides, told):
    with pytest.raises(RecipeError, match=told):
        UncertaintyStudy.read(NAME, overrides)


QUICK = {
    "processor.rebin": 16,
    "training.max_steps": 2,
    "training.per_device_train_batch_size": 2,
    "training.warmup_steps": 0,
    "training.use_cpu": "true",
    "training.disable_tqdm": "true",
}


def quick_study(out, data, *overrides):
    fields = QUICK | {"data.path": data}
    given = [f"fields.{name}={value}" for name, value in fields.items()]
    return UncertaintyStudy.read(NAME, [f"out={out}", "members=2", "passes=2", *given, *overrides])


def test_a_study_trains_once_and_measures_again(simulated_dataset, tmp_path):
    (tmp_path / "study").mkdir()
    few = "methods={deterministic: {}, bootstrap_ensemble: {}, mc_dropout: {}, evidential_mll: {}}"
    study = quick_study(tmp_path / "study", simulated_dataset, few)
    files = run_study(study)
    table = files[0].read_bytes()
    weights = sorted((tmp_path / "study").glob("*/model.safetensors"))
    times = [file.stat().st_mtime_ns for file in weights]
    assert len(weights) == 1 + 2 + 1
    run_study(study)
    assert [file.stat().st_mtime_ns for file in weights] == times and files[0].read_bytes() == table
    with pytest.raises(RecipeError, match="another recipe"):
        run_study(
            quick_study(tmp_path / "study", simulated_dataset, few, "fields.model.hidden_dropout_prob=0.2")
        )


def test_dropout_of_a_network_without_is_refused_before_it_is_trained(simulated_dataset, tmp_path):
    fields = "fields.model.hidden_dropout_prob=0.0"
    with pytest.raises(DropsNothingError, match="got NuVitForEventClassification without dropout"):
        run_study(quick_study(tmp_path, simulated_dataset, fields))
    assert not any(tmp_path.iterdir())


def test_table_text_and_figures_are_of_all_methods(tmp_path, monkeypatch):
    out = tmp_path / "study"
    out.mkdir()
    study = UncertaintyStudy.read(NAME, [f"out={out}", "members=2"])
    test = Dataset.from_dict(
        {"event_id": ["a", "b"], "source": ["nuzoo-simulation test"] * 2, "detector": ["toy"] * 2}
    )
    monkeypatch.setattr(running, "load_splits", lambda recipe: {"test": test, "train": test})
    monkeypatch.setattr(running, "check_dropout", lambda recipe, rows: None)
    monkeypatch.setattr(running, "holds_finished", lambda recipe: True)
    rng = np.random.default_rng(0)
    logits, truth = rng.normal(size=(4, 300, 3)), rng.integers(0, 3, 300)

    def measured(study, method, rows):
        number = len(study.members_of(method))
        samples = Samples(logits[:number], truth, np.arange(300), method.startswith("evidential"))
        numbers = class_uncertainty(samples.predictive(), truth, replicas=20)
        return [Measured(TITLES[method], "logits", samples, numbers)]

    monkeypatch.setattr(running, "measure_method", measured)
    lines = []
    files = run_study(study, tell=lines.append)
    assert [file.name for file in files if not file.is_file()] == []
    assert len(lines) == 2 + 2 + 3 + 7
    table = list(csv.DictReader((out / "uncertainty.csv").open()))
    accuracies = {row["method"]: float(row["value"]) for row in table if row["number"] == "accuracy"}
    one = (logits[0].argmax(1) == truth).mean()
    assert len(accuracies) == 7 and accuracies["Deterministic"] == pytest.approx(one)
    text = (out / "uncertainty.md").read_text()
    assert "| Naive ensemble |" in text and "nuzoo simulation" in text
    assert "| MC dropout | 0.8734 | 0.795 | – | – |" in text and "Theirs: JINST 18" in text
