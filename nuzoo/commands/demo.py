"""The whole zoo in one go: simulate, train, evaluate, draw, save as a Hub repository, load back, classify.

About ten minutes on two CPU cores. Stopped and called again it goes on. The events are simulated by nuzoo's
fast parametrised simulation.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

EVENTS = 12_000
SEED = 20260911
NEW_EVENTS_SEED = 7
NEW_EVENTS = 4
REPOSITORY = "nuzoo/nu-cnn-tiny"
DATASET = "nuzoo/lartpc-pixelmaps"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Says what the command takes."""
    parser.add_argument("--out", type=Path, default=Path("runs/demo"), help="folder (default: runs/demo)")
    parser.add_argument("--events", type=int, default=EVENTS, help=f"default: {EVENTS}")
    parser.add_argument("--epochs", type=int, default=10, help="default: 10")
    parser.add_argument("--num-proc", type=int, default=os.cpu_count() or 1)


def run(args: argparse.Namespace) -> int:
    """Does it."""
    started = time.monotonic()
    data, training, report = args.out / "lartpc-pixelmaps", args.out / "training", args.out / "report"
    _announce(f"1/5 simulate {args.events} events in the modular 2 × 2 × 7 m LArTPC")
    _simulate(data, args.events, args.num_proc)
    _announce("2/5 train nu-cnn-tiny")
    _train(data, training, args.epochs)
    _announce("3/5 evaluate on held-out events")
    results = _evaluate(training, data, report)
    _announce("4/5 save as a Hub repository and draw events")
    repository = _save(args.out / "nu-cnn-tiny", training, report, results, args)
    pictures = _draw(data, args.out / "displays", repository)
    _announce("5/5 load it back with transformers and classify new events")
    _classify_new_events(repository)
    accuracy = results["metrics"]["accuracy"]
    print(
        f"\naccuracy on {results['dataset']['events']} held-out simulated events: "
        f"{accuracy['value']:.3f} ± {accuracy['error']:.3f}"
        f"\nreport    {report / 'report.md'}"
        f"\npictures  {pictures[0].parent}"
        f"\nmodel     {repository}"
        f"\ntime      {(time.monotonic() - started) / 60:.1f} minutes"
    )
    return 0


def _announce(step: str) -> None:
    print(f"\n── {step}", flush=True)


def _simulate(data: Path, events: int, num_proc: int) -> None:
    from nuzoo.datasets_scripts.lartpc_pixelmaps import simulate_dataset

    simulate_dataset(data, events=events, seed=SEED, num_proc=num_proc)


def _train(data: Path, output: Path, epochs: int) -> None:
    from nuzoo.training.event_classification import train_event_classifier
    from nuzoo.training.recipe import load_recipe

    overrides = {
        "data.path": data.as_posix(),
        "training.output_dir": output.as_posix(),
        "training.num_train_epochs": epochs,
    }
    recipe = load_recipe("nu_cnn_tiny", [f"{name}={value}" for name, value in overrides.items()])
    train_event_classifier(recipe)


def _evaluate(model: Path, data: Path, report: Path) -> dict[str, Any]:
    from nuzoo.commands.evaluate import evaluate_and_report

    return evaluate_and_report(model.as_posix(), data.as_posix(), report, calibrate=True)


def _save(
    folder: Path, training: Path, report: Path, results: dict[str, Any], args: argparse.Namespace
) -> Path:
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    from nuzoo.hub.save import save_repository

    return save_repository(
        folder,
        AutoModelForImageClassification.from_pretrained(training),
        AutoImageProcessor.from_pretrained(training),
        results,
        name=REPOSITORY,
        dataset_id=DATASET,
        training={
            "recipe": "nu_cnn_tiny",
            "epochs": args.epochs,
            "events": f"{args.events} simulated, 90 % of them for training",
            "seed of the simulation": SEED,
        },
        pictures=sorted(report.glob("*.png")),
    )


def _draw(data: Path, out: Path, repository: Path) -> list[Path]:
    from datasets import load_dataset

    from nuzoo.commands.display import draw_events

    rows = list(load_dataset(data.as_posix(), split="test", streaming=True).take(4))
    return draw_events(rows, out, model=repository.as_posix())


def _classify_new_events(repository: Path) -> None:
    from transformers import AutoModelForImageClassification, AutoProcessor

    from nuzoo.commands.classifier import load_classifier
    from nuzoo.datasets_scripts.pixel_map_rows import LABELS, simulated_row
    from nuzoo.simulation.detectors import MODULAR_LARTPC
    from nuzoo.simulation.interactions import Spectrum
    from nuzoo.simulation.simulate import simulate_event

    model = AutoModelForImageClassification.from_pretrained(repository)
    processor = AutoProcessor.from_pretrained(repository)
    print(f"{type(model).__name__} and {type(processor).__name__} from {repository}")
    classify = load_classifier(repository.as_posix())
    for index in range(NEW_EVENTS):
        event = simulate_event(NEW_EVENTS_SEED, index, MODULAR_LARTPC, Spectrum())
        result = classify(simulated_row(event, NEW_EVENTS_SEED, index, MODULAR_LARTPC))
        energy = event.interaction.neutrino_energy / 1000
        print(
            f"true {LABELS[event.label or 0]:8s} {energy:4.1f} GeV   "
            f"predicted {result['label']:8s} {result['score']:.2f}"
        )
