"""Every number of a reconstruction with its error, from predictions alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core import classification as metrics
from nuzoo.evaluation.core.bootstrap import bootstrap
from nuzoo.evaluation.core.calibration import negative_log_likelihood, probabilities, reliability
from nuzoo.evaluation.core.event_quantiles import EventValues
from nuzoo.evaluation.core.results import Bootstrap
from nuzoo.evaluation.tasks.event_classification.numbers import calibration_of, checked_logits
from nuzoo.evaluation.tasks.event_classification.results import Temperature
from nuzoo.evaluation.tasks.event_reconstruction.predictions import EventPredictions
from nuzoo.evaluation.tasks.event_reconstruction.residuals import (
    BOX,
    Compared,
    compare,
    distances,
    members,
    spread,
    truth_edges,
)
from nuzoo.evaluation.tasks.event_reconstruction.results import (
    ClassifiedBy,
    ClassSelection,
    Coverage,
    ReconstructionNumbers,
    Residual,
    TruthBin,
    VertexDistance,
)
from nuzoo.evaluation.tasks.event_reconstruction.selection import assign, best_thresholds, selected

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Replicas:
    """How errors are made.

    Attributes:
        weight: Of each event (n,).
        count: Replicas.
        seed: Of them.
    """

    weight: Floats
    count: int
    seed: int

    def of(self, statistic: Any, weighted: bool = True) -> dict[str, Any]:
        """Bootstrap a statistic of weights (..., n) over events, each with its weight or as one."""
        weight = self.weight if weighted else np.ones(len(self.weight))
        return bootstrap(lambda drawn: statistic(drawn * weight), len(weight), self.count, self.seed)


def reconstruction_numbers(
    predictions: EventPredictions,
    names: Mapping[str, Sequence[str]],
    temperatures: Mapping[str, Temperature],
    *,
    expected_events: float | None = None,
    replicas: int = 1000,
    seed: int = 0,
) -> ReconstructionNumbers:
    """Compute every number.

    Args:
        predictions: Of n events.
        names: Of the classes of "flavour" and of "charm".
        temperatures: Of "flavour" and "charm".
        expected_events: That figures of merit are for, in place of the sum of the weights.
        replicas: Of the bootstrap.
        seed: Of the bootstrap.

    Raises:
        ShapeMismatchError: Arrays do not fit together.
        NonFiniteOutputError: A logit is NaN or infinite.
        MissingTruthError: A class that the network does not have.
    """
    errors = Replicas(predictions.weight, replicas, seed)
    scale = 1.0 if expected_events is None else expected_events / predictions.weight.sum()
    by_class = {
        of: classified(
            getattr(predictions, f"{of}_logits"),
            getattr(predictions, of),
            names[of],
            temperatures[of],
            errors,
            scale,
        )
        for of in ("flavour", "charm")
    }
    return ReconstructionNumbers(
        **by_class,
        residuals={name: _residual(values, errors) for name, values in compare(predictions).items()},
        vertex=_vertex(distances(predictions), errors),
        coverage=_coverage(predictions, errors) or None,
        bootstrap=Bootstrap(replicas=replicas, seed=seed),
    )


def headline_numbers(
    predictions: EventPredictions, temperatures: Mapping[str, float], weights: Floats | None = None
) -> dict[str, Floats]:
    """Compute the numbers of `HEADLINE` alone.

    Args:
        predictions: Of n events.
        temperatures: Of "flavour" and "charm".
        weights: (..., n); by default those of the predictions.

    Returns:
        (...) by name; NaN where one is not defined.
    """
    weights = predictions.weight if weights is None else weights
    found = {}
    for of in ("flavour", "charm"):
        score = probabilities(getattr(predictions, f"{of}_logits"), temperatures[of])
        area = metrics.one_vs_rest_auc(getattr(predictions, of), score, weights)
        found[f"{of}_macro_auc"] = metrics.mean_defined(area)
    e_vis = spread(compare(predictions)["e_vis"].errors(), weights)
    (median,) = distances(predictions).quantiles(weights, (0.5,))
    return found | {"e_vis_sigma_mad": e_vis["sigma_mad"], "vertex_median_mm": median}


def classified(
    logits: Floats,
    labels: NDArray[np.int64],
    names: Sequence[str],
    temperature: Temperature,
    errors: Replicas,
    scale: float,
) -> ClassifiedBy:
    """Measure how well events are told apart.

    Thresholds are those of the largest figure of merit of all events, and stay in the replicas.

    Args:
        logits: (n, classes).
        labels: True classes (n,).
        names: Of the classes.
        temperature: That logits are divided by.
        errors: How they are made.
        scale: Events that are expected for one of the sample.
    """
    logits = checked_logits(logits, len(labels), len(names))
    metrics.check_classes(labels, len(names), "label")
    raw, score = probabilities(logits), probabilities(logits, temperature.value)
    thresholds = best_thresholds(score, labels, errors.weight)
    assigned, classes = assign(score, thresholds), len(names)

    def statistic(weights: Floats) -> dict[str, Floats]:
        area = metrics.one_vs_rest_auc(labels, score, weights)
        chosen = selected(score, labels, thresholds, weights)
        confusion = metrics.confusion_counts(labels, assigned, classes + 1, weights)[..., :classes, :]
        return {
            "auc": area,
            "macro_auc": metrics.mean_defined(area),
            "accuracy": metrics.accuracy(metrics.confusion_counts(labels, score.argmax(1), classes, weights)),
            "fom": chosen["fom"] * np.sqrt(scale),
            "efficiency": chosen["efficiency"],
            "purity": chosen["purity"],
            "confusion": metrics.recall_normalised(confusion),
        }

    def calibration(weights: Floats) -> dict[str, Floats]:
        return {
            f"{key}_{when}": function(probability, weights)
            for when, probability in (("before", raw), ("after", score))
            for key, function in (
                ("ece", lambda of, drawn: reliability(labels, of, drawn).error),
                ("nll", lambda of, drawn: negative_log_likelihood(labels, of, drawn)),
            )
        }

    found = errors.of(statistic)
    counts = np.bincount(labels, minlength=classes)
    summed = np.bincount(labels, weights=errors.weight, minlength=classes)
    return ClassifiedBy(
        class_names=list(names),
        absent=[name for name, count in zip(names, counts, strict=True) if not count],
        weight_per_class=dict(zip(names, summed.tolist(), strict=True)),
        macro_auc=found["macro_auc"],
        accuracy=found["accuracy"],
        auc=dict(zip(names, found["auc"], strict=True)),
        selection={
            name: ClassSelection(
                threshold=thresholds[c],
                fom=found["fom"][c],
                efficiency=found["efficiency"][c],
                purity=found["purity"][c],
            )
            for c, name in enumerate(names)
        },
        confusion=found["confusion"],
        counts=metrics.confusion_counts(labels, assigned, classes + 1)[:classes].astype(int).tolist(),
        calibration=calibration_of(errors.of(calibration, weighted=False), score, errors.seed, temperature),
    )


def _residual(values: Compared, errors: Replicas) -> Residual:
    every = values.errors()
    edges = truth_edges(values.true)
    chosen = members(values.true, edges) if edges else []
    in_bins = [values.errors(which) for which in chosen]

    def statistic(weights: Floats) -> dict[str, Floats]:
        found = spread(every, weights)
        for number, one in enumerate(in_bins):
            found |= {f"{key} {number}": value for key, value in spread(one, weights).items()}
        return found

    found = errors.of(statistic)
    return Residual(
        events=len(values.event),
        undefined=values.undefined,
        median=found["median"],
        sigma_mad=found["sigma_mad"],
        bins=[
            TruthBin(
                low=edges[number],
                high=edges[number + 1],
                events=int(which.sum()),
                median=found[f"median {number}"],
                sigma_mad=found[f"sigma_mad {number}"],
                quantiles=[float(one) for one in in_bins[number].quantiles(errors.weight, BOX)],
            )
            for number, which in enumerate(chosen)
            if which.any()
        ],
    )


def _vertex(away: EventValues, errors: Replicas) -> VertexDistance:
    def statistic(weights: Floats) -> dict[str, Floats]:
        median, most, nearly_all = away.quantiles(weights, (0.5, 0.68, 0.95))
        mean = weights[..., away.event] @ away.value / weights.sum(axis=-1)
        return {"mean_mm": mean, "median_mm": median, "within_68_mm": most, "within_95_mm": nearly_all}

    return VertexDistance(**errors.of(statistic))


def _coverage(predictions: EventPredictions, errors: Replicas) -> dict[str, Coverage]:
    """Count how many components are within the standard deviations that a network gives them."""
    found = {}
    for name, deviation in predictions.errors.items():
        pull = np.abs(getattr(predictions, f"true_{name}") - getattr(predictions, name)) / deviation
        parts = {key: (pull <= most).mean(axis=1) for key, most in (("within_one", 1), ("within_two", 2))}

        def statistic(weights: Floats, parts: dict[str, Floats] = parts) -> dict[str, Floats]:
            return {key: weights @ part / weights.sum(axis=-1) for key, part in parts.items()}

        found[name] = Coverage(**errors.of(statistic))
    return found
