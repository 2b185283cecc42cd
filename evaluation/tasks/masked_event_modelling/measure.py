"""What masked modelling is watched by: its losses, what it tells of hits, and a linear probe of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from nuzoo.evaluation.core.calibration import probabilities
from nuzoo.evaluation.core.events import input_batches
from nuzoo.evaluation.core.pooled_features import pooled_features
from nuzoo.evaluation.tasks.event_classification.numbers import scores
from nuzoo.evaluation.tasks.masked_event_modelling.event_probe import fitted_event_probe
from nuzoo.evaluation.tasks.pre_training.probe_settings import EventProbe
from nuzoo.pipelines.finite_outputs import refuse_not_finite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datasets import Dataset
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

LOSS = "_loss"
SHARES = ("hierarchy", "category")
MEANING = {
    "occupancy_loss": "which voxels of hidden 3DCal patches have hits (focal and Chamfer losses)",
    "energy_loss": "their standardised energies (Huber losses)",
    "ahcal_occupancy_loss": "which cells of hidden AHCAL patches have hits",
    "ahcal_energy_loss": "their standardised energies",
    "ecal_loss": "standardised energies of hidden ECALs (Huber)",
    "muon_loss": "whether hidden muons have tracks, and their means",
    "ghost_loss": "which hits are ghosts (cross-entropy)",
    "hierarchy_loss": "shares of primary, secondary and other particles (cross-entropy)",
    "category_loss": "shares of electromagnetic, muon and hadronic energy (cross-entropy)",
    "ghost_auc": "area under the ROC curve of ghosts, of hits that are seen",
    "hierarchy_accuracy": "hits whose largest share is told, by hierarchy",
    "category_accuracy": "hits whose largest share is told, by category",
}


def measure_events(
    model: PreTrainedModel, processor: EventProcessor, rows: Dataset, settings: EventProbe, batch_size: int
) -> dict[str, float]:
    """Measure a network on validation events, in evaluation mode.

    Args:
        model: For masked modelling.
        processor: Its processor.
        rows: Events; without the truth of the probe there is none.
        settings: Of the probe.
        batch_size: Events per batch.

    Returns:
        `macro_auc` of the probe.
    """
    was_training = model.training
    model.eval()
    fitted_on, tested_on = settings.split(rows)
    measured = {}
    if settings.target in rows.column_names and len(fitted_on):
        probe = fitted_event_probe(model, processor, fitted_on, settings.target, batch_size)
        logits = [probe(part) for part in pooled_features(model, processor, tested_on, batch_size)]
        told = probabilities(torch.cat(logits).double().cpu().numpy())
        auc = float(scores(told, np.array(list(tested_on[settings.target])))["macro_auc"])
        measured = {"macro_auc": auc} if np.isfinite(auc) else {}
    model.train(was_training)
    return measured


def told_of_hidden(
    model: PreTrainedModel, processor: EventProcessor, rows: Dataset, truth: Sequence[str], batch_size: int
) -> dict[str, float]:
    """Measure what a network tells of what was hidden, and of hits that it sees.

    Args:
        model: For masked modelling, in evaluation mode.
        processor: Its processor.
        rows: Events.
        truth: Columns that say what made hits; none, and hits are not asked about.
        batch_size: Events per batch.

    Returns:
        Of `MEANING` those that are defined; losses are means over batches.

    Raises:
        NonFiniteOutputError: An output is NaN or infinite.
    """
    losses: list[dict[str, float]] = []
    of_hits: dict[str, list[NDArray[Any]]] = {}
    for batch in input_batches(processor, rows, batch_size, model.device, truth):
        with torch.no_grad():
            outputs = model(**batch, return_loss=True)
        refuse_not_finite(model, outputs)
        losses.append({name: float(value) for name, value in outputs.items() if name.endswith(LOSS)})
        for name, values in _answers(outputs, batch).items():
            of_hits.setdefault(name, []).append(values)
    names = list(losses[0]) if losses else []
    found = {name: float(np.mean([of[name] for of in losses])) for name in names}
    return found | _scores_of_hits({name: np.concatenate(parts) for name, parts in of_hits.items()})


def _answers(outputs: Any, batch: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Take of hits that are seen what is told with the truth; of shares whether it is right."""
    if outputs.ghost_logits is None or "cal_ghost" not in batch:
        return {}
    seen = outputs.is_hidden == 0
    found = {"ghost": torch.stack([outputs.ghost_logits[seen].float(), batch["cal_ghost"][seen]], dim=1)}
    for name in SHARES:
        shares = batch[f"cal_{name}"][seen]
        known = shares.sum(dim=1) > 0
        told = outputs[f"{name}_logits"][seen][known].argmax(dim=1)
        found[name] = (told == shares[known].argmax(dim=1)).float()
    return {name: value.cpu().numpy() for name, value in found.items()}


def _scores_of_hits(answers: Mapping[str, NDArray[Any]]) -> dict[str, float]:
    if not answers:
        return {}
    found = {f"{name}_accuracy": float(answers[name].mean()) for name in SHARES if len(answers[name])}
    logits, is_ghost = answers["ghost"].T
    if len(set(is_ghost.tolist())) > 1:
        found["ghost_auc"] = float(roc_auc_score(is_ghost, logits))
    return found
