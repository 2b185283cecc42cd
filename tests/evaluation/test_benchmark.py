"""One benchmark: frozen tasks, whoever answers them, and who is refused."""

import json

import numpy as np
import pytest
import torch

from nuzoo.cli import main
from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.datasets_scripts.lartpc_pixelmaps import simulate_dataset
from nuzoo.evaluation.benchmark.entry import ENTRY_FILE, Entry, folder_of
from nuzoo.evaluation.benchmark.frozen import read_benchmark, write_benchmark
from nuzoo.evaluation.benchmark.leaderboard import BOOTSTRAP, LEADERBOARD_FILE, MCNEMAR, Leaderboard, compare
from nuzoo.evaluation.benchmark.run import run_benchmark
from nuzoo.evaluation.benchmark.samples import in_frozen_order, read_sample, schema_of_sample
from nuzoo.evaluation.comparison.paired import compare_pairs
from nuzoo.evaluation.core.errors import BenchmarkError
from nuzoo.evaluation.core.results_file import read_results
from nuzoo.evaluation.core.training_events import write_training_events
from nuzoo.evaluation.tasks.event_classification.answers import ClassAnswers
from nuzoo.evaluation.tasks.event_classification.evaluator import EVALUATOR
from nuzoo.files.names import RESULTS_FILE
from nuzoo.modeling.modeling_nu_cnn import NuCnnForEventClassification
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.registry import ARCHITECTURES, TASKS, import_object

from ..drawing import undrawn
from ..pickled_work import PickledWork
from .benchmarks import SAMPLE, TASK, frozen_file, probabilities, tiny_benchmark, write_submission

HOSTILE = '"><img src=x onerror=alert(1)>'


@pytest.fixture(scope="module")
def frozen(simulated_dataset):
    return tiny_benchmark(simulated_dataset)


@pytest.fixture(scope="module")
def model(simulated_dataset, tmp_path_factory):
    """An untrained network."""
    folder = tmp_path_factory.mktemp("models") / "nu-cnn"
    rows = in_frozen_order(str(simulated_dataset))
    processor = NuPixelMapImageProcessor(detector="modular-2x2x7", rebin=8, mev_per_count=0.033)
    processor.fit(rows).save_pretrained(folder)
    torch.manual_seed(0)
    NuCnnForEventClassification(NuCnnConfig.tiny()).save_pretrained(folder)
    return folder


@pytest.fixture
def run(frozen, simulated_dataset, tmp_path):
    benchmark, _ = frozen

    def run(*entries, tell=lambda line: None, **options):
        with undrawn():
            options = {"folder_of": lambda sample: str(simulated_dataset), "tell": tell, **options}
            return run_benchmark(list(map(str, entries)), benchmark, tmp_path / "out", **options)

    return run


@pytest.fixture
def submit(frozen, tmp_path):
    benchmark, rows = frozen

    def submit(title="theirs", seed=1, training=("sim-6-1",), **changed):
        folder, answers = tmp_path / f"submission-{seed}", probabilities(rows, seed)
        return write_submission(folder, benchmark, rows["event_id"], answers, title, training, **changed)

    return submit


def test_the_frozen_file_of_the_package_is_whole_and_its_tasks_are_those_of_the_tables():
    benchmark = read_benchmark()
    assert benchmark.sha256 == json.loads(json.dumps(benchmark.sha256))
    asked = {kind for task in benchmark.tasks.values() for kind in task.kinds}
    assert asked <= TASKS.keys() and {"event-classification", "hit-segmentation"} <= asked
    for task in benchmark.tasks.values():
        readers = {id(import_object(TASKS[kind].evaluator).answers) for kind in task.kinds}
        assert len(readers) == 1, "networks of all kinds are scored alike"
        reader = import_object(TASKS[task.kinds[0]].evaluator).answers
        assert next(iter(reader.titles)) == task.metric
        schema = schema_of_sample(benchmark.samples[task.sample])
        assert set(task.targets) <= {column.name for column in schema.columns}
    assert len({sample.event_ids_sha256 for sample in benchmark.samples.values()}) == len(benchmark.samples)


def test_the_checksum_is_of_all_that_is_frozen(frozen, tmp_path):
    benchmark, _ = frozen
    file = frozen_file(tmp_path, benchmark)
    assert read_benchmark(file) == benchmark
    content = json.loads(file.read_text())
    content["tasks"][TASK]["training"]["events"] += 1
    file.write_text(json.dumps(content))
    with pytest.raises(BenchmarkError, match="expected the content that was frozen"):
        read_benchmark(file)
    file.write_text("[]")
    with pytest.raises(BenchmarkError, match="expected the file of a benchmark"):
        read_benchmark(file)


def test_events_are_known_again_by_name_and_by_truth(frozen, simulated_dataset, tmp_path):
    benchmark, rows = frozen
    sample = benchmark.samples[SAMPLE]
    assert list(read_sample(str(simulated_dataset), sample)["event_id"]) == sorted(rows["event_id"])
    simulate_dataset(tmp_path / "other", events=6, seed=8)
    with pytest.raises(BenchmarkError, match=r"6 with other names .* give another folder"):
        read_sample(str(tmp_path / "other"), sample)
    altered = benchmark.samples[SAMPLE].__class__(**{**vars(sample), "truth_sha256": {"label": "0"}})
    with pytest.raises(BenchmarkError, match="expected the truth in label that was frozen"):
        read_sample(str(simulated_dataset), altered)


def test_a_model_has_the_numbers_of_its_evaluator_and_is_not_measured_twice(run, model, tmp_path):
    page = run(model)
    folder = folder_of(tmp_path / "out", TASK, "nu-cnn")
    entry = read_results(folder / ENTRY_FILE, Entry)
    results = EVALUATOR.read_results(folder / RESULTS_FILE)
    for key, number in entry.scores.items():
        assert number.value == pytest.approx(getattr(results.metrics, key).value)
    assert entry.parameters == results.model.parameters and results.dataset.events == 60
    told, written = [], (folder / ENTRY_FILE).stat().st_mtime_ns
    assert run(model, tell=told.append) == page
    assert "(measured before)" in told[0] and (folder / ENTRY_FILE).stat().st_mtime_ns == written


def test_entries_stand_in_order_with_paired_tests_and_no_name_becomes_markup(run, submit, tmp_path):
    page = run(submit("good", 1), submit(HOSTILE, 2, training=[f"sim-6-{n}" for n in range(95)]))
    board = read_results(tmp_path / "out" / LEADERBOARD_FILE, Leaderboard)
    entries, (test,) = board.tasks[TASK].entries, board.tasks[TASK].tests
    values = [entry.scores["accuracy"].value for entry in entries]
    assert values == sorted(values, reverse=True)
    assert {test.first, test.second} == {"good", HOSTILE} and test.test == MCNEMAR
    assert test.difference.value == pytest.approx(values[0] - values[1])
    html = page.read_text()
    assert "<img" not in html and "&lt;img src=x onerror=alert(1)&gt;" in html and "&lt;of few&gt;" in html
    assert "95 (beyond the budget)" in html
    assert "http" not in html.replace("http-equiv", ""), "the page needs nothing else"


def test_pairs_are_compared_as_elsewhere(frozen):
    _, rows = frozen
    label = np.array(list(rows["label"]))
    given = {name: probabilities(rows, seed) for seed, name in enumerate(("a", "b"))}
    answers = {name: ClassAnswers(label, of) for name, of in given.items()}
    (ours,) = compare(answers, "accuracy", len(label), replicas=100, seed=3)
    (theirs,) = compare_pairs(label, given, replicas=100, seed=3)
    assert ours.difference == theirs.accuracy_difference and ours.p_value == theirs.p_value
    (area,) = compare(answers, "macro_auc", len(label), replicas=100, seed=3)
    assert area.test == BOOTSTRAP and area.difference == theirs.macro_auc_difference
    (same,) = compare({"a": answers["a"], "again": answers["a"]}, "macro_auc", len(label), 100, 3)
    assert same.p_value == 1


def refused(run, *entries, told):
    with pytest.raises(BenchmarkError, match=told):
        run(*entries)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"benchmark": "tiny-2"}, "expected answers to tiny-1 .* got some to tiny-2"),
        ({"benchmark_sha256": "0" * 64}, "answer the events of this version"),
        ({"tasks": {}}, "expected tasks, got none"),
        ({"tasks": {"event": {"file": "a", "sha256": "", "training_events": None}}}, "did you mean events"),
        ({"tasks": {TASK: {"file": "no", "sha256": "", "training_events": None}}}, "answers to the task ev"),
        ({"tasks": {TASK: {"file": "../a", "sha256": "", "training_events": None}}}, "in this folder"),
        (
            {"tasks": {TASK: {"file": "training.txt", "sha256": "0", "training_events": None}}},
            "SHA-256 0, got",
        ),
        ({"tasks": {TASK: {"file": "answers.parquet", "sha256": "0"}}}, "training_events"),
        ({"name": "two\nlines"}, "signs on one line"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_submission_that_is_not_what_it_says(run, submit, changed, told):
    refused(run, submit(**changed), told=told)


def test_whoever_has_seen_the_events_is_refused_by_name_and_by_content(
    run, submit, model, frozen, simulated_dataset, tmp_path
):
    benchmark, rows = frozen
    leaked = submit(training=["sim-6-1", rows[3]["event_id"]])
    refused(run, leaked, told="got 1 of the 60 that are asked about")
    schema = schema_of_sample(benchmark.samples[SAMPLE])
    write_training_events(model, {"train": rows.select(range(2)), "validation": rows.select([5])}, schema)
    refused(run, model, told="nu-cnn: expected training events other .* got 3 of the 60")
    (model / "training_events.parquet").rename(leaked / "training.parquet")
    content = json.loads((leaked / "submission.json").read_text())
    content["tasks"][TASK]["training_events"] = "training.parquet"
    (leaked / "submission.json").write_text(json.dumps(content))
    refused(run, leaked, told="got 3 of the 60")
    assert not list((tmp_path / "out").glob(f"*/*/{ENTRY_FILE}"))


def test_a_file_alone_and_a_model_of_no_task(run, submit, model, frozen, tmp_path):
    refused(run, submit() / "answers.parquet", told="got a file: put it into a folder with a submission.json")
    refused(run, "nu-point-motif-tiny", told="a task of tiny-1, got one for hit-segmentation of lartpc-cube")


def test_two_of_one_name(run, submit, tmp_path):
    refused(
        run, submit("same", 1), submit("same", 2), told="submission-2: expected another name than that of"
    )


def test_one_that_is_refused_keeps_none_of_the_others(run, submit, tmp_path):
    bad = submit("bad", 1, tasks={})
    refused(run, bad, submit("good", 2), told="submission-1 was refused: .* expected tasks, got none")
    assert "good" in (tmp_path / "out" / "index.html").read_text()


def test_altered_answers_and_entries_of_another_benchmark(run, submit, frozen, tmp_path):
    run(submit())
    folder = folder_of(tmp_path / "out", TASK, "theirs")
    (folder / "predictions.parquet").write_bytes(b"")
    refused(run, told="a file that was altered")
    file = folder / ENTRY_FILE
    file.write_text(file.read_text().replace(frozen[0].sha256, "0" * 64))
    refused(run, told="got one of another version")


def test_the_command_lists_tasks_and_measures(submit, frozen, simulated_dataset, tmp_path, capsys):
    file = frozen_file(tmp_path, frozen[0])
    assert main(["benchmark", "--frozen", str(file)]) == 0
    assert "events  event-classification  modular-2x2x7  60" in capsys.readouterr().out
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / SAMPLE).symlink_to(simulated_dataset)
    folders = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "results")]
    assert main(["benchmark", str(submit()), "--frozen", str(file), *folders]) == 0
    out = capsys.readouterr().out
    assert (
        out.startswith("events: theirs 0.") and f"leaderboard: {tmp_path / 'results' / 'index.html'}" in out
    )
    assert main(["benchmark", "--tasks", TASK]) == 2
    assert "--tasks: expected an ENTRY" in capsys.readouterr().err
    assert main(["benchmark", str(submit(seed=2)), "--frozen", str(file), *folders, "--tasks", "evens"]) == 1
    assert "did you mean events" in capsys.readouterr().err


def test_every_architecture_with_a_task_of_the_benchmark_can_take_part():
    kinds = {kind for task in read_benchmark().tasks.values() for kind in task.kinds}
    assert {"nu_cnn", "nu_unet", "nu_perceiver", "nu_point_mae"} <= {
        name for name, row in ARCHITECTURES.items() if kinds & row.networks.keys()
    }


def test_a_benchmark_is_written_as_it_is_read(frozen, tmp_path):
    write_benchmark(tmp_path / "a.json", frozen[0])
    write_benchmark(tmp_path / "b.json", read_benchmark(tmp_path / "a.json"))
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_workers_write_the_entries_and_who_is_refused_is_told(run, submit, tmp_path, monkeypatch):
    good, leaked = submit("good", 1), submit("leaked", 2, training=["sim-5-1"])
    monkeypatch.chdir(tmp_path)
    workers, lines = PickledWork(), []
    with pytest.raises(BenchmarkError, match="refused"):
        run(good.relative_to(tmp_path), leaked, tell=lines.append, workers=workers)
    assert [piece.path for piece in workers.pieces] == [good.name, str(leaked)]
    assert any("good" in line and "(measured before)" in line for line in lines)
    assert any(line.startswith(f"{leaked} was refused") for line in lines)
    run(good, workers=workers)
    assert len(workers.pieces) == 2
