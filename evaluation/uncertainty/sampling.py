"""Samples of what networks tell of events: members of an ensemble, or passes that drop units by chance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from nuzoo.evaluation.core.calibration import probabilities
from nuzoo.evaluation.core.errors import EvaluationError
from nuzoo.evaluation.core.inference import run_network
from nuzoo.evaluation.uncertainty.predictive import Predictive
from nuzoo.modeling.dropping import dropping
from nuzoo.modeling.evidence import LABELS, LOGITS, labelled_logits

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

Network = tuple["PreTrainedModel", "EventProcessor"]

HIT_OFFSET = "offset"


@dataclass(frozen=True)
class Samples:
    """What several networks, or passes through one, tell by one output.

    Attributes:
        values: float64 (S, rows, ...): logits over the temperature, or a quantity.
        truth: (rows, ...), of the same rows.
        event: int64 (rows,), the event of each.
        is_evidence: The values are logarithms of the concentrations of Dirichlet distributions.
        is_of_classes: The values are logits, and none of a quantity.
    """

    values: NDArray[np.float64]
    truth: NDArray[Any]
    event: NDArray[np.int64]
    is_evidence: bool = False
    is_of_classes: bool = True

    def predictive(self) -> Predictive:
        """Give the distribution over classes that the samples tell together."""
        if self.is_evidence and len(self.values) == 1:
            return Predictive.of_evidence(self.values[0])
        return Predictive.of_samples(np.stack([probabilities(logits) for logits in self.values]))

    def first(self, number: int) -> Samples:
        """Take the first of the samples."""
        return replace(self, values=self.values[:number])


def sample_members(networks: Iterable[Network], rows: Dataset, **options: Any) -> dict[str, Samples]:
    """Ask each member of an ensemble.

    Args:
        networks: Members with their processors, one after the other.
        rows: Events with the truth, in the classes of the networks.
        **options: Of `ask`.

    Returns:
        The samples of each output with a truth, by the name of the output.
    """
    return joined([ask(*network, rows, **options) for network in networks])


def sample_passes(
    model: PreTrainedModel,
    processor: EventProcessor,
    rows: Dataset,
    *,
    passes: int,
    seed: int = 0,
    **options: Any,
) -> dict[str, Samples]:
    """Ask a network several times, each time with other units dropped (Monte Carlo dropout).

    Args:
        model: The network.
        processor: Its processor.
        rows: See `sample_members`.
        passes: How many times.
        seed: Of what is dropped.
        **options: Of `ask`.

    Raises:
        DropsNothingError: The network drops nothing.
    """
    seeds = np.random.SeedSequence(seed).generate_state(passes).tolist()
    return joined([ask(model, processor, rows, during=dropping(model, one), **options) for one in seeds])


def ask(
    model: PreTrainedModel,
    processor: EventProcessor,
    rows: Dataset,
    *,
    targets: Sequence[str],
    batch_size: int = 16,
    during: AbstractContextManager[None] | None = None,
) -> dict[str, Samples]:
    """Ask one network about events once.

    Args:
        model: The network.
        processor: Its processor.
        rows: See `sample_members`.
        targets: Columns of the truth.
        batch_size: Events per batch.
        during: What holds while it is asked.

    Returns:
        One sample of each output with a truth, `logits` or a quantity; rows without a class are left out.

    Raises:
        EvaluationError: No output has a truth.
    """

    def gather(outputs: Any, inputs: Mapping[str, Any]) -> dict[str, list[NDArray[Any]]]:
        pairs = [*labelled_logits(outputs, inputs), *labelled_quantities(outputs, inputs)]
        return {name: _rows_of(outputs[name], inputs[truth], inputs) for name, truth in pairs}

    with during or nullcontext():
        batches, times = run_network(
            model, processor, rows, gather, batch_size=batch_size, description="ask", targets=targets
        )
    if not batches or not batches[0]:
        raise EvaluationError(
            f"expected a network with logits or quantities that the columns {', '.join(targets)} are the "
            f"truth of, got {type(model).__name__}"
        )
    starts = np.cumsum(times.events) - times.events
    return {
        name: _joined_batches([batch[name] for batch in batches], starts, name, model) for name in batches[0]
    }


def labelled_quantities(outputs: Mapping[str, Any], inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the names of outputs that are quantities, each with that of its truth: `vertex`, `vertex_labels`.

    Args:
        outputs: Of a network.
        inputs: Of it, with the truth.
    """
    for name in outputs:
        if (truth := f"{name}_{LABELS}") in inputs:
            yield name, truth


def joined(asked: Sequence[Mapping[str, Samples]]) -> dict[str, Samples]:
    """Put samples of the same rows together.

    Raises:
        EvaluationError: They are of other rows, or some are evidence and some are not.
    """
    first, *others = asked
    for other in others:
        for name, samples in first.items():
            same = name in other and np.array_equal(samples.truth, other[name].truth, equal_nan=True)
            if not same or samples.is_evidence != other[name].is_evidence:
                raise EvaluationError(
                    f"{name}: expected networks that tell the same of the same events, got some with other "
                    "classes, hits or evidence: give members of one recipe"
                )
    return {
        name: replace(samples, values=np.concatenate([one[name].values for one in asked]))
        for name, samples in first.items()
    }


def _rows_of(output: Any, truth: Any, inputs: Mapping[str, Any]) -> list[NDArray[Any]]:
    """Take values, truth, and the event in the batch of each row."""
    values, true = output.double().cpu().numpy(), truth.cpu().numpy()
    event = np.arange(len(true))
    if HIT_OFFSET in inputs and len(inputs[HIT_OFFSET]) != len(true):
        ends = inputs[HIT_OFFSET].cpu().numpy()
        event = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    return [values, true, event]


def _joined_batches(
    batches: Sequence[Sequence[NDArray[Any]]],
    starts: NDArray[np.int64],
    name: str,
    model: Any,
) -> Samples:
    values, truth = (np.concatenate([batch[part] for batch in batches]) for part in (0, 1))
    event = np.concatenate([batch[2] + start for batch, start in zip(batches, starts, strict=True)])
    if not name.endswith(LOGITS):
        return Samples(values[None], truth, event, is_of_classes=False)
    known = truth >= 0
    logits = values[known] / temperature_of(name, model.config)
    is_evidence = getattr(model.config, "evidential", None) is not None and name in model.evidence
    return Samples(logits[None], truth[known], event[known], is_evidence)


def temperature_of(output: str, config: PreTrainedConfig) -> float:
    """Give what logits are divided by: `temperature`, or that of their head; `charm_temperature`, say."""
    own = output.removesuffix(LOGITS) + "temperature"
    return float(getattr(config, own, getattr(config, "temperature", 1.0)))
