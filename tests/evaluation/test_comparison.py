"""Classifiers side by side: tables, paired tests and refusals, on made-up answers."""

import csv
import json
import math
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from datasets import Dataset

from nuzoo.evaluation.comparison.comparison import (
    ClassifierComparison,
    ComparedModel,
    check_comparable,
    columns_of,
)
from nuzoo.evaluation.comparison.numbers import compact, records_of, three_digits
from nuzoo.evaluation.comparison.paired import compare_pairs, mcnemar
from nuzoo.evaluation.comparison.report import what_differs, write_comparison
from nuzoo.evaluation.core.calibration import probabilities
from nuzoo.evaluation.core.errors import ComparisonError, ResultsFileError
from nuzoo.evaluation.core.results import (
    Cost,
    Estimate,
    Machine,
    Memory,
    ModelFacts,
    Number,
    ProcessorFacts,
    Subject,
)
from nuzoo.evaluation.core.results_file import write_results
from nuzoo.evaluation.core.text import with_error
from nuzoo.evaluation.core.training_facts import Training
from nuzoo.evaluation.tasks.event_classification.evaluate import describe_labelled
from nuzoo.evaluation.tasks.event_classification.numbers import classification_numbers
from nuzoo.evaluation.tasks.event_classification.predictions import Predictions, write_predictions
from nuzoo.evaluation.tasks.event_classification.published import LARTPC_CLASSIFIERS
from nuzoo.evaluation.tasks.event_classification.report import read_evaluation
from nuzoo.evaluation.tasks.event_classification.results import ClassificationResults
from nuzoo.files.names import PREDICTIONS_FILE, RESULTS_FILE

NAMES = ["nue_cc", "numu_cc", "nc"]
LABELS = np.array([0] * 5 + [1] * 3 + [2] * 2)
NUMBER = Number(value=2.0, error=0.25, low=1.75, high=2.25)


def answers(predicted):
    """Logits that prefer these classes, each by another amount."""
    logits = np.zeros((len(predicted), 3))
    logits[np.arange(len(predicted)), predicted] = 1 + np.arange(len(predicted)) / 10
    return logits


def write_evaluation(folder, predicted, model_type="nu_cnn", labels=LABELS, prefix="sim-1-"):
    """Files of an evaluation with made-up answers, as `evaluate_classifier` writes them."""
    folder.mkdir(parents=True)
    logits, ids = answers(predicted), [f"{prefix}{i}" for i in range(len(predicted))]
    rows = Dataset.from_dict(
        {
            "event_id": ids,
            "label": labels.tolist(),
            "detector": ["modular-2x2x7"] * len(ids),
            "source": ["nuzoo-simulation test"] * len(ids),
        }
    )
    facts = ModelFacts(
        class_name="Made",
        model_type=model_type,
        parameters=1_234_567,
        trainable_parameters=1_234_567,
        adapter=False,
        quantisation=None,
        dtype="float32",
        classes=NAMES,
        weights_sha256="0" * 64,
    )
    half = {"energy": logits, "image": np.roll(logits, 1, axis=1)}
    results = ClassificationResults(
        **vars(classification_numbers(logits, labels, NAMES, alternatives=half, replicas=50)),
        created="2026-01-01T00:00:00+00:00",
        class_names=NAMES,
        dataset=describe_labelled(rows, NAMES),
        validation=None,
        model=facts,
        processor=ProcessorFacts(sha256="1" * 64),
        cost=Cost(
            batch_size=4,
            ms_per_event={"total": NUMBER, "model": NUMBER},
            peak_memory=Memory(mib=1000.0, counts="made up"),
        ),
        machine=Machine(
            system="Made",
            python="3",
            processor="Abacus",
            logical_cores=1,
            threads=1,
            device="cpu",
            packages={},
        ),
    )
    write_results(folder / RESULTS_FILE, results)
    write_predictions(
        folder / PREDICTIONS_FILE, Predictions(ids, labels, logits, np.full(len(ids), np.nan)), 1.0
    )
    (folder / "report.md").write_text("made up")
    return results


GOOD = [0, 0, 0, 0, 1, 1, 1, 1, 2, 0]
POOR = [0, 0, 1, 1, 0, 1, 0, 0, 0, 2]


@pytest.fixture(autouse=True)
def _no_figures(monkeypatch, request):
    """Figures are slow: only the test of figures draws them."""
    if "figures" not in request.node.name:
        monkeypatch.setattr("nuzoo.evaluation.comparison.report.DRAWINGS", {})


@pytest.fixture
def models(tmp_path):
    write_evaluation(tmp_path / "good", GOOD, "nu_vit")
    write_evaluation(tmp_path / "poor", POOR, "nu_cnn")
    return [
        ComparedModel(
            "good", *read_evaluation(tmp_path / "good"), Training("from scratch", "3 epochs", 2000)
        ),
        ComparedModel("poor", *read_evaluation(tmp_path / "poor"), Training()),
    ]


APPENDIX = "## Appendix: published numbers"


def rows_of(markdown):
    """Cells of every table row, by the row's title and its position."""
    lines = [line for line in markdown.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_tables_are_those_counted_by_hand(models, tmp_path):
    """GOOD has 8 of 10 right: 4 of 5, 3 of 3, 1 of 2. POOR has 5: 3 of 5, 1 of 3, 1 of 2."""
    body, text = write_comparison(models, tmp_path / "out").read_text().split(APPENDIX)
    assert rows_of(body)[0][2:] == ["good", "poor"] and "arXiv" not in body
    head, accuracy, precision, recall = (rows_of(text)[i][1:] for i in (0, 2, 3, 4))
    assert head[1:] == [
        "good", "arXiv:2509.08461v4: ViT-H/14", "poor", "arXiv:2509.08461v4: CNN (SE-ResNet)"
    ]  # fmt: skip

    def ours(cells, position):
        return float(cells[position].split(" ")[0])

    assert accuracy[0] == "Accuracy"
    assert [ours(accuracy, 1), ours(accuracy, 3)] == pytest.approx([0.8, 0.5], abs=0.006)
    assert [ours(precision, 1), ours(recall, 1)] == pytest.approx(
        [(0.8 + 0.75 + 1) / 3, (0.8 + 1 + 0.5) / 3], abs=0.006
    )
    assert [ours(precision, 3), ours(recall, 3)] == pytest.approx(
        [(3 / 6 + 1 / 3 + 1) / 3, (3 / 5 + 1 / 3 + 1 / 2) / 3], abs=0.006
    )
    assert (accuracy[2], accuracy[4]) == ("0.86", "0.80")


def test_published_half_resolution_stands_where_objects_have_the_same_size(models, tmp_path):
    rows = rows_of(write_comparison(models, tmp_path / "out").read_text().split(APPENDIX)[1])
    accuracy = [row for row in rows if row[1] == "Accuracy"]
    _, by_energy, by_image = [(row[3], row[5]) for row in accuracy]
    assert re.match(r"0\.85 <sup>", by_energy[0])
    assert by_energy[1] == "–"
    assert by_image[0] == "–"
    assert re.match(r"0\.43 <sup>[a-z],[a-z]</sup>", by_image[1])


def test_published_language_model_stands_where_ours_resizes_the_image_too(models):
    language = adapted(models[0], "good")
    theirs = [record for record in records_of([language]) if record.column.endswith("(QLoRA)")]
    assert {r.condition: r.value for r in theirs if r.quantity == "macro_auc"} == {
        "nominal": 0.96,
        "image": 0.95,
    }


def test_inconsistencies_are_told_where_their_numbers_are_quoted(models, tmp_path):
    text = write_comparison(models, tmp_path / "both").read_text()
    assert "says 0.97 where its Table 1 says 0.96" in text
    assert "says 0.49 for accuracy" in text
    assert "12.9 GB" not in text
    marks = set(re.findall(r"<sup>([a-z,]+)</sup>", text))
    explained = set(re.findall(r"^- <sup>([a-z])</sup>", text, re.MULTILINE))
    assert {letter for mark in marks for letter in mark.split(",")} == explained
    language = adapted(models[0], "language")
    text = write_comparison([language, models[0]], tmp_path / "language").read_text()
    assert "12.9 GB" in text
    assert "says 0.49" not in text


def adapted(model, name):
    """The same results as of a vision-language model with an adapter."""
    language = {"model_type": "nu_vlm", "adapter": True, "quantisation": "4-bit"}
    facts = replace(model.results.model, trainable_parameters=29_491_200, **language)
    return replace(model, name=name, results=replace(model.results, model=facts))


def test_sizes_and_regimes(models, tmp_path):
    language = adapted(models[1], "language")
    found = {(r.column, r.quantity): r for r in records_of([*models, language]) if r.condition == "cost"}
    assert found["language", "trainable_parameters"].text == "29.5 M"
    assert found["language", "trainable_parameters"].value == 29_491_200
    assert found["language", "regime"].text == "LoRA, 4-bit base"
    assert found["good", "regime"].text == "from scratch, 3 epochs"
    assert found["poor", "regime"].text == "not stated"
    assert found["good", "training_events"].text == "2,000"
    assert found["good", "peak_memory"].value == pytest.approx(1000 * 1024**2 / 1e9)
    assert found["good", "peak_memory"].text == "1.05"
    assert found["language", "number_format"].text == "4-bit, float32"
    assert found["arXiv:2509.08461v4: ViT-H/14", "time_per_event"].text == "299.1"


def test_one_line_says_what_differs(models):
    line = what_differs(models)
    assert "\n" not in line
    assert "nuzoo simulation instead of GENIE 3.0.6 and Geant4" in line
    assert "parameters 1.23 M (theirs 632 M), training events 2,000 (theirs 190,000)" in line
    unknown = [
        replace(m, results=replace(m.results, model=replace(m.results.model, model_type="nu_x")))
        for m in models
    ]
    assert what_differs(unknown) == ""
    assert columns_of(unknown) == unknown


def test_published_column_follows_the_last_model_of_its_kind(models):
    second = replace(models[0], name="second")
    assert [c.name for c in columns_of([*models, second])] == [
        "good",
        "poor",
        "CNN (SE-ResNet)",
        "second",
        "ViT-H/14",
    ]


def test_csv_json_and_figures_hold_the_same(models, tmp_path):
    out = tmp_path / "out"
    write_comparison(models, out)
    rows = list(csv.DictReader((out / "comparison.csv").open()))
    content = json.loads((out / "comparison.json").read_text())
    assert [row["text"] for row in rows] == [number["text"] for number in content["numbers"]]
    accuracy = next(row for row in rows if (row["column"], row["quantity"]) == ("poor", "accuracy"))
    assert float(accuracy["value"]) == 0.5
    assert accuracy["source"] == "measured"
    assert {row["source"] for row in rows} == {"measured", "arXiv:2509.08461v4"}
    text = (out / "comparison.md").read_text()
    pictures = {path.name for path in out.glob("*.png")}
    assert pictures == {"confusion.png", "roc.png", "confidence.png", "reliability.png"}
    assert all(f"({name})" in text for name in pictures)
    assert not list(out.glob(".*"))


def test_latex_has_as_many_cells_in_each_row_and_no_bare_character(models, tmp_path):
    odd = replace(models[0], name="100%_of & more #1 {x}")
    write_comparison([odd, models[1]], tmp_path)
    text = (tmp_path / "comparison.tex").read_text()
    assert r"100\%\_of \& more \#1 \{x\}" in text
    rows = [line for line in text.splitlines() if line.endswith(r" \\")]
    assert [len(re.findall(r"(?<!\\)&", row)) for row in rows] == [3] * 13 + [2] * 11 + [5] * 13 + [4] * 11
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 4
    assert not re.search(r"(?<!\\)%(?! \\usepackage)|[±−×–]", text)
    assert len(re.findall(r"(?<!\\)\{", text)) == len(re.findall(r"(?<!\\)\}", text))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (999_600, "1.00 M"),
        (999_400, "999 k"),
        (29_491_200, "29.5 M"),
        (11e9, "11.0 B"),
    ],
)
def test_counts_have_three_digits(number, text):
    assert compact(number) == text


def test_three_digits():
    assert [three_digits(x) for x in (0.01234, 0.9996, 9.996, 99.96, 12.91)] == [
        "0.012", "1.00", "10.0", "100", "12.9"
    ]  # fmt: skip


def test_mcnemar_is_the_binomial_sum():
    """9 against 2 of 11 tosses: 2 (C(11,0) + C(11,1) + C(11,2)) / 2^11."""
    first = np.array([True] * 9 + [False] * 2 + [True] * 30 + [False] * 4)
    second = np.array([False] * 9 + [True] * 2 + [True] * 30 + [False] * 4)
    expected = 2 * sum(math.comb(11, k) for k in range(3)) / 2**11
    assert mcnemar(first, second) == (9, 2, pytest.approx(expected))
    assert mcnemar(first, first) == (0, 0, 1)


def test_paired_differences_have_the_closed_error():
    """A difference of means of d = 1, 0, -1 on n events has the error sqrt(var(d) / n)."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 400)
    first = probabilities(rng.normal(size=(400, 3)) + 2 * np.eye(3)[labels])
    second = probabilities(np.log(first) + 0.8 * rng.normal(size=(400, 3)))
    (pair,) = compare_pairs(labels, {"a": first, "b": second}, replicas=4000)
    d = (first.argmax(1) == labels).astype(float) - (second.argmax(1) == labels)
    assert pair.accuracy_difference.value == pytest.approx(d.mean())
    assert pair.accuracy_difference.error == pytest.approx(np.sqrt(d.var() / len(d)), rel=0.05)
    unpaired = np.sqrt(sum((p.argmax(1) == labels).var() for p in (first, second)) / 400)
    assert pair.accuracy_difference.error < 0.9 * unpaired
    (swapped,) = compare_pairs(labels, {"b": second, "a": first}, replicas=50)
    assert swapped.macro_auc_difference.value == pytest.approx(-pair.macro_auc_difference.value)


def test_a_verdict_needs_a_difference(tmp_path):
    labels = np.tile([0, 1, 2], 20)
    write_evaluation(tmp_path / "a", labels, labels=labels)
    write_evaluation(tmp_path / "b", np.zeros(60, int), labels=labels)
    write_evaluation(tmp_path / "c", np.r_[labels[:58], [0, 0]], labels=labels)
    read = {name: ComparedModel(name, *read_evaluation(tmp_path / name), Training()) for name in "abc"}
    text = write_comparison(list(read.values()), tmp_path / "out").read_text()
    verdicts = {row[0]: (row[4], row[6]) for row in rows_of(text) if " − " in row[0]}
    assert verdicts == {
        "a − b": ("< 0.001", "a is better"),
        "a − c": ("0.5", "no difference shown"),
        "b − c": ("< 0.001", "c is better"),
    }


def test_other_events_labels_and_classes_are_refused(models, tmp_path):
    write_evaluation(tmp_path / "other", POOR, prefix="sim-2-")
    other = ComparedModel("other", *read_evaluation(tmp_path / "other"), Training())
    with pytest.raises(ComparisonError, match="good was measured on 10, other on 10, 0 of them common"):
        write_comparison([models[0], other], tmp_path / "out")
    write_evaluation(tmp_path / "relabelled", POOR, labels=np.r_[LABELS[:9], 0])
    relabelled = ComparedModel("relabelled", *read_evaluation(tmp_path / "relabelled"), Training())
    with pytest.raises(ComparisonError, match="relabelled on 10, 9 of them common"):
        check_comparable([models[0], relabelled])
    renamed = replace(models[1], results=replace(models[1].results, class_names=NAMES[::-1]))
    with pytest.raises(ComparisonError, match="poor has nc, numu_cc, nue_cc"):
        check_comparable([models[0], renamed])
    assert not (tmp_path / "out").exists()


def test_files_of_two_evaluations_are_not_mixed(tmp_path):
    write_evaluation(tmp_path / "one", GOOD)
    write_evaluation(tmp_path / "two", GOOD, prefix="sim-2-")
    (tmp_path / "two" / PREDICTIONS_FILE).replace(tmp_path / "one" / PREDICTIONS_FILE)
    with pytest.raises(ResultsFileError, match="10 events, predictions of 10 others"):
        ComparedModel("one", *read_evaluation(tmp_path / "one"), Training())


def test_only_the_very_same_evaluation_counts_as_measured(tmp_path):
    results = write_evaluation(tmp_path / "one", GOOD)
    parts = {key: getattr(results, key) for key in ("dataset", "validation", "model", "processor")}

    def measured(folder=tmp_path / "one", temperature=1.0, batch_size=4, calibrate=False, **changes):
        subject, config = Subject(**parts | changes), SimpleNamespace(temperature=temperature)
        return ClassifierComparison().is_measured(
            folder, subject, config, batch_size=batch_size, calibrate=calibrate
        )

    assert measured()
    assert not measured(temperature=1.1)
    assert not measured(temperature=1.1, calibrate=True)
    assert not measured(batch_size=8)
    assert not measured(model=replace(results.model, weights_sha256="2" * 64))
    assert not measured(processor=ProcessorFacts(sha256="2" * 64))
    assert not measured(dataset=replace(results.dataset, fingerprint="other"))
    assert not measured(validation=results.dataset)
    assert not measured(folder=tmp_path / "none")
    (tmp_path / "one" / "report.md").unlink()
    assert not measured()


def test_published_numbers_are_those_of_the_tables():
    """Tables 1 and 2 of arXiv:2509.08461v4, column by column."""
    table = {
        "nu_vlm": (0.87, 0.87, 0.87, 0.96, 0.85, 0.85, 0.85, 0.95, 29.5, 12.91, 3412),
        "nu_vit": (0.86, 0.86, 0.85, 0.96, 0.85, 0.85, 0.85, 0.96, 632, 2.56, 299.1),
        "nu_cnn": (0.80, 0.80, 0.79, 0.94, 0.43, 0.40, 0.41, 0.70, 21.7, 2.44, 23.90),
    }
    assert {
        row.model_type: (
            *row.full,
            *row.half,
            row.trainable_parameters,
            row.memory_gb,
            row.ms_per_event,
        )
        for row in LARTPC_CLASSIFIERS
    } == table


def test_rounding_is_no_error():
    assert with_error(Estimate(value=1 / 3, error=5e-17)) == "0.3333"
    assert with_error(Estimate(value=1 / 3, error=0.011)) == "0.333 ± 0.011"
