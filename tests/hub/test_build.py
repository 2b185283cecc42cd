import json
import re
from copy import deepcopy
from dataclasses import replace
from html import escape
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from huggingface_hub import ModelCard, ModelCardData

from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.configuration.configuration_nu_perceiver import NuPerceiverConfig
from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.evaluation.core.errors import ResultsFileError
from nuzoo.evaluation.core.results_file import as_json
from nuzoo.evaluation.core.subject import describe_model, processor_digest
from nuzoo.evaluation.tasks.event_classification.evaluator import EVALUATOR
from nuzoo.evaluation.tasks.event_classification.numbers import classification_numbers
from nuzoo.evaluation.tasks.event_classification.results import Temperature
from nuzoo.hub.cards import empty_sections, fill_template
from nuzoo.hub.errors import IncompleteCardError, ResultsMismatchError, UnpublishableContentError
from nuzoo.hub.model.build import build_repository
from nuzoo.hub.model.card import Publication, description_of, model_card
from nuzoo.hub.model.report import read_report
from nuzoo.hub.pinned import Pinned
from nuzoo.hub.verify import verify_model
from nuzoo.modeling.modeling_nu_cnn import NuCnnForEventClassification
from nuzoo.modeling.modeling_nu_perceiver_pretraining import NuPerceiverForPreTraining
from nuzoo.modeling.modeling_nu_point import NuPointForSemanticSegmentation
from nuzoo.modeling.modeling_nu_point_instances import NuPointForUniversalSegmentation
from nuzoo.modeling.modeling_nu_point_pretraining import NuPointForPreTraining
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.registry import TASKS

NAMES = ["nue_cc", "numu_cc", "nc"]
TRAINING = {"recipe": "training/recipes/nu_cnn_tiny.yaml", "epochs": 3}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return NuCnnForEventClassification(NuCnnConfig.tiny(temperature=1.5)).eval()


@pytest.fixture(scope="module")
def processor():
    return NuPixelMapImageProcessor(
        detector="modular-2x2x7", pixel_pitch_mm=5.0, rebin=4, active_rms=[1.0, 2.0]
    )


@pytest.fixture(scope="module")
def results(model, processor):
    """The contents of a results file."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 200)
    logits = rng.normal(size=(200, 3)) + 2 * np.eye(3)[labels]
    fitted = Temperature(value=1.5, error=0.1, fitted_on="100 validation events")
    half = {"energy": logits, "image": -logits}
    numbers = classification_numbers(
        logits, labels, NAMES, temperature=fitted, alternatives=half, replicas=20
    )
    time = {"value": 2.0, "error": 0.1, "low": 1.9, "high": 2.1}
    return {
        "schema": "nuzoo-event-classification-results",
        "schema_version": 1,
        "created": "2026-11-22T12:00:00+00:00",
        "class_names": NAMES,
        "dataset": {
            "sample": "nuzoo simulation",
            "split": "test",
            "events": 200,
            "events_per_class": dict.fromkeys(NAMES, 1),
            "detectors": ["modular-2x2x7"],
            "sources": ["ours"],
            "source_count": 1,
            "event_ids_sha256": "0" * 64,
            "fingerprint": "0",
        },
        "validation": None,
        "model": as_json(describe_model(model)),
        "processor": {"sha256": processor_digest(processor)},
        "cost": {
            "batch_size": 16,
            "ms_per_event": {"total": time, "model": time},
            "peak_memory": {"mib": 500.0, "counts": "resident set of the whole process"},
        },
        "machine": {
            "system": "Linux",
            "python": "3.11",
            "processor": "a processor",
            "logical_cores": 2,
            "threads": 2,
            "device": "cpu",
            "packages": {"torch": "2.0", "nuzoo": "0.1"},
        },
        **as_json(numbers),
    }


def publication(folder, model, processor, results, pictures=(), **options):
    """A model with a report in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results))
    for name in pictures:
        (folder / name).write_bytes(b"\x89PNG\r\n\x1a\npicture")
    report = read_report(folder, folder, TASKS["event-classification"])
    settings = {
        "name": "org/nu-cnn-tiny",
        "model": model,
        "processor": processor,
        "report": report,
        "of_task": EVALUATOR.card_values(model, processor, report.results),
        "dataset": Pinned("org/pixelmaps", "c" * 40),
        "training": TRAINING,
        "events": {"splits": "100 test"},
    }
    return Publication(**(settings | options))


def build(folder, *arguments, **options):
    build_repository(folder / "repo", publication(folder / "report", *arguments, **options))
    return folder / "repo"


@pytest.fixture(scope="module")
def repository(tmp_path_factory, model, processor, results):
    return build(tmp_path_factory.mktemp("hub"), model, processor, results, pictures=["roc.png"])


def test_card_says_that_logits_are_evidence(tmp_path, model, processor, results):
    evidential = deepcopy(model)
    evidential.config.evidential = "brier"
    folder = build(tmp_path, evidential, processor, results)
    assert "concentrations of a Dirichlet distribution" in (folder / "README.md").read_text()
    assert "evidential_risk" in "".join(file.read_text() for file in folder.glob("*.py"))


def files_in(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_folder_is_complete_and_safe(repository):
    code = {name for name in files_in(repository) if name.endswith(".py")}
    assert {"configuration_nu_cnn.py", "modeling_nu_cnn.py", "image_processing_nu_pixel_map.py"} < code
    assert files_in(repository) - code == {
        "README.md",
        "config.json",
        "model.safetensors",
        "preprocessor_config.json",
        "results.json",
        ".eval_results/pixelmaps.yaml",
        "figures/roc.png",
        "test/golden.safetensors",
        "checksums.json",
    }


def test_bundled_model_has_no_code_and_says_how_it_is_loaded(
    tmp_path, model, processor, results, other_sample
):
    other = read_report(other_sample, other_sample, TASKS["event-classification"])
    repository = build(tmp_path, model, processor, results, name="nu-cnn-tiny", bundled=True, others=[other])
    assert not [name for name in files_in(repository) if name.endswith(".py")]
    assert "other_results/elsewhere.json" in files_in(repository)
    config = json.loads((repository / "config.json").read_text())
    assert "auto_map" not in config and "custom_pipelines" not in config
    card = ModelCard.load(repository / "README.md")
    assert 'nuzoo.bundled("nu-cnn-tiny")' in card.text and "trust_remote_code" not in card.text
    row = card.text.split("### On other samples")[1].split("\n\n")[1].splitlines()[2]
    assert row.startswith("| DUNE far detector simulation | 200 |")
    assert [check.problem for check in verify_model(repository)] == [None] * 5


@pytest.fixture
def other_sample(tmp_path, results):
    """A report on another sample."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    changed = deepcopy(results)
    changed["dataset"]["sample"] = "DUNE far detector simulation"
    (folder / "results.json").write_text(json.dumps(changed))
    return folder


def test_model_and_processor_come_back(repository, model, processor):
    loaded = NuCnnForEventClassification.from_pretrained(repository)
    assert loaded.config.temperature == 1.5
    for (name, ours), theirs in zip(model.state_dict().items(), loaded.state_dict().values(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0, msg=name)
    again = NuPixelMapImageProcessor.from_pretrained(repository)
    assert again.active_rms == processor.active_rms


def test_card_is_valid_and_full(repository, results):
    card = ModelCard.load(repository / "README.md")
    assert card.data.pipeline_tag == "image-classification"
    assert card.data.library_name == "transformers"
    assert card.data.license == "apache-2.0"
    values = {r.metric_type: r.metric_value for r in card.data.eval_results}
    assert values["accuracy"] == results["metrics"]["accuracy"]["value"]
    assert values["roc_auc"] == results["metrics"]["macro_auc"]["value"]
    assert ModelCardData(**card.data.to_dict()).to_dict() == card.data.to_dict()
    assert empty_sections(card.text) == []
    assert "$" not in card.text and "{{ " not in card.text
    assert "pixel pitch, rows × columns: 5 × 5 mm" in card.text
    assert "](figures/roc.png)" in card.text


def html(card):
    """As a reader sees it."""
    markdown = pytest.importorskip("markdown_it").MarkdownIt("commonmark")
    return markdown.enable(["table", "strikethrough"]).render(card)


def test_words_of_users_stay_words(tmp_path, model, processor, results, repository):
    """A sample called so neither breaks a table, nor links, nor brings HTML or a placeholder."""
    words = (
        "a | b\n\n# Injected\n<script>alert(1)</script> [x](https://evil.example) `c` **d** www.evil $name"
        " {{ name }}"
    )
    other = deepcopy(results)
    other["dataset"]["sample"] = words
    other["calibration"]["temperature"]["fitted_on"] = words
    other["machine"]["processor"] = words
    folder = build(tmp_path, model, processor, other)
    text = ModelCard.load(folder / "README.md").text
    rendered, plain = html(text), html(ModelCard.load(repository / "README.md").text)
    for tag in ("<h1", "<h2", "<h3", "<script", "<a ", "<code", "<strong", "<table", "<td", "<p>"):
        assert rendered.count(tag) == plain.count(tag), tag
    assert escape(" ".join(words.split()), quote=False) in rendered
    assert "https://evil" not in text and "www.evil" not in text  # which some readers make links of


def test_card_says_what_the_numbers_are_of(repository, results):
    text = " ".join(ModelCard.load(repository / "README.md").text.split())
    assert (
        "- nc: neutral-current interaction" in text
        and "- nue\\_cc: charged-current interaction of an e" in text
    )
    assert "Measured on the test split: 200 events of nuzoo simulation" in text
    assert "fitted on the validation split (100 validation events)" in text
    before, after = (results["calibration"][key]["value"] for key in ("ece_before", "ece_after"))
    changed = re.search(r"changed the expected calibration error from (\S+) ± \S+ to (\S+) ± ", text)
    assert [float(number) for number in changed.groups()] == pytest.approx([before, after], abs=0.005)
    assert "Software: torch 2.0, nuzoo 0.1" in text


def test_what_was_not_fitted_is_not_called_calibrated(tmp_path, model, processor, results):
    other = deepcopy(results)
    other["calibration"]["temperature"] |= {
        "error": None,
        "fitted_on": "model.config.temperature, not fitted",
    }
    other["dataset"]["split"] = "all"
    text = " ".join((build(tmp_path, model, processor, other) / "README.md").read_text().split())
    assert "Probabilities are not calibrated" in text and "validation split" not in text
    assert "Measured on every labelled event of the dataset" in text


def test_a_network_of_another_size_is_not_described_with_the_numbers_of_the_published_one(
    tmp_path, model, processor, results
):
    def text(config):
        return model_card(
            publication(tmp_path, Shown(config), processor, results), pictures=[], adapter_alone=False
        )

    class Shown(NuCnnForEventClassification):
        def __init__(self, config):
            torch.nn.Module.__init__(self)
            self.__dict__["config"] = config

    Shown.__name__ = "NuCnnForEventClassification"
    assert "21 744 000" in text(NuCnnConfig(temperature=1.5))
    for config in (NuCnnConfig.tiny(temperature=1.5), NuCnnConfig(num_views=3, temperature=1.5)):
        assert "21 744 000" not in text(config)
        assert "Of another size than the published network: `" in text(config)
    assert "`branch_channels` 8" in text(NuCnnConfig.tiny(temperature=1.5))


def test_sizes_are_those_of_what_a_network_has():
    def sizes(kind, **fields):
        with torch.device("meta"):
            return " ".join(description_of(kind(NuPointConfig.tiny(**fields)))["sizes"])

    particles = sizes(NuPointForUniversalSegmentation, queries=48)
    assert "`queries` 48" in particles and "`encoder_depths`" in particles
    assert not any(name in particles for name in ("prototype", "token_steps", "decoder_depths"))
    pretraining = sizes(NuPointForPreTraining, queries=48)
    assert "`prototypes` 256" in pretraining and "quer" not in pretraining
    hits = sizes(NuPointForSemanticSegmentation, readout="decoder")
    assert "`decoder_depths`" in hits and "quer" not in hits and "prototype" not in hits


def test_means_of_training_events_are_no_sizes():
    config = NuPerceiverConfig.tiny(vertex_mean_mm=[1.0, 2.0, 3.0], vertex_std_mm=[1.0, 1.0, 1.0])
    with torch.device("meta"):
        sizes = " ".join(description_of(NuPerceiverForPreTraining(config))["sizes"])
    assert "`hidden_size` 64" in sizes and "vertex" not in sizes


def test_eval_results_are_the_measured_numbers(repository, results):
    entries = yaml.safe_load((repository / ".eval_results" / "pixelmaps.yaml").read_text())
    assert {e["dataset"]["task_id"]: e["value"] for e in entries} == {
        key: results["metrics"][key]["value"]
        for key in ("accuracy", "macro_precision", "macro_recall", "macro_auc")
    }


def test_no_path_of_this_machine(repository, tmp_path):
    for path in files_in(repository):
        content = (repository / path).read_bytes()
        assert str(Path.home()).encode() not in content
        assert str(tmp_path.parent).encode() not in content


def test_refusals(tmp_path, model, processor, results):
    other = deepcopy(results)
    other["calibration"]["temperature"]["value"] = 2.0
    with pytest.raises(ResultsFileError, match="temperature 2"):
        publication(tmp_path, model, processor, other)
    other = deepcopy(results)
    other["model"]["parameters"] = 7
    with pytest.raises(ResultsMismatchError, match="parameters 7"):
        publication(tmp_path, model, processor, other).report.check_model(model, processor)
    with pytest.raises(IncompleteCardError, match="Citation"):
        build(tmp_path / "a", model, processor, results, citation="")
    with pytest.raises(UnpublishableContentError, match="/home/me/data"):
        build(tmp_path / "b", model, processor, results, training={"data": "/home/me/data"})
    (tmp_path / "c" / "report").mkdir(parents=True)
    (tmp_path / "c" / "report" / "roc.png").write_bytes(b"no picture")
    with pytest.raises(UnpublishableContentError, match=r"roc\.png: expected a PNG picture, got something"):
        build(tmp_path / "c", model, processor, results)


def test_empty_sections_are_found():
    card = "# A\n\n## B\n\ntext\n\n## C\n\n### D\n\n## E\n\n```\n# comment\n```\n\n## F\n"
    assert empty_sections(card) == ["### D", "## F"]


def test_a_plug_ins_task_brings_its_own_section_or_none(tmp_path, model, processor, results):
    made = publication(tmp_path, model, processor, results)
    section = tmp_path / "section.md"
    section.write_text('{% extends "model.md" %}\n{% block results %}\nHits: {{ hits }}.\n{% endblock %}\n')
    for card, says in ((str(section), "Hits: 7."), (None, "A network for hit labels: ")):
        task = replace(made.report.task, name="hit-labels", card=card)
        published = replace(made, report=replace(made.report, task=task), of_task={"hits": 7})
        text = model_card(published, [], adapter_alone=False)
        assert says in text
        assert not empty_sections(text)
        assert "| Accuracy | " in text
    with pytest.raises(IncompleteCardError, match=r"section\.md: 'card_data' is undefined"):
        fill_template(str(section), **{})
