"""A network learns the answers of another one beside the truth."""

import datasets
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from nuzoo.cli import main
from nuzoo.evaluation.comparison.paired import accuracy_ratio
from nuzoo.pipelines.loading import load_model
from nuzoo.training.distillation.answers import ANSWERS_FILE, answers_of
from nuzoo.training.distillation.loss import answers_apart, similarities_apart
from nuzoo.training.distillation.study import DistillationStudy
from nuzoo.training.distillation.teacher import Teacher
from nuzoo.training.fields import RecipeError
from nuzoo.training.recipe import load_recipe
from nuzoo.training.supervised import build_trainer, train

pytestmark = pytest.mark.usefixtures("undrawn_curves")


@pytest.fixture(scope="module")
def splits(simulated_dataset):
    return datasets.load_dataset(str(simulated_dataset))


def quick(output, *overrides, name="nu_cnn_tiny"):
    fields = ["processor.rebin=16", "training.max_steps=2", "training.per_device_train_batch_size=4"]
    fields += ["training.use_cpu=true", "training.disable_tqdm=true", f"training.output_dir={output}"]
    fields += ["training.eval_strategy=no", "training.load_best_model_at_end=false"]
    return load_recipe(name, [*fields, *overrides])


@pytest.fixture(scope="module")
def teacher(splits, tmp_path_factory):
    return str(train(quick(tmp_path_factory.mktemp("teacher") / "run"), splits=splits))


def test_answers_apart_is_the_divergence_written_out():
    ours, theirs = torch.tensor([[0.0, 2.0], [1.0, 1.0]]), torch.tensor([[2.0, 0.0], [3.0, -1.0]])
    p, q = (theirs / 2).softmax(1), (ours / 2).softmax(1)
    by_hand = 4 * (p * (p / q).log()).sum(1).mean()
    torch.testing.assert_close(answers_apart(ours, theirs, 2.0), by_hand)
    assert answers_apart(ours, ours + 5, 3.0).abs() < 1e-6


def test_similarities_apart_by_hand():
    """Two events, alike to one and at right angles to the other: rows (1, 1)/√2 against (1, 0) and (0, 1)."""
    alike, apart = torch.tensor([[1.0], [1.0]]), torch.eye(2)
    side = 0.5**0.5
    by_hand = (2 * (1 - side) ** 2 + 2 * side**2) / 4
    assert similarities_apart(alike, apart).item() == pytest.approx(by_hand)
    assert similarities_apart(apart, 3 * torch.eye(2)) == 0


def test_training_costs_what_is_answered_otherwise_and_evaluation_does_not(splits, teacher, tmp_path):
    fields = [f"teacher.model={teacher}", "teacher.temperature=2", "teacher.weight=0.5", "teacher.features=3"]
    trainer = build_trainer(quick(tmp_path / "run", *fields, "training.seed=5"), splits, [])
    inputs = trainer.train_dataset.__getitems__([3, 1, 2, 0])
    known, processor = load_model(teacher)
    with torch.no_grad():
        rows = processor(splits["train"].select([3, 1, 2, 0]))
        taught, pooled = known(**rows).logits, known.base_model(**rows).pooler_output
    torch.testing.assert_close(inputs["teacher_logits"], taught)
    model = trainer.model.train()
    loss, outputs = trainer.compute_loss(model, inputs, return_outputs=True)
    own = F.cross_entropy(outputs["logits"], inputs["labels"])
    features = trainer.added[0].pooled
    cost = 0.5 * answers_apart(outputs["logits"], taught, 2.0) + 3 * similarities_apart(features, pooled)
    assert cost > 0
    torch.testing.assert_close(loss, own + cost, rtol=1e-4, atol=1e-5)
    plain = {name: value for name, value in inputs.items() if not name.startswith("teacher")}
    torch.testing.assert_close(trainer.compute_loss(model.eval(), inputs), model(**plain).loss)


def test_answers_are_kept_for_a_run_that_goes_on(splits, teacher, tmp_path, monkeypatch):
    folder = train(quick(tmp_path / "run", f"teacher.model={teacher}"), splits=splits)
    kept = load_file(folder / ANSWERS_FILE)
    assert kept["logits"].shape == (len(splits["train"]), 3)
    config = load_model(str(folder))[0].config
    monkeypatch.setattr("nuzoo.training.distillation.answers.load_model", pytest.fail)
    again = answers_of(Teacher(teacher), splits["train"], config, folder, 8)
    torch.testing.assert_close(again["logits"], kept["logits"])


def test_classes_are_put_in_the_order_of_the_one_that_learns(splits, teacher, tmp_path):
    config = load_model(teacher)[0].config
    rows = splits["train"].select(range(4))
    told = answers_of(Teacher(teacher), rows, config, tmp_path / "a", 4)["logits"]
    config.id2label = {0: "nc", 1: "nue_cc", 2: "numu_cc"}
    other = answers_of(Teacher(teacher), rows, config, tmp_path / "b", 4)["logits"]
    torch.testing.assert_close(other, told[:, [2, 0, 1]])


def test_it_learns_what_the_teacher_says(splits, teacher, tmp_path):
    """Of wrong answers alone: with a large weight eight events are answered as the teacher does."""
    fields = [
        f"teacher.model={teacher}",
        "teacher.temperature=1",
        "teacher.weight=30",
        "training.max_steps=30",
    ]
    fields += ["training.per_device_train_batch_size=8", "data.train_events=8", "augmentation={}"]
    folder = train(quick(tmp_path / "run", *fields), splits=splits)
    (model, processor), taught = load_model(str(folder)), load_file(folder / ANSWERS_FILE)["logits"]
    with torch.no_grad():
        told = model(**processor(splits["train"].select(range(8)))).logits
    untaught = answers_apart(torch.zeros_like(taught), taught, 1.0)
    assert answers_apart(told, taught, 1.0) < 0.5 * untaught


@pytest.mark.parametrize(
    ("overrides", "name", "message"),
    [
        (["teacher.weight=0"], "nu_cnn_tiny", "weight or features above 0"),
        (["teacher.temperature=0"], "nu_cnn_tiny", r"teacher.temperature: expected a number above 0"),
        (["teacher.weigth=1"], "nu_cnn_tiny", "weigth"),
        ([], "nu_unet_motif_tiny", "expected a recipe of event-classification"),
    ],
)
def test_what_cannot_be_taught_is_refused(tmp_path, overrides, name, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(name, ["teacher.model=nu-cnn-tiny", *overrides])


def test_a_teacher_of_something_else_is_refused(splits, tmp_path):
    recipe = quick(tmp_path / "run", "teacher.model=nu-point-motif-tiny")
    with pytest.raises(RecipeError, match="expected a classifier of nue_cc, numu_cc, nc, got a NuPoint"):
        build_trainer(recipe, splits, [])


def test_the_share_of_the_accuracy_that_is_kept_by_hand():
    """Six of eight beside seven of eight, and an error that common events make small."""
    first = np.array([1, 1, 1, 1, 1, 1, 0, 0], dtype=bool)
    second = np.array([1, 1, 1, 1, 1, 1, 1, 0], dtype=bool)
    kept = accuracy_ratio(first, second)
    assert kept.value == pytest.approx(6 / 7)
    assert accuracy_ratio(second, second).error == 0 < kept.error < 0.2


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["teacher=null"], "teacher"),
        (["ways={a: {teacher.model: nu-vit-tiny}}"], "one teacher of all, study.teacher"),
        (["ways={a: {teacher.temprature: 2}}"], "temprature"),
    ],
)
def test_studies_of_more_teachers_or_none_are_refused(overrides, told):
    with pytest.raises(RecipeError, match=told):
        DistillationStudy.read("nu_distillation", overrides)


def test_a_study_puts_students_beside_their_teacher(simulated_dataset, tmp_path, capsys):
    short = "training.max_steps: 1, training.per_device_train_batch_size: 4, recipe: nu_cnn_tiny"
    given = (
        f"out={tmp_path}/study",
        "events=[8]",
        f"fields.data.path={simulated_dataset}",
        "fields.training.eval_strategy=no",
        "fields.training.load_best_model_at_end=false",
        f"ways={{alone: {{{short}}}, taught: {{{short}, teacher.temperature: 2.0}}}}",
    )
    assert main(["bench", "distillation", *given]) == 0
    lines = (tmp_path / "study/distillation.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")][2:]
    assert [row[0] for row in rows] == ["nu-cnn-tiny", "alone-8-1", "taught-8-1"]
    assert rows[0][2] == "1" and rows[1][3] == rows[2][3] != rows[0][3]
    taught = load_recipe(tmp_path / "study/taught-8-1/recipe.yaml")
    assert (taught.teacher.model, taught.teacher.temperature) == ("nu-cnn-tiny", 2.0)
