"""`nuzoo publish --type benchmark` against the local Hub, and its numbers in a model's repository."""

import json

import pytest
import yaml
from datasets import load_dataset
from huggingface_hub import parse_eval_result_entries

from nuzoo.evaluation.benchmark.entry import ENTRY_FILE, folder_of
from nuzoo.evaluation.benchmark.leaderboard import LEADERBOARD_FILE
from nuzoo.evaluation.benchmark.run import run_benchmark
from nuzoo.files.checksums import differences

from ..drawing import undrawn
from ..evaluation.benchmarks import TASK, probabilities, tiny_benchmark, write_submission
from .flows import Session, contents, state

BOARD, DATASET, MODEL = "org/tiny-benchmark", "org/pixelmaps", "org/nu-cnn"
AS_BENCHMARK = ("--type", "benchmark")


@pytest.fixture(scope="module")
def session(local_hub, tmp_path_factory):
    with Session(local_hub, tmp_path_factory.mktemp("cache")) as session:
        session.trust_flat_copies()
        yield session


@pytest.fixture(scope="module")
def results(run, simulated_dataset, tmp_path_factory):
    """The results of a network and of answers, as `nuzoo benchmark` leaves them."""
    benchmark, rows = tiny_benchmark(simulated_dataset)
    folder = tmp_path_factory.mktemp("benchmark")
    theirs = folder / "theirs"
    write_submission(theirs, benchmark, rows["event_id"], probabilities(rows, 1), "*theirs*")
    with undrawn():
        where = {"folder_of": lambda sample: str(simulated_dataset), "tell": lambda line: None}
        run_benchmark([str(run), str(theirs)], benchmark, folder / "results", **where)
    return folder / "results"


@pytest.fixture(scope="module")
def published(session, results):
    return session.publish(results, "--repo", BOARD, *AS_BENCHMARK)


def test_the_leaderboard_loads_without_nuzoo_and_holds_all_that_was_measured(
    session, published, results, local_hub, tmp_path
):
    files = contents(local_hub, BOARD, "dataset")
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    rows = load_dataset(str(tmp_path), TASK, split="test")
    board = json.loads((results / LEADERBOARD_FILE).read_text())
    entries = board["tasks"][TASK]["entries"]
    assert rows["name"][:] == [entry["name"] for entry in entries]
    assert rows["accuracy"][:] == [entry["scores"]["accuracy"]["value"] for entry in entries]
    assert rows["accuracy_error"][:] == [entry["scores"]["accuracy"]["error"] for entry in entries]
    registered = yaml.safe_load(files["eval.yaml"])
    assert registered["tasks"] == [{"id": TASK, "config": TASK, "split": "test"}]
    card = files["README.md"].decode()
    assert r"\*theirs\*" in card and "accuracy" in card.lower()
    assert "tiny-1.json" in files and "index.html" in files
    folder = folder_of(results, TASK, "nu-cnn").name
    assert {f"entries/{TASK}/{folder}/{name}" for name in (ENTRY_FILE, "predictions.parquet")} <= set(files)
    assert differences(tmp_path) == []


def test_what_was_published_is_verified_and_an_altered_answer_found(session, published, local_hub, tmp_path):
    done = session.nuzoo("verify", BOARD, *AS_BENCHMARK)
    assert done.status == 0 and f"ok    {TASK}: entries (2)" in done.out, done.out
    for name, content in contents(local_hub, BOARD, "dataset").items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (file,) = tmp_path.glob("entries/*/nu-cnn/predictions.parquet")
    file.write_bytes(file.read_bytes()[:-1])
    done = session.nuzoo("verify", tmp_path, *AS_BENCHMARK)
    assert done.status == 1 and "a file that was altered" in done.out


def test_published_again_nothing_changes(session, published, results):
    assert session.publish(results, "--repo", BOARD, *AS_BENCHMARK) == published


def test_the_numbers_of_a_model_are_in_its_repository(
    session, published, results, run, simulated_dataset, local_hub
):
    session.publish(simulated_dataset, "--repo", DATASET, "--type", "dataset")
    told = ("--benchmark", results, "--leaderboard", BOARD)
    session.publish(run, "--repo", MODEL, "--dataset", DATASET, *told)
    file = contents(local_hub, MODEL)[".eval_results/tiny-benchmark.yaml"]
    (entry,) = parse_eval_result_entries(yaml.safe_load(file))
    board = json.loads((results / LEADERBOARD_FILE).read_text())
    (ours,) = [of for of in board["tasks"][TASK]["entries"] if of["kind"] == "model"]
    assert (entry.dataset_id, entry.task_id, entry.dataset_revision) == (BOARD, TASK, published)
    assert entry.value == ours["scores"]["accuracy"]["value"] and "±" in entry.notes


def refused(session, local_hub, *command, told):
    before = state(local_hub, BOARD, "dataset")
    done = session.nuzoo("publish", *command)
    assert done.status in (1, 2) and told in done.err, done.err
    assert state(local_hub, BOARD, "dataset") == before


def test_what_is_no_benchmark_or_was_altered(session, published, results, run, local_hub, tmp_path):
    refused(session, local_hub, run, "--repo", BOARD, *AS_BENCHMARK, told="results of `nuzoo benchmark`")
    refused(session, local_hub, run, "--repo", BOARD, "--benchmark", results, told="both or none")
    board = ("--repo", BOARD, *AS_BENCHMARK, "--citation", "x")
    refused(session, local_hub, results, *board, told="--citation: expected of a dataset alone")
    frozen = results / "tiny-1.json"
    whole = frozen.read_text()
    frozen.write_text(whole.replace('"seed": 1', '"seed": 2'))
    refused(session, local_hub, results, "--repo", BOARD, *AS_BENCHMARK, told="it was altered")
    frozen.write_text(whole)


def test_a_model_that_was_not_measured(session, published, results, run, local_hub, tmp_path):
    """Its weights are others: what was measured is not of it."""
    entry = folder_of(results, TASK, "nu-cnn") / ENTRY_FILE
    board = results / LEADERBOARD_FILE
    before = entry.read_text(), board.read_text()
    digest = json.loads(before[0])["digest"]
    for file, text in zip((entry, board), before, strict=True):
        file.write_text(text.replace(digest, "0" * 64))
    told = ("--dataset", DATASET, "--benchmark", results, "--leaderboard", BOARD)
    refused(session, local_hub, run, "--repo", MODEL, *told, told="expected an entry of this very model")
    for file, text in zip((entry, board), before, strict=True):
        file.write_text(text)
