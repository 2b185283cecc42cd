import re
from copy import deepcopy
from html import escape
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from huggingface_hub import ModelCard, ModelCardData

from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.configuration.configuration_nu_vit import NuVitConfig
from nuzoo.evaluation.core.identity import processor_digest
from nuzoo.evaluation.core.markdown import as_list
from nuzoo.evaluation.core.model_description import describe_model
from nuzoo.evaluation.tasks.event_classification.results import classification_results
from nuzoo.hub.cards import empty_sections, fill_template
from nuzoo.hub.errors import (
    FolderInUseError,
    IncompleteCardError,
    ResultsMismatchError,
    UnpublishableContentError,
)
from nuzoo.hub.model.card_lint import check_model_card
from nuzoo.hub.model.event_classifier_card import architecture_text
from nuzoo.hub.model.save import save_repository
from nuzoo.modeling.modeling_nu_cnn import NuCnnForEventClassification
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor

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
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 200)
    logits = rng.normal(size=(200, 3)) + 2 * np.eye(3)[labels]
    half = {"energy": logits, "image": -logits}
    measured = classification_results(logits, labels, NAMES, temperature=1.5, alternatives=half, replicas=20)
    measured["calibration"]["temperature"] = {
        "value": 1.5,
        "error": 0.1,
        "fitted_on": "100 validation events",
    }
    time = {"value": 2.0, "error": 0.1}
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
        },
        "model": describe_model(model),
        "processor": {"sha256": processor_digest(processor)},
        "cost": {
            "batch_size": 16,
            "ms_per_event": {"total": time, "model": time},
            "peak_memory": {"mib": 500.0, "counts": "resident set of the whole process"},
        },
        "machine": {
            "processor": "a processor",
            "threads": 2,
            "packages": {"torch": "2.0", "nuzoo": "0.1"},
        },
        **measured,
    }


def save(folder, model, processor, results, **options):
    settings = {"name": "org/nu-cnn-tiny", "dataset_id": "org/pixelmaps", "training": TRAINING}
    return save_repository(folder, model, processor, results, **(settings | options))


@pytest.fixture(scope="module")
def repository(tmp_path_factory, model, processor, results):
    folder = tmp_path_factory.mktemp("hub")
    picture = folder / "roc.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\npicture")
    return save(folder / "repo", model, processor, results, pictures=[picture], dataset_revision="c" * 40)


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
    assert [p.name for p in repository.parent.iterdir() if p.name.startswith(".")] == []


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
    assert "$" not in card.text
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
    )
    other = deepcopy(results)
    other["dataset"]["sample"] = words
    other["calibration"]["temperature"]["fitted_on"] = words
    other["machine"]["processor"] = words
    folder = save(tmp_path / "repo", model, processor, other, dataset_revision="c" * 40)
    text = ModelCard.load(folder / "README.md").text
    rendered, plain = html(text), html(ModelCard.load(repository / "README.md").text)
    for tag in ("<h1", "<h2", "<h3", "<script", "<a ", "<code", "<strong", "<table", "<td", "<p>"):
        assert rendered.count(tag) == plain.count(tag), tag
    assert escape(" ".join(words.split()), quote=False) in rendered
    assert "https://evil" not in text and "www.evil" not in text  # which some readers make links of
    check_model_card(folder)


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
    text = " ".join((save(tmp_path / "repo", model, processor, other) / "README.md").read_text().split())
    assert "Probabilities are not calibrated" in text and "validation split" not in text
    assert "Measured on every labelled event of the dataset" in text


def test_a_network_of_another_size_is_not_described_with_the_numbers_of_the_published_one():
    assert "21 744 000" in architecture_text(NuCnnConfig(temperature=2.0))
    for config in (NuCnnConfig.tiny(), NuCnnConfig(num_views=3), NuVitConfig.tiny()):
        text = architecture_text(config)
        assert not re.search("21 744 000|ViT-H", text)
        assert "Of another size than the published network: `" in text
    assert "`branch_channels` 8" in architecture_text(NuCnnConfig.tiny())


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


def test_saving_again_replaces(tmp_path, model, processor, results):
    folder = save(tmp_path / "repo", model, processor, results)
    (folder / "stale.json").write_text("{}")
    save(folder, model, processor, results)
    assert not (folder / "stale.json").exists()
    assert (folder / "README.md").exists()


@pytest.mark.parametrize("earlier", [False, True])
def test_failure_leaves_what_was_there(tmp_path, model, processor, results, earlier):
    folder = tmp_path / "repo"
    if earlier:
        save(folder, model, processor, results)
    before = {name: (folder / name).read_bytes() for name in files_in(folder)}
    with pytest.raises(FileNotFoundError):
        save(folder, model, processor, results, pictures=[tmp_path / "absent.png"])
    assert {name: (folder / name).read_bytes() for name in files_in(folder)} == before
    assert [p.name for p in tmp_path.iterdir()] == (["repo"] if earlier else [])


def test_refusals(tmp_path, model, processor, results):
    folder = tmp_path / "repo"
    other = deepcopy(results)
    other["calibration"]["temperature"]["value"] = 2.0
    with pytest.raises(ResultsMismatchError, match="temperature 2"):
        save(folder, model, processor, other)
    other = deepcopy(results)
    other["model"]["parameters"] = 7
    with pytest.raises(ResultsMismatchError, match="parameters 7"):
        save(folder, model, processor, other)
    with pytest.raises(IncompleteCardError, match="Citation"):
        save(folder, model, processor, results, citation="")
    with pytest.raises(UnpublishableContentError, match="/home/me/data"):
        save(folder, model, processor, results, training={"data": "/home/me/data"})
    assert not folder.exists()
    folder.mkdir()
    (folder / "thesis.tex").write_text("mine")
    with pytest.raises(FolderInUseError):
        save(folder, model, processor, results)
    assert files_in(folder) == {"thesis.tex"}


def test_a_picture_that_is_a_link_is_refused(tmp_path, model, processor, results):
    (tmp_path / "private.png").write_bytes(b"\x89PNG\r\n\x1a\nprivate")
    (tmp_path / "roc.png").symlink_to(tmp_path / "private.png")
    with pytest.raises(UnpublishableContentError, match=r"roc\.png: expected a PNG picture, got a link"):
        save(tmp_path / "repo", model, processor, results, pictures=[tmp_path / "roc.png"])


def test_empty_sections_are_found():
    card = "# A\n\n## B\n\ntext\n\n## C\n\n### D\n\n## E\n\n```\n# comment\n```\n\n## F\n"
    assert empty_sections(card) == ["### D", "## F"]


def test_dataset_template_fills():
    text = Path(__file__).parents[2].joinpath("model_cards/pixel_map_dataset.md").read_text()
    names = set(re.findall(r"\$([a-z_]+)", text))
    card = fill_template("pixel_map_dataset.md", {name: f"<{name}>" for name in names})
    assert all(f"<{name}>" in card for name in names)
    with pytest.raises(IncompleteCardError, match="citation"):
        fill_template("pixel_map_dataset.md", dict.fromkeys(names - {"citation"}, "x"))
    assert as_list({"a": 1, "b": "c"}) == "- a: 1\n- b: c"
