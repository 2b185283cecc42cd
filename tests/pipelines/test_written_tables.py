"""Tables of more rows than are held at a time."""

import csv
import json

import pyarrow.parquet as pq
import pytest

from nuzoo.pipelines.written_tables import ROWS_AT_A_TIME, write_table


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return [(row["event_id"], float(row["score"])) for row in csv.DictReader(file)]


def read_jsonl(path):
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [(row["event_id"], row["score"]) for row in rows]


def read_parquet(path):
    return [(row["event_id"], row["score"]) for row in pq.read_table(path).to_pylist()]


@pytest.mark.parametrize(
    ("ending", "read"), [("csv", read_csv), ("jsonl", read_jsonl), ("parquet", read_parquet)]
)
def test_all_rows_of_a_long_table_are_written(tmp_path, ending, read):
    rows = [{"event_id": f"event-{number}", "score": number / 4} for number in range(2 * ROWS_AT_A_TIME + 3)]
    path = tmp_path / f"table.{ending}"
    assert write_table(iter(rows), path, {}) == len(rows)
    assert read(path) == [(row["event_id"], row["score"]) for row in rows]
