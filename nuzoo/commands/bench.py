"""Run a study: many trainings, measured on the same events, side by side.

`label-efficiency` and `data-efficiency` train by the fields of a study with few and many labelled events, in
several ways and with several seeds, and write label_efficiency.md, .csv, .png and .pdf: the first of hits of
point clouds, the second of detector events. `uncertainty` trains ensembles and
evidential networks, measures how well they, and dropout at inference, know how sure they are, and writes
uncertainty.md, .csv and figures. What has been run is not run again.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nuzoo.command_parser import CommandLineError, at_least
from nuzoo.files.output_folder import check_output

STUDIES = {
    "label-efficiency": "nu_point_label_efficiency",
    "data-efficiency": "nu_perceiver_data_efficiency",
    "uncertainty": "nu_vit_uncertainty",
}
"""What can be studied, and the study that is run unless another is named."""

OF_EFFICIENCY = ("recipe", "budgets", "seeds")
"""Options that studies of efficiency alone heed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("what", choices=list(STUDIES))
    parser.add_argument("overrides", nargs="*", metavar="FIELD=VALUE", help="such as events=[10,100]")
    parser.add_argument("--study", help=f"YAML file or name (default: {' or '.join(STUDIES.values())})")
    parser.add_argument("--recipe", help="of every training of a study of efficiency")
    parser.add_argument(
        "--budgets", type=at_least(1), nargs="+", metavar="EVENTS", help="numbers of labelled events of it"
    )
    parser.add_argument("--seeds", type=at_least(1), metavar="N", help="trainings of each, with seeds 1 to N")
    parser.add_argument("--sample", help="what the events are called, unless they are nuzoo's simulation")


def begin(args: argparse.Namespace) -> str:
    """Refuse options of other studies; give the first word of the command."""
    given = [f"--{name}" for name in OF_EFFICIENCY if getattr(args, name) is not None]
    if args.what == "uncertainty" and given:
        raise CommandLineError(f"{', '.join(given)}: expected a study of efficiency, got uncertainty")
    return f"running the study {args.study or STUDIES[args.what]}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    name = args.study or STUDIES[args.what]
    overrides = [*_asked(args), *args.overrides]
    for path in _files(args.what, name, overrides, args.sample):
        print(path)
    return 0


def _asked(args: argparse.Namespace) -> list[str]:
    """Write options as fields of a study."""
    fields = {
        "recipe": args.recipe,
        "events": args.budgets,
        "seeds": args.seeds and list(range(1, args.seeds + 1)),
    }
    return [f"{name}={value}" for name, value in fields.items() if value is not None]


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
