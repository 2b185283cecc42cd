"""Work on a cluster of two workers: the bytes of one process, whoever is killed, and named errors."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from datasets import Features, Value

from nuzoo.datasets_scripts.common.sharded_parquet import plan_shards, write_shards
from nuzoo.datasets_scripts.workers import cluster
from nuzoo.datasets_scripts.workers.cluster import cluster_of
from nuzoo.datasets_scripts.workers.cluster_errors import ClusterError, NoClusterError, UnlikeWorkersError
from nuzoo.datasets_scripts.workers.cluster_file import ClusterPlace, find_cluster
from nuzoo.datasets_scripts.workers.through_files import through_files
from nuzoo.datasets_scripts.workers.workers import IN_FLIGHT

EVENTS = {"train": {f"x-{number}": number for number in range(120)}}
FEATURES = Features({"event_id": Value("string"), "worker": Value("string"), "square": Value("int64")})


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    file = tmp_path_factory.mktemp("cluster") / "two.yaml"
    file.write_text("kind: local\nn_workers: 2\nmemory_limit: 1GiB\n")
    with cluster_of(find_cluster(str(file)), file.parent) as two:
        two.client.wait_for_workers(2, timeout=120)
        yield two


class Sent:
    """A function that goes to workers as its text, since they do not find the tests."""

    def __init__(self, text):
        self.text, self.function = text, eval(text)

    def __reduce__(self):
        return eval, (self.text,)

    def __call__(self, *arguments):
        return self.function(*arguments)


def slow_row(seconds):
    row = "{'event_id': f'x-{number}', 'square': number**2, 'worker': 'any'}"
    return Sent(f"lambda number: (__import__('time').sleep({seconds}), {row})[1]")


ECHO = Sent("lambda tell, piece: (tell(1), piece)[1]")


def written(out, row, workers=None):
    write_shards(out, plan_shards(EVENTS, 10), FEATURES, row, {"dataset": "squares"}, workers)
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def of_one_process(tmp_path_factory):
    return written(tmp_path_factory.mktemp("one"), slow_row(0))


def opened(*where):
    with cluster_of(*where):
        pass


def test_a_worker_killed_in_the_middle_loses_nothing(workers, tmp_path, of_one_process):
    shards = []

    def kill():
        while len(list(tmp_path.glob("data/*.parquet"))) < 2:
            time.sleep(0.01)
        os.kill(next(iter(workers.client.run(os.getpid).values())), signal.SIGKILL)
        shards.extend(tmp_path.glob("data/*.parquet"))

    killer = threading.Thread(target=kill)
    killer.start()
    assert written(tmp_path, slow_row(0.02), workers) == of_one_process
    killer.join()
    assert 2 <= len(shards) < 12  # when it was killed


def test_an_interrupt_takes_the_work_back_and_the_same_call_goes_on(workers, tmp_path, of_one_process):
    def interrupt():
        while not list(tmp_path.glob("data/*.parquet")):
            time.sleep(0.01)
        signal.raise_signal(signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        written(tmp_path, slow_row(0.05), workers)
    assert not (tmp_path / "manifest.json").exists()
    deadline = time.monotonic() + 30
    while any(workers.client.processing().values()) and time.monotonic() < deadline:
        time.sleep(0.05)  # what a worker had begun
    assert 1 <= len(list(tmp_path.glob("data/*.parquet"))) < 12
    assert written(tmp_path, slow_row(0), workers) == of_one_process


def test_workers_that_are_started_leave_interrupts_of_the_terminal_to_this_process(workers):
    status = "open('/proc/self/status').read()"
    for text in workers.client.run(eval, status).values():
        mask = next(line.split()[1] for line in text.splitlines() if line.startswith("SigBlk"))
        assert int(mask, 16) >> (signal.SIGINT - 1) & 1


def test_pieces_are_given_away_as_workers_get_free(workers):
    taken = []
    pieces = (taken.append(number) or number for number in range(40))
    results = workers.do(ECHO, pieces, lambda events: None)
    assert next(results) == 0
    assert len(taken) <= 2 * IN_FLIGHT + 1
    assert [*results] == list(range(1, 40))


def test_large_pieces_go_by_files_that_are_gone_afterwards(workers, tmp_path):
    told = []
    with through_files(workers, tmp_path / "out.csv") as by_files:
        pieces = ([number] * 3 for number in range(20))
        for number, result in enumerate(by_files.do(ECHO, pieces, told.append)):
            assert result == [number] * 3
            assert len(list(by_files.folder.iterdir())) <= 2 * 2 * IN_FLIGHT
    assert sum(told) == 20
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_work_is_the_error_of_the_call(workers, tmp_path):
    row = "{'event_id': f'x-{number}', 'worker': 'any', 'square': 1 + ('one' if number == 77 else 0)}"
    with pytest.raises(TypeError, match="unsupported operand"):
        written(tmp_path, Sent(f"lambda number: {row}"), workers)
    assert not (tmp_path / "manifest.json").exists()


def test_workers_of_another_nuzoo_or_without_the_folder_are_refused(workers, tmp_path, monkeypatch):
    place = ClusterPlace(workers.client.scheduler.address)
    with pytest.raises(UnlikeWorkersError, match=r"expected to see .*/nowhere, got no such file"):
        opened(place, tmp_path, [tmp_path / "nowhere"])
    facts = dict(cluster.own_facts())
    monkeypatch.setattr(cluster, "own_facts", lambda: facts | {"SOURCE_DIGEST": "other", "numpy": "1.0"})
    with pytest.raises(UnlikeWorkersError, match=r"expected numpy 1\.0, SOURCE_DIGEST other, as here, got"):
        opened(place, tmp_path)
    with pytest.raises(UnlikeWorkersError, match=r"a worker on .*: expected numpy"):  # one that came later
        list(workers.do(ECHO, [1], lambda events: None))
    assert not list(tmp_path.iterdir())


def test_a_worker_without_nuzoo_is_named():
    own = cluster.own_facts()
    bare = {"Python": own["Python"], "nuzoo": "none"}
    with pytest.raises(UnlikeWorkersError, match="tcp://b: expected nuzoo, got none: install it"):
        cluster._check(ClusterPlace("here"), {"tcp://a": (own, []), "tcp://b": (bare, [])}, own)


def test_no_answer_and_no_workers_are_named_within_seconds(tmp_path, monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(cluster, "SECONDS_TO_ANSWER", 1.0)
    begin = time.monotonic()
    with pytest.raises(NoClusterError, match=r"tcp://127\.0\.0\.1:9: expected a scheduler that answers"):
        opened(ClusterPlace("tcp://127.0.0.1:9"), tmp_path)
    assert time.monotonic() - begin < 20
    monkeypatch.setattr(cluster, "SECONDS_TO_ANSWER", 10.0)
    with LocalCluster(n_workers=0, processes=False, protocol="tcp", dashboard_address=None) as empty:
        place = ClusterPlace(empty.scheduler_address, wait_seconds=0.5)
        with pytest.raises(NoClusterError, match=r"expected workers within 0\.5 s, got none: start some"):
            opened(place, tmp_path)
    assert not list(tmp_path.iterdir())


def test_slurm_without_its_command_is_named_before_anything_is_submitted(tmp_path, monkeypatch):
    place = read(tmp_path, "kind: slurm\nn_workers: 1\ncores: 1\nmemory: 1GB\n")
    monkeypatch.setattr(cluster, "which", lambda command: None)
    with pytest.raises(NoClusterError, match="expected the command sbatch, got none on this machine"):
        opened(place, tmp_path)


def test_a_scheduler_that_goes_away_is_named(tmp_path):
    file = tmp_path / "one.yaml"
    file.write_text("kind: local\nn_workers: 1\nprocesses: false\nprotocol: tcp\n")
    with cluster_of(find_cluster(str(file)), tmp_path) as one:
        results = one.do(ECHO, iter(range(100)), lambda events: None)
        next(results)
        one.client.cluster.close()
        with pytest.raises(ClusterError, match="the same command goes on"):
            list(results)


def read(tmp_path: Path, text: str):
    file = tmp_path / "cluster.yaml"
    file.write_text(text)
    return find_cluster(str(file))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: locl\n", "kind: expected one of local, ssh, slurm, got 'locl': did you mean local?"),
        ("n_workers: 2\n", "kind: expected one of local, ssh, slurm, got None"),
        (
            "kind: local\nn_worker: 2\n",
            "n_worker: a cluster of kind local has no such field: did you mean n_wor",
        ),
        (
            "kind: slurm\nn_workers: 2\nmemory: 2GB\n",
            "cores: a cluster of kind slurm needs a value, got none",
        ),
        ("kind: slurm\nn_workers: 0\ncores: 1\nmemory: 2GB\n", "n_workers: expected 1 or more"),
        ("kind: ssh\n", "hosts: a cluster of kind ssh needs a value"),
        ("kind: ssh\nhosts: [a, b]\nloop: x\n", "loop: a cluster of kind ssh has no such field"),
        ("kind: local\nkind: ssh\n", "line 1: expected each field once, got kind again"),
        ("kind: local\nwait_seconds: -1\n", "wait_seconds: expected a positive number of seconds, got -1"),
        ("- kind\n", "expected fields, kind: local or ssh or slurm among them, got list"),
        ("kind: [", "while parsing a flow"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path, text, message):
    with pytest.raises(ClusterError) as error:
        read(tmp_path, text)
    assert f"{tmp_path / 'cluster.yaml'}: {message}" in str(error.value)


@pytest.mark.parametrize("name", ["10.0.0.1:8786", "tcp://10.0.0.1", "http://a:1", "tcp://a:b"])
def test_what_is_no_address_is_named(name):
    with pytest.raises(ClusterError, match="such as tcp://10"):
        find_cluster(name)


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setattr("nuzoo.datasets_scripts.workers.cluster_file.find_spec", lambda name: None)
    with pytest.raises(ClusterError, match=r"pip install 'nuzoo\[cluster\]'"):
        find_cluster("tcp://10.0.0.1:8786")


def test_the_page_of_clusters_shows_files_that_are_understood(tmp_path):
    page = (Path(__file__).resolve().parents[2] / "docs" / "cluster.md").read_text()
    shown = [block.partition("```")[0] for block in page.split("```yaml\n")[1:]]
    kinds = [read(tmp_path, text).kind for text in shown]
    assert kinds == ["local", "ssh", "slurm"]


def test_a_slurm_file_makes_the_job_script(tmp_path, monkeypatch):
    from dask_jobqueue import SLURMCluster

    place = read(
        tmp_path, "kind: slurm\nn_workers: 3\ncores: 1\nmemory: 3GB\nqueue: short\nwalltime: '01:00:00'\n"
    )
    options = {**place.options, "n_workers": 0}  # of nothing started, there is no sbatch here
    with SLURMCluster(**options, dashboard_address=None) as made:
        script = made.job_script()
    assert "#SBATCH -p short" in script and "#SBATCH -t 01:00:00" in script and "--nthreads 1" in script
