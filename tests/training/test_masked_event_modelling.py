"""Masked modelling of detector events, from a recipe to a folder that other networks start from."""

import json

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoModelForPreTraining

from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.tasks.masked_event_modelling.evaluator import EVALUATOR
from nuzoo.evaluation.tasks.masked_event_modelling.measure import MEANING
from nuzoo.modeling.modeling_nu_perceiver import NuPerceiverModel
from nuzoo.modeling.modeling_nu_perceiver_pretraining import WEIGHTS, NuPerceiverForPreTraining
from nuzoo.pipelines.loading import load_model
from nuzoo.training.masked_event_modelling.pretraining import RELATION_SEED, pretrain_events
from nuzoo.training.recipe import RecipeError, load_recipe
from nuzoo.training.supervised import train
from tests.evaluation.full_detector_events import detector_rows

from .test_masked_autoencoding import QUICK, StopAt, history

pytestmark = pytest.mark.usefixtures("undrawn_curves")

SMALL = {"model.hidden_size": 16, "model.num_attention_heads": 2, "model.decoder_hidden_size": 16}
SMALL |= {"model.num_module_layers": 1, "model.num_ahcal_layers": 1, "model.num_latent_layers": 1}
SMALL |= {"training.dataloader_num_workers": 0}


@pytest.fixture(scope="module")
def splits():
    return {"train": detector_rows(8), "validation": detector_rows(24, seed=1, split="validation")}


def recipe(output, name="nu_perceiver_rel_tiny", **training):
    fields = {f"training.{key}": value for key, value in (QUICK | training).items()}
    start = {"model.pretrained": None, "model.preset": "tiny", "training.output_dir": str(output)}
    return load_recipe(name).changed(SMALL | fields | start)


def test_a_stopped_run_goes_on_exactly(splits, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    pretrain_events(recipe(whole), splits=splits)
    with pytest.raises(KeyboardInterrupt):
        pretrain_events(recipe(parts), splits=splits, callbacks=[StopAt(3)])
    pretrain_events(recipe(parts), splits=splits)
    expected = load_file(whole / "model.safetensors")
    for name, tensor in load_file(parts / "model.safetensors").items():
        assert torch.equal(tensor, expected[name]), name


def test_steps_ask_what_their_number_says(splits, tmp_path):
    """The draws of arXiv 2604.07037: every process, and every run that goes on, has the same ones."""
    logged = [
        entry
        for entry in history(pretrain_events(recipe(tmp_path, max_steps=8, save_steps=8), splits=splits))
        if "loss" in entry
    ]
    for step, entry in enumerate(logged):
        drawn = torch.rand((), generator=torch.Generator().manual_seed(RELATION_SEED + step)).item()
        assert ("ghost_loss" in entry) == (drawn < 0.5)
        assert ("muon_loss" in entry) == (step % 2 == 0)
    assert {"ghost_loss" in entry for entry in logged} == {True, False}


def test_what_was_learnt_is_measured_and_taken_over(splits, tmp_path):
    quick = {"max_steps": 20, "save_steps": 20, "logging_steps": 20, "eval_strategy": "steps"}
    folder = pretrain_events(
        recipe(tmp_path / "mae", "nu_perceiver_mae_tiny", eval_steps=10, **quick), splits=splits
    )
    first, last = (entry for entry in history(folder) if "eval_loss" in entry)
    assert last["eval_loss"] < first["eval_loss"]
    assert "eval_macro_auc" in last
    learnt = AutoModelForPreTraining.from_pretrained(folder)
    assert type(learnt) is NuPerceiverForPreTraining
    body = AutoModel.from_pretrained(folder)
    assert type(body) is NuPerceiverModel
    assert torch.equal(body.module_embedding.weight, learnt.nu_perceiver.module_embedding.weight)
    second = recipe(tmp_path / "rel", max_steps=1, save_steps=1, learning_rate=0.0).changed(
        {"model.pretrained": str(folder), "model.preset": None}
    )
    asked = pretrain_events(second, splits=splits)
    assert json.loads((asked / "config.json").read_text())["relation_probability"] == 0.5
    for name, tensor in load_file(asked / "model.safetensors").items():
        assert torch.equal(tensor, learnt.state_dict()[name]), name


def test_a_reconstruction_starts_from_what_was_learnt(splits, tmp_path):
    folder = pretrain_events(recipe(tmp_path / "rel", max_steps=1, save_steps=1), splits=splits)
    assert json.loads((folder / "config.json").read_text())["id2label"]["0"] == "nue_cc"
    tuning = load_recipe("nu_perceiver_fasercal_tiny").changed(
        {f"training.{key}": value for key, value in (QUICK | {"max_steps": 1, "save_steps": 1}).items()}
        | {"model.preset": None, "model.pretrained": str(folder), "training.learning_rate": 0.0}
        | {"training.output_dir": str(tmp_path / "tuned"), "averaging": None}
        | {"training.load_best_model_at_end": False}
    )
    tuned, learnt = (load_file(of / "model.safetensors") for of in (train(tuning, splits=splits), folder))
    body = [name for name in learnt if name.startswith("nu_perceiver.")]
    assert body and all(torch.equal(tuned[name], learnt[name]) for name in body)
    assert any(name.startswith("flavour_head.") for name in tuned)


def test_an_evaluation_tells_what_is_known_of_events_and_hits(splits, tmp_path):
    folder = pretrain_events(recipe(tmp_path / "run", max_steps=1, save_steps=1), splits=splits)
    model, processor = load_model(str(folder))
    events = Events(detector_rows(12, seed=2, split="test"), validation=splits["validation"])
    results = EVALUATOR.evaluate(
        model, processor, events, out=tmp_path / "report", sample="random events", bootstrap=50
    )
    assert results.told.keys() == MEANING.keys() >= {f"{name}_loss" for name in WEIGHTS}
    assert 0 <= results.told["ghost_auc"] <= 1
    again = EVALUATOR.read_results(tmp_path / "report" / "results.json")
    assert again == results
    assert EVALUATOR.check_predictions(again, tmp_path / "report" / "predictions.parquet")
    first = EVALUATOR.headline(again)[0]
    assert (first.key, first.title) == ("macro_auc", "Macro one-vs-rest AUC of a linear probe")
    text = EVALUATOR.write_report(tmp_path / "report").read_text()
    assert "Linear probe" in text and "ghosts" in text and "nutau" in text


def test_events_without_truth_are_enough_where_hits_are_not_asked_about(splits, tmp_path):
    bare = {
        split: rows.remove_columns([n for n in rows.column_names if n.startswith(("true_", "link_", "flav"))])
        for split, rows in splits.items()
    }
    fields = {"model.relation_probability": 0.0, "model.ghosts_are_empty": False}
    run = recipe(tmp_path / "bare", max_steps=1, save_steps=1).changed(fields)
    assert (pretrain_events(run, splits=bare) / "model.safetensors").is_file()
    with pytest.raises(ValueError, match="link_true"):
        pretrain_events(recipe(tmp_path / "other", max_steps=1, save_steps=1), splits=bare)


@pytest.mark.parametrize(("name", "epochs"), [("nu_perceiver_mae", 400), ("nu_perceiver_rel", 100)])
def test_published_numbers(name, epochs):
    """arXiv 2604.07037, appendix: 1e-4 for each 256 events of a batch of 8 x 512."""
    arguments = load_recipe(name).changed({"training.bf16": None, "training.tf32": None}).training
    assert arguments.learning_rate == pytest.approx(1e-4 * 8 * arguments.per_device_train_batch_size / 256)
    assert (arguments.num_train_epochs, arguments.warmup_steps) == (epochs, 0.1)
    assert (arguments.adam_beta1, arguments.adam_beta2, arguments.weight_decay) == (0.9, 0.95, 0.05)


def test_an_unknown_column_for_the_probe_is_refused():
    with pytest.raises(RecipeError, match="probe"):
        load_recipe("nu_perceiver_mae_tiny").changed({"probe.points": 3})


def test_what_would_have_no_effect_is_refused():
    with pytest.raises(RecipeError, match="train_events"):
        load_recipe("nu_perceiver_mae_tiny").changed({"probe.train_events": 0})
    with pytest.raises(RecipeError, match="averaging"):
        load_recipe("nu_perceiver_mae_tiny").changed({"averaging.decay": 0.9})
