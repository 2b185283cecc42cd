"""The whole zoo in one go: simulate, train, evaluate, publish, verify, load back by name, classify, draw.

About ten minutes on two CPU cores. Stopped and called again it goes on. The events are simulated by nuzoo's
fast parametrised simulation. Nothing leaves this machine: a small Hub on it takes the place of the Hugging
Face Hub, with its repositories in OUT/hub.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

from nuzoo.command_parser import at_least
from nuzoo.commands.steps import on_local_hub, run_command
from nuzoo.files.output_folder import check_output

EVENTS = 12_000
SEED = 20260911
NEW_EVENTS_SEED = 7
NEW_EVENTS = 4
REPOSITORY = "nuzoo/nu-cnn-tiny"
DATASET = "nuzoo/lartpc-pixelmaps"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--out", type=Path, default=Path("runs/demo"), help="folder (default: runs/demo)")
    parser.add_argument("--events", type=at_least(1), default=EVENTS, help=f"default: {EVENTS}")
    parser.add_argument("--epochs", type=at_least(1), default=10, help="default: 10")
    parser.add_argument("--num-proc", type=at_least(1), default=os.cpu_count() or 1)


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    check_output(args.out)
    return f"simulate, train, evaluate, publish, verify, load back: in {args.out}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    started = time.monotonic()
    with on_local_hub(args.out):
        results = _run(args)
    accuracy = results.metrics.accuracy
    print(
        f"\naccuracy on {results.dataset.events} held-out simulated events: "
        f"{accuracy.value:.3f} ± {accuracy.error:.3f}"
        f"\nreport    {args.out / 'report' / 'report.md'}"
        f"\npictures  {args.out / 'displays'}"
        f"\nmodel     {REPOSITORY}, dataset {DATASET} (in {args.out / 'hub'})"
        f"\ntime      {(time.monotonic() - started) / 60:.1f} minutes"
    )
    return 0


def _run(args: argparse.Namespace) -> Any:
    _announce(f"1/6 simulate {args.events} events in the modular 2 × 2 × 7 m LArTPC")
    from datasets import load_dataset

    from nuzoo.datasets_scripts.lartpc_pixelmaps import simulate_dataset
    from nuzoo.evaluation.core.evaluate_model import evaluate_model
    from nuzoo.evaluation.display.draw_events import draw_events
    from nuzoo.pipelines.loading import load_pipeline
    from nuzoo.training.recipe import load_recipe
    from nuzoo.training.supervised import train

    data, training, report = args.out / "lartpc-pixelmaps", args.out / "training", args.out / "report"
    simulate_dataset(data, events=args.events, seed=SEED, num_proc=args.num_proc)
    _announce("2/6 train nu-cnn-tiny")
    overrides = {
        "data.path": data.as_posix(),
        "training.output_dir": training.as_posix(),
        "training.num_train_epochs": args.epochs,
    }
    train(load_recipe("nu_cnn_tiny", [f"{name}={value}" for name, value in overrides.items()]))
    _announce("3/6 evaluate on held-out events")
    _, results = evaluate_model(training.as_posix(), data.as_posix(), report, calibrate=True)
    _announce("4/6 publish dataset and model on a Hub on this machine")
    run_command("publish", data, "--repo", DATASET, "--type", "dataset")
    run_command("publish", training, "--repo", REPOSITORY, "--report", report, "--dataset", DATASET)
    _announce(f"5/6 verify {REPOSITORY}")
    run_command("verify", REPOSITORY)
    _announce("6/6 load both back by name: classify new events, draw published ones")
    _classify_new_events()
    rows = list(load_dataset(DATASET, split="test", streaming=True).take(4))
    draw_events(rows, args.out / "displays", pipeline=load_pipeline(REPOSITORY))
    return results


def _announce(step: str) -> None:
    print(f"\n── {step}", flush=True)


def _classify_new_events() -> None:
    from transformers import AutoModelForImageClassification, AutoProcessor

    from nuzoo.datasets_scripts.common.simulated_neutrinos import NeutrinoPlan
    from nuzoo.datasets_scripts.lartpc_pixelmaps import DEFAULT_SPECTRUM
    from nuzoo.files.events.event_classes import EVENT_CLASSES
    from nuzoo.pipelines.loading import load_pipeline
    from nuzoo.simulation.detectors import MODULAR_LARTPC

    model = AutoModelForImageClassification.from_pretrained(REPOSITORY)
    processor = AutoProcessor.from_pretrained(REPOSITORY)
    print(f"{type(model).__name__} and {type(processor).__name__} from {REPOSITORY}")
    classify = load_pipeline(REPOSITORY)
    plan = NeutrinoPlan(NEW_EVENTS, NEW_EVENTS_SEED, MODULAR_LARTPC.name, DEFAULT_SPECTRUM)
    for row in map(plan.row, range(NEW_EVENTS)):
        result = classify(row)
        print(
            f"true {EVENT_CLASSES[row['label'] or 0]:8s} {row['neutrino_energy']:4.1f} GeV   "
            f"predicted {result['label']:8s} {result['score']:.2f}"
        )
