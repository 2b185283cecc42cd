"""Measure models, and answers of other code, on frozen tasks, side by side; alone, list the tasks.

An entry is a model (a name, a folder, a repository) or the folder of a submission: answers as Parquet or
CSV with a submission.json, see docs/benchmark.md. The events are simulated into --data where they are not
there, and known again by their names and truth. Results go to --out, a folder a task and entry; what was
measured is not measured again. leaderboard.json and index.html there compare all of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from nuzoo.command_parser import CommandLineError, at_least
from nuzoo.commands.cluster_option import add_cluster_option, asked_cluster, check_cluster
from nuzoo.commands.inputs import listed
from nuzoo.files.output_folder import check_output

OF_RUNS = {
    "bundled": False,
    "tasks": [],
    "data": Path("data/benchmark"),
    "out": Path("runs/benchmark"),
}
"""Options that entries alone heed, with their defaults."""

OF_WORK = ("num_proc", "cluster")
"""Those that say who works, which have none."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("entries", nargs="*", metavar="ENTRY", help="model, or folder of a submission")
    parser.add_argument("--bundled", action="store_true", help="also every model that comes with nuzoo")
    parser.add_argument(
        "--tasks", nargs="+", default=OF_RUNS["tasks"], metavar="TASK", help="those alone (default: all)"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=OF_RUNS["data"],
        help="folder of the events, made if absent (default: data/benchmark)",
    )
    parser.add_argument(
        "--out", type=Path, default=OF_RUNS["out"], help="folder of the results (default: runs/benchmark)"
    )
    parser.add_argument(
        "--num-proc",
        type=at_least(1),
        default=argparse.SUPPRESS,
        help="processes that simulate (default: 1)",
    )
    add_cluster_option(parser)
    parser.add_argument("--frozen", type=Path, metavar="FILE", help="another benchmark than that of nuzoo")


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    if not args.entries and not args.bundled:
        given = [name for name, default in OF_RUNS.items() if getattr(args, name) != default]
        if given := [*given, *(name for name in OF_WORK if hasattr(args, name))]:
            raise CommandLineError(
                f"--{given[0].replace('_', '-')}: expected an ENTRY or --bundled beside it, got none"
            )
        return ""
    check_output(args.data)
    check_output(args.out)
    check_cluster(args)
    return f"measuring {listed([*args.entries, *(['the bundled models'] if args.bundled else [])])}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.evaluation.benchmark.frozen import read_benchmark
    from nuzoo.evaluation.benchmark.run import run_benchmark
    from nuzoo.zoo.bundled import bundled_models

    benchmark = read_benchmark(args.frozen)
    entries = [*args.entries, *(bundled_models() if args.bundled else [])]
    if not entries:
        return _list(args.frozen)

    def folder_of(sample: str) -> str:
        return _events(args.data / sample, benchmark.samples[sample].arguments, getattr(args, "num_proc", 1))

    asked = {"folder_of": folder_of, "tasks": args.tasks, "tell": _tell}
    with asked_cluster(args, args.out, [Path(entry) for entry in entries if Path(entry).is_dir()]) as workers:
        page = run_benchmark(list(dict.fromkeys(entries)), benchmark, args.out, **asked, workers=workers)
    print(f"leaderboard: {page}")
    return 0


def _events(folder: Path, arguments: str, num_proc: int) -> str:
    """Give the folder of a sample; its events are simulated unless it is complete."""
    from nuzoo.commands.steps import run_command
    from nuzoo.files.names import MANIFEST_FILE

    if not (folder / MANIFEST_FILE).is_file():
        run_command("simulate", *arguments.split(), "--out", folder, "--num-proc", num_proc)
    return str(folder)


def _list(file: Path | None) -> int:
    from nuzoo.evaluation.benchmark.entry import reader_of
    from nuzoo.evaluation.benchmark.frozen import read_benchmark
    from nuzoo.evaluation.benchmark.samples import schema_of_sample
    from nuzoo.files.aligned import aligned

    benchmark = read_benchmark(file)
    lines, answers = [("task", "for networks of", "detector", "events", "score", "to learn from")], []
    for name, task in benchmark.tasks.items():
        sample, reader = benchmark.samples[task.sample], reader_of(task)
        kinds, learnt = ", ".join(task.kinds), f"{task.training.events:,}"
        lines.append((name, kinds, sample.detector, f"{sample.events:,}", reader.titles[task.metric], learnt))
        schema = schema_of_sample(sample)
        named = [target for target in task.targets if schema[target].classes]
        classes = [f"  classes of {target}: {_numbered(schema[target].classes)}" for target in named]
        columns = [f"  {column}: {meaning}" for column, meaning in reader.columns.items()]
        answers += [name, *columns, *classes]
    print(f"{benchmark.name} {benchmark.sha256}")
    for line in aligned(lines):
        print(line)
    print("\nanswers, beside event_id:")
    for line in answers:
        print(line)
    return 0


def _numbered(names: Sequence[str]) -> str:
    return ", ".join(f"{number} {name}" for number, name in enumerate(names))


def _tell(line: str) -> None:
    print(line, flush=True)
