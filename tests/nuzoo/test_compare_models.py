"""`nuzoo evaluate --compare`: what is refused before any work, and what is not measured twice."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from datasets import load_dataset

from nuzoo.cli import main
from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.configuration.configuration_nu_vit import NuVitConfig
from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError
from nuzoo.evaluation.comparison.compare_models import compare_models, evaluate_alone, output_names
from nuzoo.evaluation.comparison.comparison import ComparedModel
from nuzoo.evaluation.core.errors import EvaluationError
from nuzoo.evaluation.core.evaluate_model import evaluate_model
from nuzoo.evaluation.core.training_facts import training_of
from nuzoo.evaluation.tasks.event_classification import evaluate
from nuzoo.modeling.modeling_nu_cnn import NuCnnForEventClassification
from nuzoo.modeling.modeling_nu_vit import NuVitForEventClassification
from nuzoo.pipelines.loading import UnusableModelError
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor

from ..drawing import undrawn

RECIPE = "source: made up\nmodel: {model_type: nu_cnn}\ndata: {train_events: 44}\n"


def save(folder, rows, network, **processor):
    settings = {"detector": "modular-2x2x7", "rebin": 8} | processor
    NuPixelMapImageProcessor(**settings).fit(rows, detector="modular-2x2x7").save_pretrained(folder)
    network.save_pretrained(folder)


@pytest.fixture(scope="module")
def saved(simulated_dataset, tmp_path_factory):
    """Two untrained networks of different architectures."""
    folder = tmp_path_factory.mktemp("models")
    rows = load_dataset(str(simulated_dataset), split="train")
    save(folder / "cnn", rows, NuCnnForEventClassification(NuCnnConfig.tiny()))
    (folder / "cnn" / "recipe.yaml").write_text(RECIPE)
    vit = NuVitForEventClassification(NuVitConfig.tiny(patch_size=16, image_size=64))
    save(folder / "vit", rows, vit, pad_to_multiple=16)
    return folder


@pytest.fixture
def models(saved, tmp_path):
    return [str(shutil.copytree(saved / name, tmp_path / "models" / name)) for name in ("cnn", "vit")]


class Measured(list):
    """Measures in this process, and remembers what."""

    def __call__(self, path, data, out, **options):
        self.append(out.name)
        evaluate_model(path, data, out, **options)


@undrawn()
def test_what_was_measured_is_not_measured_again(models, simulated_dataset, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(evaluate, "TEMPERATURE_LIMITS", (0.0, np.inf))  # one event decides no temperature
    out, data = tmp_path / "out", str(simulated_dataset)
    first = Measured()
    text = compare_models(models, data, out, split="train", evaluate=first).read_text()
    assert first == ["cnn", "vit"]
    assert "from scratch" in text
    assert "| 44 |" not in text
    again = Measured()
    assert compare_models(models, data, out, split="train", evaluate=again).read_text() == text
    assert again == []
    said = capsys.readouterr().out
    assert "cnn: measured before" in said and "\nvit: accuracy 0." in said
    NuCnnForEventClassification(NuCnnConfig.tiny()).save_pretrained(models[0])
    changed = Measured()
    compare_models(models, data, out, split="train", evaluate=changed)
    assert changed == ["cnn"]
    stored = Measured()
    compare_models(models, data, out, split="train", calibrate=True, evaluate=stored)
    assert stored == ["cnn", "vit"]
    for name, path in zip(stored, models, strict=True):
        results = json.loads((out / name / "results.json").read_text())
        config = json.loads((tmp_path / "models" / name / "config.json").read_text())
        assert config["temperature"] == results["calibration"]["temperature"]["value"]
        assert path.endswith(name)
    compare_models(models, data, out, split="train", calibrate=True, evaluate=changed)
    assert changed == ["cnn"]


def refused(paths, data, out, match, **options):
    with pytest.raises((EvaluationError, UnusableDatasetError), match=match):
        compare_models(
            paths, str(data), out, split="train", evaluate=lambda *_, **__: pytest.fail("measured"), **options
        )
    assert not out.exists()


def test_a_model_of_another_detector_is_refused_before_any_is_measured(models, simulated_dataset, tmp_path):
    file = tmp_path / "models" / "vit" / "preprocessor_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"detector": "dune-fd"}))
    match = "vit cannot be measured on these events: .*for events of dune-fd, these are of modular-2x2x7"
    refused(models, simulated_dataset, tmp_path / "out", match)


def test_a_network_that_does_not_fit_its_processor_is_refused(models, simulated_dataset, tmp_path):
    file = tmp_path / "models" / "vit" / "preprocessor_config.json"
    settings = json.loads(file.read_text()) | {"pad_to_multiple": 7}
    file.write_text(json.dumps(settings))
    refused(models, simulated_dataset, tmp_path / "out", "vit cannot be measured on these events")


def test_models_of_other_classes_are_refused(models, simulated_dataset, tmp_path):
    other = NuCnnConfig.tiny(id2label={0: "nc", 1: "numu_cc", 2: "nue_cc"})
    NuCnnForEventClassification(other).save_pretrained(models[0])
    refused(
        models,
        simulated_dataset,
        tmp_path / "out",
        "same classes in the same order, but cnn has nc, numu_cc, nue_cc and vit has nue_cc",
    )


def test_one_model_or_the_same_twice_is_refused(models, simulated_dataset, tmp_path):
    refused(models[:1], simulated_dataset, tmp_path / "out", "expected 2 to 6 models to compare, got 1")
    same = [models[0], f"{models[0]}/../cnn/"]
    refused(same, simulated_dataset, tmp_path / "out", "the same twice")


def test_names_are_distinct(tmp_path):
    for folder in ("a/cnn", "b/cnn", "b/vit"):
        (tmp_path / folder).mkdir(parents=True)
    paths = [str(tmp_path / "a" / "cnn"), str(tmp_path / "b" / "cnn"), str(tmp_path / "b" / "vit") + "/"]
    assert output_names(paths) == ["a-cnn", "b-cnn", "vit"]
    assert output_names(["org/nu-cnn", "lab/nu-cnn", "org/nu-vit"]) == ["org-nu-cnn", "lab-nu-cnn", "nu-vit"]


def test_misuse_of_the_command_is_said_in_a_line(models, simulated_dataset, tmp_path, capsys):
    command = ["evaluate", "--data", str(simulated_dataset), "--compare", *models]
    assert main(command) == 2
    assert "--out: expected a folder for the comparison" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*command, "--model", models[0]])
    assert "not allowed with" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["evaluate", "--data", str(simulated_dataset)])
    remote = ["evaluate", "--data", "d", "--compare", models[0], "org/nu-vit", "--out", "o"]
    assert main(remote) == 1
    assert "cannot find org/nu-vit" in capsys.readouterr().err
    assert main([*command, "--out", str(tmp_path / "out"), "--temperature", "2"]) == 2
    assert "--compare: expected a model that is asked as it was saved, got --temperature" in (
        capsys.readouterr().err
    )


def test_errors_of_the_other_process_arrive(tmp_path, simulated_dataset):
    with pytest.raises(UnusableModelError, match="got neither"):
        evaluate_alone("./nowhere", str(simulated_dataset), tmp_path / "out", split="train")


def test_training_of_the_base_is_told(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "recipe.yaml").write_text("pretraining: {training: {num_train_epochs: 12}}\n")
    told = training_of(str(tmp_path), "data", None)
    assert told.base == "base pretrained on captions of the same events, 12 epochs"
    results = SimpleNamespace(model=SimpleNamespace(adapter=True, quantisation="4-bit"))
    regime = ComparedModel("vlm", results, None, replace(told, length="2 epochs")).regime
    assert regime == f"LoRA, 4-bit base, 2 epochs; {told.base}"
