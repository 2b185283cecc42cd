"""Answers of anybody: scored as an independent library does, and refused where they cannot be."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features, Sequence, Value
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from nuzoo.evaluation.core.answers import read_answers
from nuzoo.evaluation.core.errors import AnswerError
from nuzoo.evaluation.core.predictions_file import read_columns
from nuzoo.evaluation.tasks.event_classification.answers import ANSWERS as OF_CLASSES
from nuzoo.evaluation.tasks.event_classification.predictions import Predictions, write_predictions
from nuzoo.evaluation.tasks.event_reconstruction.answers import ANSWERS as OF_RECONSTRUCTION
from nuzoo.evaluation.tasks.hit_segmentation.answers import ANSWERS as OF_HITS
from nuzoo.evaluation.tasks.particle_segmentation.answers import ANSWERS as OF_INSTANCES

NAMES = ["nue_cc", "numu_cc", "nc"]
EVENTS = 40
ALL = np.ones((1, EVENTS))


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def rows(rng):
    columns = {"event_id": [f"e{n:02d}" for n in range(EVENTS)], "label": rng.integers(0, 3, EVENTS).tolist()}
    return Dataset.from_dict(columns, Features(event_id=Value("string"), label=ClassLabel(names=NAMES)))


def write(path, **columns):
    pq.write_table(pa.table(columns), path)
    return path


def read(file, rows, reader=OF_CLASSES, targets=("label",)):
    return read_answers(file, reader, rows, targets)


def test_probabilities_in_any_order_are_scored_as_scikit_learn_does(rows, rng, tmp_path):
    given, order = rng.dirichlet(np.ones(3), EVENTS), rng.permutation(EVENTS)
    ids = np.array(rows["event_id"])
    file = write(tmp_path / "a.parquet", event_id=ids[order].tolist(), probabilities=list(given[order]))
    answers = read(file, rows)
    found = {key: float(value[0]) for key, value in answers.scores(ALL).items()}
    assert found["accuracy"] == pytest.approx(accuracy_score(rows["label"], given.argmax(1)))
    assert found["macro_auc"] == pytest.approx(roc_auc_score(rows["label"], given, multi_class="ovr"))
    assert answers.right.mean() == pytest.approx(found["accuracy"])


def test_a_csv_holds_the_same_in_a_column_an_entry(rows, rng, tmp_path):
    given = rng.dirichlet(np.ones(3), EVENTS)
    lines = ["event_id,probabilities.0,probabilities.1,probabilities.2"]
    pairs = zip(rows["event_id"], given.tolist(), strict=True)
    lines += [f"{name},{','.join(map(repr, of))}" for name, of in pairs]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    np.testing.assert_allclose(read(tmp_path / "a.csv", rows).probability, given)


def test_what_evaluate_writes_is_a_file_of_answers(rows, rng, tmp_path):
    logits = rng.normal(size=(EVENTS, 3))
    write_predictions(tmp_path / "p.parquet", Predictions.of(rows, logits), temperature=2.0)
    assert "probabilities" in read_columns(tmp_path / "p.parquet", ["probabilities"]).column_names
    answers = read(tmp_path / "p.parquet", rows)
    assert (answers.probability.argmax(1) == logits.argmax(1)).all()


def without_first(ids, given):
    return ids[1:], given[1:]


def with_another(ids, given):
    return [*ids, "other"], [*given, given[0]]


def twice(ids, given):
    return [*ids, ids[0]], [*given, given[0]]


def not_a_number(ids, given):
    return ids, [[np.nan, 0.5, 0.5], *given[1:]]


def too_much(ids, given):
    return ids, [[0.5, 0.5, 0.5], *given[1:]]


def negative(ids, given):
    return ids, [[-0.5, 0.5, 1.0], *given[1:]]


def two_classes(ids, given):
    return ids, [[0.5, 0.5], *given[1:]]


def nothing(ids, given):
    return ids, [None, *given[1:]]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (without_first, r"40 events, once, got 1 missing \(e00\)"),
        (with_another, r"1 not among the events \(other\)"),
        (twice, r"1 there more than once \(e00\)"),
        (not_a_number, "expected finite numbers; not so in 1 of 40 events, such as e00"),
        (too_much, "that sum to 1, got a sum of 1.5"),
        (negative, "each from 0 to 1"),
        (two_classes, "expected 3 numbers for event e00, got 2"),
        (nothing, "expected a list of numbers for each event"),
    ],
)
def test_answers_that_cannot_be(rows, tmp_path, spoil, told):
    given = np.full((EVENTS, 3), 1 / 3).tolist()
    ids, answers = spoil(list(rows["event_id"]), given)
    file = write(tmp_path / "a.parquet", event_id=ids, probabilities=answers)
    with pytest.raises(AnswerError, match=told):
        read(file, rows)


def test_no_table_a_column_less_and_classes_in_another_order(rows, tmp_path):
    (tmp_path / "a.parquet").write_text("no table")
    with pytest.raises(AnswerError, match="expected a Parquet file"):
        read(tmp_path / "a.parquet", rows)
    with pytest.raises(AnswerError, match="none named probabilities: it has event_id"):
        read(write(tmp_path / "b.parquet", event_id=list(rows["event_id"])), rows)
    other = [2 - label for label in rows["label"]]
    given = [[0.2, 0.3, 0.5]] * EVENTS
    file = write(tmp_path / "c.parquet", event_id=list(rows["event_id"]), label=other, probabilities=given)
    with pytest.raises(AnswerError, match="numbered in another order"):
        read(file, rows)


@pytest.fixture
def hits(rng):
    lengths = rng.integers(1, 30, EVENTS)
    lists = {
        "motif": [rng.integers(0, 3, n).tolist() for n in lengths],
        "particle": [rng.integers(0, 3, n).tolist() for n in lengths],
        "pid": [[1] * n for n in lengths],
    }
    classes = Sequence(ClassLabel(names=["shower", "track", "none"]))
    features = Features(
        event_id=Value("string"), motif=classes, particle=Sequence(Value("int64")), pid=classes
    )
    return Dataset.from_dict({"event_id": [f"e{n:02d}" for n in range(EVENTS)], **lists}, features)


def test_classes_of_hits_are_scored_as_scikit_learn_does(hits, rng, tmp_path):
    given = [rng.integers(0, 3, len(of)).tolist() for of in hits["motif"]]
    file = write(tmp_path / "a.parquet", event_id=list(hits["event_id"]), given=given)
    found = read(file, hits, OF_HITS, ["motif"]).scores(ALL)
    truth, said = np.concatenate(list(hits["motif"])), np.concatenate(given)
    assert found["macro_f1"][0] == pytest.approx(f1_score(truth, said, average="macro"))


def test_a_hit_without_a_class_and_a_hit_too_many(hits, tmp_path):
    given = [list(of) for of in hits["motif"]]
    left_out = [[-1, *given[0][1:]], *given[1:]]
    file = write(tmp_path / "a.parquet", event_id=list(hits["event_id"]), given=left_out)
    with pytest.raises(AnswerError, match=r"a class from 0 to 2 for each hit .* such as e00"):
        read(file, hits, OF_HITS, ["motif"])
    longer = [[*given[0], 0], *given[1:]]
    file = write(tmp_path / "b.parquet", event_id=list(hits["event_id"]), given=longer)
    with pytest.raises(AnswerError, match=f"expected {len(given[0])} numbers for event e00"):
        read(file, hits, OF_HITS, ["motif"])


def test_instances_as_true_are_perfect_and_those_without_a_class_are_refused(hits, tmp_path):
    ids, truth = list(hits["event_id"]), list(hits["particle"])
    found = [np.unique(of, return_inverse=True)[1] + 1 for of in truth]
    labels = [[1] * int(of.max()) for of in found]
    file = write(tmp_path / "a.parquet", event_id=ids, found=found, found_label=labels)
    scores = read(file, hits, OF_INSTANCES, ["particle", "pid"]).scores(ALL)
    assert scores["pq"][0] == scores["ari"][0] == pytest.approx(1)
    short = [labels[0][:-1], *labels[1:]]
    file = write(tmp_path / "b.parquet", event_id=ids, found=found, found_label=short)
    with pytest.raises(AnswerError, match="as event e00 has so many in found_label"):
        read(file, hits, OF_INSTANCES, ["particle", "pid"])


def test_a_reconstruction_needs_each_quantity(rows, tmp_path):
    file = write(tmp_path / "a.parquet", event_id=list(rows["event_id"]), vertex=[[0.0] * 3] * EVENTS)
    with pytest.raises(AnswerError, match="none named flavour_probabilities, charm_probabilities, vis_mom"):
        read(file, rows, OF_RECONSTRUCTION, ["flavour", "charm"])
