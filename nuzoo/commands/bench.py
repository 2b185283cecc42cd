"""Run a study: many trainings, measured on the same events, side by side.

`label-efficiency` trains by the fields of a study with few and many labelled events, in several ways and with
several seeds, and writes label_efficiency.md, .csv, .png and .pdf. `uncertainty` trains ensembles and
evidential networks, measures how well they, and dropout at inference, know how sure they are, and writes
uncertainty.md, .csv and figures. What has been run is not run again.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nuzoo.files.output_folder import check_output

STUDIES = {"label-efficiency": "nu_point_label_efficiency", "uncertainty": "nu_vit_uncertainty"}
"""What can be studied, and the study that is run unless another is named."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("what", choices=list(STUDIES))
    parser.add_argument("overrides", nargs="*", metavar="FIELD=VALUE", help="such as events=[10,100]")
    parser.add_argument("--study", help=f"YAML file or name (default: {' or '.join(STUDIES.values())})")
    parser.add_argument("--sample", help="what the events are called, unless they are nuzoo's simulation")


def begin(args: argparse.Namespace) -> str:
    """Give the first word of the command."""
    return f"running the study {args.study or STUDIES[args.what]}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    name = args.study or STUDIES[args.what]
    for path in _files(args.what, name, args.overrides, args.sample):
        print(path)
    return 0


def _files(what: str, name: str, overrides: list[str], sample: str | None) -> list[Path]:
    """Run a study, and give its files."""
    if what == "uncertainty":
        from nuzoo.training.uncertainty.run_study import run_study as run_uncertainty
        from nuzoo.training.uncertainty.study import UncertaintyStudy

        uncertainty = UncertaintyStudy.read(name, overrides)
        check_output(uncertainty.folder)
        return run_uncertainty(uncertainty, sample, _tell)
    from nuzoo.training.label_efficiency.run_study import run_study
    from nuzoo.training.label_efficiency.study import Study

    study = Study.read(name, overrides)
    check_output(study.folder)
    return run_study(study, sample, _tell)


def _tell(line: Any) -> None:
    print(line, flush=True)
