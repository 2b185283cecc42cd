"""Run a study: many trainings, measured on the same events, side by side.

`label-efficiency` and `data-efficiency` train by the fields of a study with few and many labelled events,
in several ways and with several seeds: the first of hits of point clouds, the second of detector events.
`scaling` trains networks of several sizes with few and many events, and fits power laws. `distillation`
trains students of a teacher beside networks without one. `transfer` measures trained models at detectors that
they were not made for, as they are and after some events of them. `uncertainty` trains ensembles and
evidential networks, and measures how well they, and dropout at inference, know how sure they are.

With --cluster workers of Dask train and measure, each another cell of the grid.

Each study writes a text with its tables (.md), the numbers (.csv) and figures into its folder. What has been
run is not run again.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nuzoo.command_parser import CommandLineError, at_least
from nuzoo.commands.cluster_option import add_cluster_option, asked_cluster, check_cluster
from nuzoo.files.output_folder import check_output
from nuzoo.registry import import_object


@dataclass(frozen=True)
class Kind:
    """A kind of study.

    Attributes:
        default: the study that is run unless another is named.
        study: path of its class.
        run: path of what runs it.
        takes_grid: whether --recipe, --budgets and --seeds are for it.
        has_cells: whether its trainings are measured each by itself, so that a cluster can do them.
    """

    default: str
    study: str
    run: str
    takes_grid: bool = False
    has_cells: bool = True


TRAINING = "nuzoo.training"
OF_LABELS = (f"{TRAINING}.label_efficiency.study.Study", f"{TRAINING}.label_efficiency.run_study.run_study")

STUDIES = {
    "label-efficiency": Kind("nu_point_label_efficiency", *OF_LABELS, takes_grid=True),
    "data-efficiency": Kind("nu_perceiver_data_efficiency", *OF_LABELS, takes_grid=True),
    "scaling": Kind(
        "nu_cnn_scaling",
        f"{TRAINING}.grid.study.GridStudy",
        f"{TRAINING}.scaling.run_study.run_study",
        takes_grid=True,
    ),
    "distillation": Kind(
        "nu_distillation",
        f"{TRAINING}.distillation.study.DistillationStudy",
        f"{TRAINING}.distillation.run_study.run_study",
        takes_grid=True,
    ),
    "transfer": Kind(
        "nu_transfer",
        f"{TRAINING}.transfer.study.TransferStudy",
        f"{TRAINING}.transfer.run_study.run_study",
    ),
    "uncertainty": Kind(
        "nu_vit_uncertainty",
        f"{TRAINING}.uncertainty.study.UncertaintyStudy",
        f"{TRAINING}.uncertainty.run_study.run_study",
        has_cells=False,
    ),
}
"""What can be studied."""

OF_GRIDS = ("recipe", "budgets", "seeds")
"""Options that grids of trainings alone heed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("what", choices=list(STUDIES))
    parser.add_argument("overrides", nargs="*", metavar="FIELD=VALUE", help="such as events=[10,100]")
    defaults = " or ".join(dict.fromkeys(kind.default for kind in STUDIES.values()))
    parser.add_argument("--study", help=f"YAML file or name (default: {defaults})")
    parser.add_argument("--recipe", help="of every training of a grid")
    parser.add_argument(
        "--budgets", type=at_least(1), nargs="+", metavar="EVENTS", help="numbers of training events of it"
    )
    parser.add_argument("--seeds", type=at_least(1), metavar="N", help="trainings of each, with seeds 1 to N")
    add_cluster_option(parser)
    parser.add_argument("--sample", help="what the events are called, unless they are nuzoo's simulation")


def begin(args: argparse.Namespace) -> str:
    """Refuse options of other studies; give the first word of the command."""
    kind = STUDIES[args.what]
    given = [f"--{name}" for name in OF_GRIDS if getattr(args, name) is not None]
    if given and not kind.takes_grid:
        grids = ", ".join(name for name, other in STUDIES.items() if other.takes_grid)
        raise CommandLineError(f"{', '.join(given)}: expected a study of {grids}, got {args.what}")
    if hasattr(args, "cluster") and not kind.has_cells:
        raise CommandLineError(
            f"--cluster: expected a study whose trainings are measured each by itself, got {args.what}: "
            "leave it out"
        )
    check_cluster(args)
    return f"running the study {args.study or kind.default}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.commands.steps import run_command

    kind = STUDIES[args.what]
    study: Any = import_object(kind.study).read(args.study or kind.default, [*_asked(args), *args.overrides])
    check_output(study.folder)
    for folder, arguments in study.simulated():
        run_command("simulate", *arguments, "--out", folder)
    run_study: Callable[..., list[Path]] = import_object(kind.run)
    with asked_cluster(args, study.folder) as workers:
        for path in run_study(study, args.sample, _tell, **({"workers": workers} if workers else {})):
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


def _tell(line: Any) -> None:
    print(line, flush=True)
