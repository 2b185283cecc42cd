"""Events and particles that a network holds to be alike, against plain loops over all pairs."""

import csv
import re

import numpy as np
import pytest
import torch
from datasets import Dataset, NamedSplit

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.evaluation.core.errors import EvaluationError
from nuzoo.evaluation.retrieval.embeddings import embed
from nuzoo.evaluation.retrieval.retrieve import nearest_to, retrieve
from nuzoo.modeling.modeling_nu_point import NuPointForSemanticSegmentation
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor

from ..drawing import undrawn

DETECTOR = "lartpc-cube-768"


@pytest.fixture(scope="module")
def processor():
    return NuPointCloudFeatureExtractor(detector=DETECTOR)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(1)
    return NuPointForSemanticSegmentation(NuPointConfig.tiny()).eval()


@pytest.fixture(scope="module")
def rows(processor):
    rng = np.random.default_rng(4)
    events = [
        event
        | {
            "event_id": f"e{number}",
            "detector": DETECTOR,
            "positions": "voxel",
            "source": "nuzoo-simulation 0.1",
            "particle": rng.integers(-1, 3, len(event["energy"])),
        }
        for number, event in enumerate(processor.example_events(6))
    ]
    return Dataset.from_list(events, split=NamedSplit("test"))


@pytest.fixture(scope="module")
def features(model, processor, rows):
    """The features of the hits of each event, alone."""
    found = []
    for row in rows:
        with torch.no_grad():
            found.append(model.nu_point(**processor([row])).last_hidden_state.double().numpy())
    return found


def directions(means):
    centred = np.array(means) - np.mean(means, axis=0)
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)


def test_directions_are_means_of_features(model, processor, rows, features):
    found = embed(model, processor, rows, batch_size=4)
    with_hits = [number for number, hits in enumerate(features) if len(hits)]
    assert len(with_hits) == len(rows) - 1
    assert found.row.tolist() == with_hits
    assert set(found.particle.tolist()) == {-1}
    expected = directions([features[number].mean(axis=0) for number in with_hits])
    np.testing.assert_allclose(found.direction, expected, atol=1e-4)


def test_particles_have_directions_of_their_own(model, processor, rows, features):
    found = embed(model, processor, rows, by_particle=True, batch_size=3)
    expected = {
        (number, particle): hits[np.array(row["particle"]) == particle].mean(axis=0)
        for number, (row, hits) in enumerate(zip(rows, features, strict=True))
        for particle in sorted({*row["particle"]} - {-1})
    }
    assert list(zip(found.row.tolist(), found.particle.tolist(), strict=True)) == list(expected)
    np.testing.assert_allclose(found.direction, directions(list(expected.values())), atol=1e-4)


def test_nearest_are_those_of_all_pairs(model, processor, rows):
    found = embed(model, processor, rows, by_particle=True)
    cosines = found.direction @ found.direction[5]
    nearest = nearest_to(found, 5, 4)
    best = np.argsort(-cosines)[:4]
    assert [(one.row, one.particle) for one in nearest] == [
        (found.row[place], found.particle[place]) for place in best
    ]
    np.testing.assert_allclose([one.similarity for one in nearest], cosines[best], atol=1e-6)


def test_table_and_page_begin_with_what_is_asked_about(model, processor, rows, tmp_path):
    model.save_pretrained(tmp_path / "model")
    processor.save_pretrained(tmp_path / "model")
    path, out = str(tmp_path / "model"), tmp_path / "out"
    files = retrieve(path, rows, "e3", out, number=2)
    table = list(csv.DictReader((out / "nearest.csv").open()))
    assert table[0]["event_id"] == "e3"
    assert len(table) == 3
    assert float(table[0]["similarity"]) == pytest.approx(1, abs=1e-5)
    assert all(file.exists() for file in files)
    assert (out / "index.html").read_text().count("<dt>similarity</dt>") == 3
    with pytest.raises(EvaluationError, match="such as e0, got 'e9'"):
        retrieve(path, rows, "e9", out)
    with pytest.raises(EvaluationError, match="got 7; particles of it with hits: 0, 1, 2"):
        retrieve(path, rows, "e3", out, particle=7)


def test_events_that_share_a_name_are_kept_apart(model, processor, rows, tmp_path):
    model.save_pretrained(tmp_path / "model")
    processor.save_pretrained(tmp_path / "model")
    path, out = str(tmp_path / "model"), tmp_path / "out"
    named = rows.remove_columns("event_id").add_column("event_id", ["a", "a", "b", "c", "a", "a"])
    with undrawn():
        retrieve(path, named, "b", out)
    table = list(csv.DictReader((out / "nearest.csv").open()))
    assert [row["event_id"] for row in table].count("a") == 3
    shown = re.findall(r"<dt>similarity</dt>\s*<dd>([^<]*)</dd>", (out / "index.html").read_text())
    assert shown == [f"{float(row['similarity']):.3f}" for row in table]
    with pytest.raises(EvaluationError, match="name of one event such as a, got 'a' of 4 events"):
        retrieve(path, named, "a", out)
