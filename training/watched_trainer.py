"""A Trainer of networks that learn without labels: it logs the parts of its loss, and other measurements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, cast

import torch
from torch import Tensor
from transformers import PreTrainedModel

from nuzoo.training.event_trainer import EventTrainer


class WatchedTrainer(EventTrainer):
    """Logs the parts of the training loss, and evaluates by the loss and a measurement of the network.

    Args:
        *args: See `transformers.Trainer`.
        measure: Gives the metrics of the network as it is, by name.
        **kwargs: See `EventTrainer`.
    """

    def __init__(self, *args: Any, measure: Callable[[Any], dict[str, float]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.measure = measure
        self.parts: Counter[str] = Counter()
        self.batches: Counter[str] = Counter()

    @property
    def learner(self) -> PreTrainedModel:
        """The network that learns."""
        return cast(PreTrainedModel, self.model)

    def watch(self, losses: Mapping[str, Tensor]) -> None:
        """Keep the parts of the loss of a batch, by name, for the log; not every batch has all of them."""
        self.parts.update({f"{name}_loss": loss.item() for name, loss in losses.items()})
        self.batches.update(f"{name}_loss" for name in losses)

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Log, with the parts of the training loss, of this process."""
        if "loss" in logs:
            logs = logs | {name: total / self.batches[name] for name, total in self.parts.items()}
            self._forget()
        super().log(logs, *args, **kwargs)

    def evaluate(self, *args: Any, metric_key_prefix: str = "eval", **kwargs: Any) -> dict[str, float]:
        """Measure the loss of validation events, with the same draws each time, and what is learnt."""
        with torch.random.fork_rng():
            torch.manual_seed(self.args.seed)
            loss = self._validation_loss()
        measured = {"loss": loss, **self.measure(self.learner)}
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in measured.items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def validation_inputs(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Make of a batch of validation events what its loss is computed of."""
        return batch

    def _validation_loss(self) -> float:
        model = self.learner.eval()
        losses = []
        with torch.no_grad(), self.compute_loss_context_manager():
            for batch in self.get_eval_dataloader():
                inputs = self.validation_inputs(self._prepare_inputs(batch))
                loss: Any = self.compute_loss(model, inputs)
                losses.append(loss.item())
        self._forget()
        return sum(losses) / len(losses)

    def _forget(self) -> None:
        self.parts.clear()
        self.batches.clear()
