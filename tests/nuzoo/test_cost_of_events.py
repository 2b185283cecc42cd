"""What events cost, against numbers that were calculated by hand."""

import importlib.util
import json
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
RATE = {"what": "simulate", "of": "x", "events_per_core_s": 50, "mb_per_1000": 20, "gb_per_process": 0.5}


@pytest.fixture(scope="module")
def costs():
    spec = importlib.util.spec_from_file_location("cost_of_events", BENCHMARKS / "cost_of_events.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("cores", "seconds", "memory_gb", "busy"),
    [
        (1, 20_000, 0.5, 1.0),  # 2,000 shards of 10 s
        (1_000, 20, 500, 1.0),
        (1_500, 20, 750, 2 / 3),  # two rounds, the second of 500 shards
        (4_000, 10, 1_000, 0.5),  # 2,000 of them have nothing to do
    ],
)
def test_a_million_events_by_hand(costs, cores, seconds, memory_gb, busy):
    cost = costs.cost_of(RATE, 1_000_000, cores)
    assert cost.hours == pytest.approx(seconds / 3600)
    assert cost.disk_gb == pytest.approx(20)
    assert cost.memory_gb == pytest.approx(memory_gb)
    assert cost.busy == pytest.approx(busy)


def test_the_page_has_what_the_measured_rates_give(costs):
    rates = [json.loads(line) for line in (BENCHMARKS / "rates.jsonl").read_text().splitlines()]
    page = (BENCHMARKS.parent / "docs" / "cluster.md").read_text()
    assert costs.table(rates, 1_000_000, [1, 10, 100, 1000]) in page
