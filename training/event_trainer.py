"""A Trainer of events: it augments batches, and evaluates ragged ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import EvalPrediction, PreTrainedModel
from transformers.trainer_utils import PredictionOutput

from nuzoo.training.fields import RecipeError
from nuzoo.training.layer_decay import Optimiser, needs_groups, parameter_groups
from nuzoo.training.safe_trainer import SafeTrainer

ENDS = "offset"
"""Of a batch of ragged events: (events,) where each one's hits end among those of all, which lie in a row.
Where a batch has several parts, the name of each ends so."""

ENDS_OF_IMAGES = "event_offset"
"""Of a batch of images of particles: (events,) where each event's images end. The truth is of images then."""

TRUTH = "labels"
"""Tensors of the truth are called so, or end so where there are several."""

CHOOSES = {"model", "optimizer_dict", "params"}
"""Options of an optimiser of transformers that sorts the weights of a network itself."""

PADDING = -100
"""What transformers fills up predictions and labels of different lengths with, when it puts them together."""


class AddedLoss(Protocol):
    """What a training step costs beside the loss of the network.

    Attributes:
        takes: Tensors of a batch that are for it alone, and not for the network.
    """

    takes: tuple[str, ...]

    def __call__(self, outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor], epoch: float) -> Tensor:
        """Compute it.

        Args:
            outputs: Of the network.
            inputs: The batch.
            epoch: How many times the events have been seen.
        """


class EventTrainer(SafeTrainer):
    """Draws the augmentation in the training step, and evaluates hits event by event.

    Loading runs ahead of training, so random numbers drawn there would be lost when a run is stopped: drawn
    here, they go on from the checkpoint exactly.

    The Trainer of transformers gathers and cuts predictions by their first dimension, which it takes for
    events. Where that counts hits, they are padded here to (events, hits of the longest, ...).

    Args:
        *args: See `transformers.Trainer`.
        augmentation: Takes and returns a batch.
        per_hit: The truth is one for each hit: so is every output that has as many rows as there are hits.
        optimiser: Learning rates of parts of the network; by default all learns at one.
        added: What a training step costs beside; the loss of validation events is without it.
        compute_metrics: Gets predictions and labels of hits as the network makes them, without padding.
        **kwargs: See `transformers.Trainer`.
    """

    def __init__(
        self,
        *args: Any,
        augmentation: Callable[[dict[str, Any]], dict[str, Any]],
        per_hit: bool = False,
        optimiser: Optimiser | None = None,
        added: Sequence[AddedLoss] = (),
        compute_metrics: Callable[[EvalPrediction], dict[str, float]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.compute_metrics = compute_metrics
        if per_hit and compute_metrics is not None:
            self.compute_metrics = lambda prediction: compute_metrics(hits_of(prediction))
        self.augmentation = augmentation
        self.per_hit = per_hit
        self.rates = optimiser or Optimiser()
        self.added = tuple(added)

    def create_optimizer(self, *args: Any, **kwargs: Any) -> torch.optim.Optimizer:
        """Make the optimiser, with the groups of `parameter_groups` where parts have rates of their own."""
        model = cast(PreTrainedModel, self.model)
        if self.optimizer is None and needs_groups(model, self.rates):
            kind, options = self.get_optimizer_cls_and_kwargs(self.args, model)
            if CHOOSES & options.keys():
                raise RecipeError(
                    f"training.optim: expected one that takes groups of weights, as adamw_torch does, got "
                    f"{self.args.optim}, which sorts them itself: take another, or leave optimiser out"
                )
            groups = parameter_groups(model, self.args.learning_rate, self.args.weight_decay, self.rates)
            self.optimizer = kind(groups, **options)
        return super().create_optimizer(*args, **kwargs)

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Tensor:
        """Augment, then train."""
        if self.args.n_gpu > 1 and any(name.endswith(ENDS) for name in inputs):
            raise RecipeError(
                f"expected one GPU for each process to train on ragged events, got {self.args.n_gpu}: start "
                "it with `torchrun --nproc-per-node`, or set CUDA_VISIBLE_DEVICES to one"
            )
        return super().training_step(model, self.augmentation(inputs), *args, **kwargs)

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Give the loss of the network, and in training what is added to it."""
        beside = {name for added in self.added for name in added.takes}
        of_network = {name: value for name, value in inputs.items() if name not in beside}
        loss, outputs = super().compute_loss(model, of_network, True, num_items_in_batch)
        if model.training:
            for added in self.added:
                loss = loss + added(outputs, inputs, self.state.epoch or 0.0)
        return (loss, outputs) if return_outputs else loss

    def prediction_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Predict: loss, outputs and labels, with one row for each event."""
        self.label_names = [name for name in inputs if name.endswith(TRUTH)]
        loss, *predicted = super().prediction_step(model, inputs, *args, **kwargs)
        if self.per_hit:
            ends = inputs.get(ENDS_OF_IMAGES, inputs[ENDS])
            predicted = _mapped(_padded, predicted, ends.tolist())
        return loss, *predicted


def hits_of(prediction: EvalPrediction) -> EvalPrediction:
    """Take one row for each hit that has a label, in their order, out of the padding (events, longest)."""
    known = prediction.label_ids != PADDING
    return EvalPrediction(_mapped(_taken, prediction.predictions, known), prediction.label_ids[known])


def events_of(prediction: PredictionOutput, per_hit: bool) -> list[NDArray[Any]]:
    """Take apart the first output of `EventTrainer.predict`: for each event a row, or one for each hit."""
    first = prediction.predictions[0] if isinstance(prediction.predictions, tuple) else prediction.predictions
    if not per_hit:
        return list(first)
    known: Any = prediction.label_ids != PADDING
    return [row[hits] for row, hits in zip(first, known, strict=True)]


def _mapped(function: Callable[..., Any], values: Any, *args: Any) -> Any:
    """Apply a function to an array, or to each of several."""
    if isinstance(values, tuple | list):
        return type(values)(_mapped(function, value, *args) for value in values)
    return function(values, *args)


def _padded(values: Tensor | None, ends: list[int]) -> Tensor | None:
    if values is None or not values.ndim or len(values) != ends[-1]:
        return values
    counts = np.diff(ends, prepend=0).tolist()
    return pad_sequence(list(torch.split(values, counts)), batch_first=True, padding_value=PADDING)


def _taken(values: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[Any]:
    return values[known] if values.shape[:2] == known.shape else values
