"""What a model card says of a reconstruction of events beside the results themselves."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.evaluation.core.errors import ResultsFileError
from nuzoo.evaluation.core.evaluator import Headline
from nuzoo.evaluation.core.predictions_file import check_headline
from nuzoo.evaluation.core.provenance import check_same_events
from nuzoo.evaluation.tasks.event_reconstruction.evaluate import TEMPERATURES
from nuzoo.evaluation.tasks.event_reconstruction.numbers import headline_numbers
from nuzoo.evaluation.tasks.event_reconstruction.predictions import read_predictions
from nuzoo.evaluation.tasks.event_reconstruction.residuals import QUANTITIES
from nuzoo.evaluation.tasks.event_reconstruction.results import HEADLINE, SELECTION, ReconstructionResults

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

METRICS_OF_THE_HUB = {
    "flavour_macro_auc": "roc_auc",
    "charm_macro_auc": "roc_auc",
    "e_vis_sigma_mad": "sigma_mad",
    "vertex_median_mm": "distance",
}

CLASS_DEFINITIONS = {
    "nue_cc": "charged current of an electron neutrino or antineutrino",
    "numu_cc": "charged current of a muon neutrino or antineutrino",
    "nutau_cc_e": "charged current of a tau neutrino; the tau decays to an electron",
    "nutau_cc_mu": "charged current of a tau neutrino; the tau decays to a muon",
    "nutau_cc_had": "charged current of a tau neutrino; the tau decays to hadrons",
    "nc": "neutral current of a neutrino of any flavour",
    "none": "no charm",
    "charm_e": "charm is made and decays to an electron, and to no muon",
    "charm_mu": "charm is made and decays to a muon",
    "charm_had": "charm is made and decays to hadrons alone",
}

CAPTIONS = {
    "roc": "ROC curve of each class against the others",
    "fom": "Figure of merit against the threshold of the score",
    "confusion": "Classes that events are assigned to by the best thresholds",
    "reliability": "Reliability of flavour and of charm",
    "residuals": "Fractional errors of momenta in bins of truth",
    "bias": "Bias and spread of momenta against truth",
    "vertex": "Distances of vertices from the true ones",
}
"""Of the figures of the report, by the stem of their file."""


def headline(results: ReconstructionResults) -> list[Headline]:
    """Give the numbers of `HEADLINE` that are defined, see `TaskEvaluator.headline`."""
    numbers = results.headline()
    found = [
        Headline(key, METRICS_OF_THE_HUB[key], title, value, numbers[key].error)
        for key, title in HEADLINE.items()
        if (value := numbers[key].value) is not None
    ]
    if not found or found[0].key != next(iter(HEADLINE)):
        raise ResultsFileError(
            "results should have a number at flavour.macro_auc, it is not defined: events of one flavour"
        )
    return found


def check_predictions(results: ReconstructionResults, file: Path) -> list[str]:
    """Compute the headline again, see `TaskEvaluator.check_predictions`."""
    predictions = read_predictions(file)
    check_same_events(results.dataset, predictions.event_id)
    temperatures = {of: getattr(results, of).calibration.temperature.value for of in TEMPERATURES}
    check_headline(headline(results), headline_numbers(predictions, temperatures), file)
    return predictions.event_id


def card_values(
    model: PreTrainedModel, processor: EventProcessor, results: ReconstructionResults
) -> dict[str, Any]:
    """Make the values of `model_cards/tasks/event_reconstruction.md`, see `TaskEvaluator.card_values`."""
    for of, field in TEMPERATURES.items():
        measured, stored = getattr(results, of).calibration.temperature.value, getattr(model.config, field)
        if not math.isclose(measured, stored, rel_tol=1e-6):
            raise ResultsFileError(
                f"the results were measured with {field} {measured:.6g}, the model's configuration has "
                f"{stored:.6g}; set model.config.{field} to the measured one"
            )
    return {
        "captions": CAPTIONS,
        "class_definitions": CLASS_DEFINITIONS,
        "quantities": QUANTITIES,
        "selection": SELECTION,
    }
