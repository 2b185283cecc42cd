"""Particles of events: from a network to its report and its pipeline, and what tells right from wrong."""

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from datasets import ClassLabel, Dataset, LargeList
from sklearn.metrics import roc_auc_score

from nuzoo.configuration.configuration_nu_perceiver_image import NuPerceiverImageConfig
from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError
from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.tasks.event_classification.numbers import classification_numbers
from nuzoo.evaluation.tasks.particle_classification.evaluator import EVALUATOR
from nuzoo.files.events.point_cloud_events import PARTICLE_TYPES
from nuzoo.modeling.modeling_nu_perceiver_image import NuPerceiverImageForParticleClassification
from nuzoo.pipelines.particle_classification import ParticleClassificationPipeline
from nuzoo.processors.input_errors import ProcessorModelMismatchError
from nuzoo.processors.point_clouds.feature_extraction_nu_particle_image import NuParticleImageFeatureExtractor

PIDS = ([2, 4], [0, 1, 5], [3])
"""Of three events; the particle 1 of the second has too few hits for an image."""


def row(number, pids):
    rng = np.random.default_rng(number)
    parts = [np.unique(rng.integers(0, 40, (2 if pid == 1 else 30, 3)), axis=0) for pid in pids]
    particle = np.repeat(np.arange(len(pids)), [len(part) for part in parts])
    voxels = np.concatenate(parts)
    return {
        "event_id": f"e{number}",
        "detector": "lartpc-cube-768",
        "positions": "voxel",
        "source": "made up",
        **dict(zip("xyz", voxels.T.tolist(), strict=True)),
        "energy": rng.gamma(4.0, 0.2, len(voxels)).tolist(),
        "particle": particle.tolist(),
        "particle_pid": list(pids),
    }


@pytest.fixture(scope="module")
def events():
    rows = Dataset.from_list([row(number, pids) for number, pids in enumerate(PIDS)])
    return rows.cast_column("particle_pid", LargeList(ClassLabel(names=list(PARTICLE_TYPES))))


@pytest.fixture(scope="module")
def identified(events):
    settings = {"shape": (768,) * 3, "pitch_mm": (3.0,) * 3, "origin_mm": (0.0,) * 3}
    settings |= {"of": "particle", "size": (168, 168, 180), "framing": "scale", "context": "event"}
    processor = NuParticleImageFeatureExtractor(least_hits=5, **settings).fit(events)
    torch.manual_seed(0)
    model = NuPerceiverImageForParticleClassification(NuPerceiverImageConfig.tiny_pilarnet_event()).eval()
    torch.nn.init.normal_(model.classifier.linear.weight, std=0.2)
    return model, processor


def test_every_particle_with_an_image_counts(identified, events, tmp_path):
    model, processor = identified
    options = {"out": tmp_path, "batch_size": 2, "bootstrap": 20, "sample": "made up"}
    results = EVALUATOR.evaluate(model, processor, Events(events), **options)
    assert results.dataset.events == 5
    assert results.dataset.events_per_class == dict(zip(PARTICLE_TYPES, (1, 0, 1, 1, 1, 1), strict=True))
    table = pq.read_table(tmp_path / "predictions.parquet").to_pydict()
    assert table["event_id"] == ["e0/0", "e0/1", "e1/0", "e1/2", "e2/0"]
    assert table["label"] == [2, 4, 0, 5, 3]
    with torch.no_grad():
        alone = [model(**processor(events[number])).logits for number in range(3)]
    np.testing.assert_allclose(table["logits"], torch.cat(alone).numpy(), rtol=1e-3, atol=1e-4)
    assert EVALUATOR.write_report(tmp_path).read_text().count("5 events") == 1
    read = EVALUATOR.read_results(tmp_path / "results.json")
    assert EVALUATOR.check_predictions(read, tmp_path / "predictions.parquet") == table["event_id"]


def test_other_classes_and_other_images_are_refused(identified, events):
    model, _ = identified
    turned = events.cast_column("particle_pid", LargeList(ClassLabel(names=list(PARTICLE_TYPES)[::-1])))
    with pytest.raises(UnusableDatasetError, match="count the classes photon, electron"):
        EVALUATOR.check_events(turned, "test", model.config)
    whole = NuParticleImageFeatureExtractor(size=(168, 168, 180), shape=(768,) * 3)
    with pytest.raises(ProcessorModelMismatchError, match="target 'particle_pid', got those of events"):
        whole.check_agrees(model.config)


def test_the_pipeline_tells_the_particles_of_each_event(identified, events):
    model, processor = identified
    identify = ParticleClassificationPipeline(model, processor=processor)
    results = identify(list(events), batch_size=2)
    assert [result["particles"] for result in results] == [[0, 1], [0, 2], [0]]
    with torch.no_grad():
        probability = model(**processor(events[1])).logits.softmax(-1)
    assert results[1]["labels"] == [PARTICLE_TYPES[index] for index in probability.argmax(-1)]
    assert results[1]["scores"] == pytest.approx(probability.amax(-1).tolist(), rel=1e-3)
    assert identify(events[1])["labels"] == results[1]["labels"]
    assert identify.as_row(results[0]) == results[0]


def test_less_entropy_tells_right_from_wrong_as_scikit_learn_says():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 200)
    logits = rng.normal(size=(200, 3)) * 2 + 2 * np.eye(3)[labels]
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    certainty = (probability * np.log(probability)).sum(1)
    expected = roc_auc_score(logits.argmax(1) == labels, certainty)
    found = classification_numbers(logits, labels, "abc", replicas=50).calibration.certainty_auc
    assert found.value == pytest.approx(expected) and 0.5 < found.low < found.value < found.high
    perfect = classification_numbers(10 * np.eye(3)[labels], labels, "abc", replicas=5).calibration
    assert perfect.certainty_auc.value is None
