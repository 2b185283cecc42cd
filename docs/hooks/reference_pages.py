"""Pages that are written from the code: commands, as their parsers tell them, and columns of events."""

import os
from importlib import import_module

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from nuzoo.cli import COMMANDS, STATUSES
from nuzoo.command_parser import CommandParser
from nuzoo.files.events.event_schema import Column
from nuzoo.registry import DATASETS, MODALITIES, Sample, import_object
from nuzoo.simulation.detectors import DETECTORS

WIDTH = "100"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    os.environ["COLUMNS"] = WIDTH  # argparse asks the terminal otherwise
    for name, content in {"commands.md": _commands(), "columns.md": _columns()}.items():
        files.append(File.generated(config, name, content=content))
    return files


def _commands() -> str:
    statuses = [f"| {status} | {meaning} |" for status, meaning in STATUSES.items()]
    head = "# Commands\n\nWhat `nuzoo COMMAND --help` says.\n\n| exit status | |\n|---|---|\n"
    return "\n".join([head + "\n".join(statuses), *map(_command, COMMANDS)])


def _command(name: str) -> str:
    parser = CommandParser(prog=f"nuzoo {name}")
    command = import_module(f"nuzoo.commands.{name.replace('-', '_')}")
    command.add_arguments(parser)
    return f"\n## {name}\n\n{command.__doc__}\n```text\n{parser.format_help()}```\n"


def _columns() -> str:
    head = "# Columns of events\n\nOf a row of a dataset, by the kind of event. What is not known is null.\n"
    simulated = {row.modality: row for row in reversed(DATASETS.values()) if row.plan}
    return "\n".join([head, *(_table(simulated[name]) for name in MODALITIES if name in simulated)])


def _table(dataset: Sample) -> str:
    suits = import_object(dataset.plan).suits
    detector = next(detector for detector in DETECTORS.values() if suits(detector))
    schema = import_object(MODALITIES[dataset.modality].schema)(detector.geometry())
    head = f"## {dataset.modality}\n\nOf the detector `{detector.name}`.\n"
    titles = "| column | type or classes | unit | of each | |\n|---|---|---|---|---|"
    return "\n".join([head, titles, *map(_row, schema.columns), ""])


def _row(column: Column) -> str:
    cells = (
        f"`{column.name}`",
        ", ".join(column.classes) or column.dtype,
        column.unit,
        column.per,
        column.text,
    )
    return f"| {' | '.join(cells)} |"
