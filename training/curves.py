"""Loss and metrics of a training against its epochs: as a picture, and its end in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from nuzoo.files.plain_text import counted
from nuzoo.training.checkpoints import read_state

CURVES_FILE = "training_curves.png"
"""In the folder of a run, with the same as PDF beside it."""

PREFIX = "eval_"
NOT_MEASURED = ("_runtime", "_per_second", "_time", "_loss", "_tokens")
"""How the names of what is no metric end."""


ABBREVIATIONS = {"auc": "AUC"}
UNITS = ("mm",)
"""How the names of metrics with a unit end: their curves have an axis of their own."""


class DrawCurves(TrainerCallback):
    """Draws the curves whenever a checkpoint is written after an evaluation, and at the end."""

    def __init__(self) -> None:
        self.evaluations = 0

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Draw if there was an evaluation since."""
        evaluations = len(evaluations_of(state.log_history))
        if evaluations > self.evaluations:
            self.evaluations = evaluations
            self.on_train_end(args, state, control)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Draw."""
        if state.is_world_process_zero and (
            entries := [entry for entry in state.log_history if "epoch" in entry]
        ):
            draw_curves(entries, Path(str(args.output_dir)), _best_epoch(vars(state)))


def draw_curves(log_history: Sequence[Mapping[str, Any]], folder: Path, best_epoch: float | None) -> None:
    """Draw the losses, and the metrics of the validation events if there are any, those of a unit together.

    Args:
        log_history: That of a `TrainerState`, entries with an epoch.
        folder: Where `training_curves.png` and `.pdf` go.
        best_epoch: Marked, if there is one.
    """
    from matplotlib.ticker import MaxNLocator

    from nuzoo.evaluation.core.style import GREY, figure, legend_below, look

    evaluations = evaluations_of(log_history)
    by_unit: dict[str, list[str]] = {}
    for name in filter(_is_metric, evaluations[-1] if evaluations else {}):
        unit = name.rpartition("_")[2]
        by_unit.setdefault(unit if unit in UNITS else "", []).append(name)
    with figure(folder / CURVES_FILE, 4.2 * (1 + len(by_unit)), 3.4, folder.absolute().name) as drawn:
        losses, *others = drawn.subplots(1, 1 + len(by_unit), squeeze=False)[0]
        losses.set_ylabel("loss (nats)")
        _curve(losses, with_training_loss(log_history), "loss", label="training", **look(0))
        _curve(losses, log_history, "eval_loss", label="validation", **look(1))
        for panel, (unit, names) in zip(others, by_unit.items(), strict=True):
            panel.set_ylabel("validation metric" + f" ({unit})" * bool(unit))
            for number, name in enumerate(names):
                _curve(panel, log_history, name, label=_title(name), **look(number))
        for panel in (losses, *others):
            panel.set_xlabel("epoch")
            panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            if best_epoch is not None:
                panel.axvline(best_epoch, color=GREY, linewidth=0.8, linestyle=":", label="best epoch")
            if panel.get_legend_handles_labels()[1]:
                legend_below(panel, ncols=2)


def summary(folder: Path) -> list[str]:
    """Say how a training ended, for people: its best epoch and its last, a line each."""
    state = read_state(folder) or {}
    evaluations = evaluations_of(state.get("log_history", []))
    losses = [entry for entry in with_training_loss(state.get("log_history", [])) if "loss" in entry]
    best = [entry for entry in evaluations if entry.get("step") == state.get("best_global_step")]
    numbers = [(f"best epoch {entry['epoch']:g}", measured_of(entry)) for entry in best[-1:]]
    last = (measured_of(evaluations[-1]) if evaluations else []) + [
        f"training loss {e['loss']:.4g}" for e in losses[-1:]
    ]
    steps = counted(state.get("global_step", 0), "step")
    numbers.append((f"last epoch {state.get('epoch') or 0:g} ({steps})", last))
    return [f"{when}: {', '.join(measured)}" for when, measured in numbers if measured]


def evaluations_of(log_history: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Take the entries of evaluations."""
    return [entry for entry in log_history if "eval_loss" in entry]


def with_training_loss(log_history: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Give a history of a training loss at least: a run too short to log one knows its mean at its end."""
    if any("loss" in entry for entry in log_history):
        return log_history
    return [{**entry, "loss": entry["train_loss"]} for entry in log_history if "train_loss" in entry]


def epoch_line(log_history: Sequence[Mapping[str, Any]]) -> str:
    """Say in a line what the last evaluation found, and the last training loss before it."""
    evaluation = evaluations_of(log_history)[-1]
    losses = [entry["loss"] for entry in log_history if "loss" in entry]
    told = [f"training loss {loss:.4g}" for loss in losses[-1:]] + measured_of(evaluation)
    return f"epoch {evaluation['epoch']:g}: {', '.join(told)}"


def _best_epoch(state: Mapping[str, Any]) -> float | None:
    evaluations = evaluations_of(state["log_history"])
    return next((entry["epoch"] for entry in evaluations if entry["step"] == state["best_global_step"]), None)


def measured_of(entry: Mapping[str, Any], prefix: str = PREFIX) -> list[str]:
    """Name what an evaluation measured, the loss first; `prefix` begins its names."""
    entry = {
        PREFIX + name.removeprefix(prefix): value for name, value in entry.items() if name.startswith(prefix)
    }
    names = ["eval_loss", *filter(_is_metric, entry)]
    return [
        f"{'validation ' * (prefix == PREFIX and name == 'eval_loss')}{_title(name)} {entry[name]:.4g}"
        for name in names
    ]


def _is_metric(name: str) -> bool:
    return name.startswith(PREFIX) and not name.endswith(NOT_MEASURED)


def _title(name: str) -> str:
    words = name.removeprefix(PREFIX).split("_")
    return " ".join(ABBREVIATIONS.get(word, word) for word in words)


def _curve(axes: Any, log_history: Sequence[Mapping[str, Any]], name: str, **style: Any) -> None:
    if points := [(entry["epoch"], entry[name]) for entry in log_history if name in entry]:
        axes.plot(*zip(*points, strict=True), marker="o" if len(points) < 30 else "", **style)
