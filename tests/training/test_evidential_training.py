"""Evidential networks are trained from recipes, and run from their checkpoints alone."""

import datasets
import numpy as np
import pytest
import torch

from nuzoo.evaluation.uncertainty.sampling import ask
from nuzoo.files.events.point_cloud_events import MOTIFS
from nuzoo.modeling.evidence import wrong_evidence
from nuzoo.pipelines.loading import load_model
from nuzoo.training.fields import RecipeError
from nuzoo.training.recipe import load_recipe
from nuzoo.training.supervised import build_trainer, describe_network, train
from tests.evaluation.full_detector_events import detector_rows
from tests.evaluation.point_cloud_rows import small_row

pytestmark = pytest.mark.usefixtures("undrawn_curves")


@pytest.fixture(scope="module")
def splits(simulated_dataset):
    return datasets.load_dataset(str(simulated_dataset))


@pytest.fixture(scope="module")
def detector_splits():
    return {"train": detector_rows(8), "validation": detector_rows(4, seed=1, split="validation")}


def quick(output, *overrides):
    fields = ["processor.rebin=16", "training.max_steps=2", "training.per_device_train_batch_size=4"]
    fields += ["training.use_cpu=true", "training.disable_tqdm=true", f"training.output_dir={output}"]
    fields += ["training.eval_strategy=no", "training.load_best_model_at_end=false"]
    return load_recipe("nu_cnn_tiny", [*fields, *overrides])


def test_a_checkpoint_alone_knows_that_its_logits_are_evidence(splits, tmp_path):
    model, processor = load_model(
        str(train(quick(tmp_path / "run", "model.evidential=bayes_risk"), splits=splits))
    )
    assert model.config.evidential == "bayes_risk"
    with torch.no_grad():
        alpha = model(**processor(splits["test"])).logits.double().exp()
    assert (alpha > 1).all()


@pytest.mark.parametrize(("epoch", "weight"), [(0.0, 0.0), (1.0, 0.25), (9.0, 1.0)])
def test_evidence_for_wrong_classes_costs_more_and_more_in_training(splits, tmp_path, epoch, weight):
    recipe = quick(tmp_path / "run", "model.evidential=brier", "model.evidence_epochs=4")
    trainer = build_trainer(recipe, splits, [])
    trainer.state.epoch = epoch
    inputs = trainer.train_dataset.__getitems__([0, 1, 2, 3])
    model = trainer.model.train()
    loss, outputs = trainer.compute_loss(model, inputs, return_outputs=True)
    against = wrong_evidence(outputs["logits"], inputs["labels"]).mean()
    assert loss.item() == pytest.approx((outputs["loss"] + weight * against).item(), rel=1e-5)
    plain = trainer.compute_loss(model.eval(), inputs)
    assert plain.item() == pytest.approx(model(**inputs).loss.item(), rel=1e-5)


@pytest.mark.parametrize("name", ["nu_unet_motif_tiny", "nu_point_motif_tiny"])
def test_hits_have_evidence_too(tmp_path, name):
    """Ten steps on one event teach it, and what is known of it is more than of nothing: S > 5."""
    names = ("event_id", "detector", "positions", "x", "y", "z", "energy", "motif")
    event = {column: value for column, value in small_row().items() if column in names}
    rows = datasets.Dataset.from_list([event] * 4)
    rows = rows.cast_column("motif", datasets.List(datasets.ClassLabel(names=list(MOTIFS))))
    fields = ["model.evidential=bayes_risk", "training.max_steps=10", "training.eval_strategy=no"]
    fields += [
        "training.use_cpu=true",
        "training.disable_tqdm=true",
        f"training.output_dir={tmp_path / 'run'}",
    ]
    fields += ["training.load_best_model_at_end=false", "augmentation={}", "training.save_strategy=no"]
    folder = train(load_recipe(name, fields), splits={"train": rows})
    told = ask(*load_model(str(folder)), rows, targets=("motif",))["logits"]
    assert told.is_evidence and told.values.shape == (1, 16, 5)
    assert np.exp(told.values).sum(-1).min() > 5


RECONSTRUCTION = ["model.hidden_size=16", "model.num_attention_heads=2", "training.report_to=[]"]
RECONSTRUCTION += ["training.per_device_train_batch_size=4", "training.use_cpu=true", "training.max_steps=2"]


def test_both_heads_of_a_reconstruction_pay_for_wrong_evidence(detector_splits, tmp_path):
    fields = ["model.evidential=brier", "model.label_smoothing=0", "model.evidence_epochs=4"]
    fields += [f"training.output_dir={tmp_path / 'run'}"]
    recipe = load_recipe("nu_perceiver_fasercal_tiny", [*RECONSTRUCTION, *fields])
    trainer = build_trainer(recipe, detector_splits, [])
    trainer.state.epoch = 1.0
    inputs = trainer.train_dataset.__getitems__([0, 1, 2, 3])
    loss, outputs = trainer.compute_loss(trainer.model.train(), inputs, return_outputs=True)
    against = sum(
        wrong_evidence(outputs[f"{head}_logits"], inputs[f"{head}_labels"]).mean()
        for head in ("flavour", "charm")
    )
    assert against > 0
    assert loss.item() == pytest.approx((outputs["loss"] + 0.25 * against).item(), rel=1e-5)


def test_a_network_without_classes_has_no_evidence(detector_splits, tmp_path):
    recipe = load_recipe(
        "nu_perceiver_mae_tiny",
        [
            *RECONSTRUCTION,
            "model.evidential=mll",
            "model.label_smoothing=0",
            f"training.output_dir={tmp_path}",
        ],
    )
    _, config = describe_network(recipe, detector_splits["train"])
    with pytest.raises(
        RecipeError, match=r"model.evidential: .* got NuPerceiverForPreTraining: leave it out"
    ):
        recipe.model.build(config)


def test_smoothed_labels_are_refused(splits, tmp_path):
    recipe = quick(tmp_path / "run", "model.evidential=mll", "training.label_smoothing_factor=0.1")
    with pytest.raises(RecipeError, match=r"label_smoothing_factor: expected 0 beside model.evidential"):
        build_trainer(recipe, splits, [])


def test_a_draw_of_the_events_is_trained_on(splits, tmp_path):
    folder = train(quick(tmp_path / "run", "data.bootstrap=3"), splits=splits)
    digests = datasets.Dataset.from_parquet(
        str(folder / "training_events.parquet"), cache_dir=str(tmp_path / "cache")
    )
    drawn = np.array(digests["digest"])[np.array(digests["split"]) == "train"]
    assert len(drawn) == len(splits["train"]) > len(np.unique(drawn))
