import pytest
from datasets import Features, Value

from nuzoo.datasets_scripts.common import sharded_parquet
from nuzoo.datasets_scripts.common.sharded_parquet import plan_shards, write_shards
from nuzoo.datasets_scripts.workers.workers import processes


class Bar:
    """Keeps what a bar is told."""

    def __init__(self, **options):
        self.told = []

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        pass

    def update(self, events):
        self.told.append(events)


@pytest.mark.parametrize("num_proc", [1, 2])
def test_progress_counts_events(tmp_path, monkeypatch, num_proc):
    bar = Bar()
    monkeypatch.setattr(sharded_parquet, "tqdm", lambda **options: bar)
    shards = plan_shards({"train": {f"x-{number}": (("x", number),) for number in range(60)}}, 30)
    write_shards(tmp_path, shards, Features({"x": Value("int64")}), dict, {"events": 60}, processes(num_proc))
    assert sum(bar.told) == 60
    if num_proc == 1:
        assert bar.told == [1] * 60
