"""Run a study: many trainings, measured on the same events, side by side.

`label-efficiency` trains by the fields of a study with few and many labelled events, in several ways and with
several seeds, and writes label_efficiency.md, .csv, .png and .pdf. What has been run is not run again.
"""

from __future__ import annotations

import argparse
from typing import Any

from nuzoo.files.output_folder import check_output

DEFAULT = "nu_point_label_efficiency"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("what", choices=["label-efficiency"])
    parser.add_argument("overrides", nargs="*", metavar="FIELD=VALUE", help="such as events=[10,100]")
    parser.add_argument("--study", default=DEFAULT, help=f"YAML file or name (default: {DEFAULT})")
    parser.add_argument("--sample", help="what the events are called, unless they are nuzoo's simulation")


def begin(args: argparse.Namespace) -> str:
    """Give the first word of the command."""
    return f"running the study {args.study}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.training.label_efficiency.run_study import run_study
    from nuzoo.training.label_efficiency.study import Study

    study = Study.read(args.study, args.overrides)
    check_output(study.folder)
    paths: list[Any] = run_study(study, args.sample, lambda line: print(line, flush=True))
    for path in paths:
        print(path)
    return 0
