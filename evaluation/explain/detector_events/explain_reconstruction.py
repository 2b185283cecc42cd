"""Show what a reconstruction of detector events depends on: patches, parts, the scale of energies."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from nuzoo.evaluation.core.calibration import probabilities
from nuzoo.evaluation.core.errors import ExplanationError
from nuzoo.evaluation.core.evaluator import imported
from nuzoo.evaluation.core.events import columns_read
from nuzoo.evaluation.core.provenance import describe_dataset
from nuzoo.evaluation.core.results import Bootstrap
from nuzoo.evaluation.core.results_file import write_results
from nuzoo.evaluation.display.detector_events.contribution_figure import draw_contributions
from nuzoo.evaluation.display.detector_events.event_columns import event_columns
from nuzoo.evaluation.display.detector_events.event_scene import event_scene
from nuzoo.evaluation.explain.choice import choose_events
from nuzoo.evaluation.explain.detector_events import figures
from nuzoo.evaluation.explain.detector_events.ablation import ALL, ablate, ablation_numbers
from nuzoo.evaluation.explain.detector_events.deletion import measure_deletion
from nuzoo.evaluation.explain.detector_events.embedding_map import map_method, map_of, pooled_latents
from nuzoo.evaluation.explain.detector_events.energy_scan import median_shifts, scan_energies
from nuzoo.evaluation.explain.detector_events.report import MAP, SCAN, write_report
from nuzoo.evaluation.explain.detector_events.results import Deletion, ExplanationResults, SalientEvent
from nuzoo.evaluation.explain.detector_events.saliency import PatchSaliency, patch_saliency
from nuzoo.evaluation.explain.explain import Explained, ExplainedEvent
from nuzoo.evaluation.tasks.event_reconstruction.evaluate import TEMPERATURES, reconstruct
from nuzoo.evaluation.tasks.event_reconstruction.predictions import EventPredictions
from nuzoo.evaluation.tasks.event_reconstruction.results import EQUAL, NOMINAL
from nuzoo.evaluation.tasks.event_reconstruction.truth import check_events, in_classes, names_of, weights_of
from nuzoo.files.file_stems import FileStems

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

FILE = "explanations.json"
LEAST = 3
"""Events of a map."""

DELETED = 100
"""Events that are tested for whether saliency is faithful."""


def explain_reconstruction(
    model: PreTrainedModel,
    processor: EventProcessor,
    rows: Dataset,
    out: Path,
    *,
    name: str,
    events: int = 5,
    event_ids: Sequence[str] | None = None,
    faithfulness: int = DELETED,
    batch_size: int = 16,
    sample: str | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
) -> Explained:
    """Write `explanations.md`, `explanations.json` and pictures, see `Explainer.explain`.

    Args:
        model: Reconstructs events, in evaluation mode, where it shall run.
        processor: Its processor.
        rows: Events with truth.
        out: Folder, made if absent.
        name: Of the model.
        events: How many to draw with their saliency.
        event_ids: Draw these instead.
        faithfulness: Events in which salient patches are left out.
        batch_size: Events per batch.
        sample: What the events are called; needed unless they are our simulation.
        bootstrap: Replicas for the errors.
        seed: Of the bootstrap, of controls, and of the map.

    Raises:
        UnusableDatasetError: Events without truth.
        ExplanationError: Too few events, or a named one is not there.
    """
    check_events(rows, str(rows.split), model.config)
    if len(rows) < LEAST:
        raise ExplanationError(f"expected {LEAST} events or more, got {len(rows)}: take another split")
    names = names_of(model.config)
    rows = in_classes(rows, names)
    weight, weights = weights_of(rows, None, NOMINAL, EQUAL)
    facts = describe_dataset(rows, sample)
    out.mkdir(parents=True, exist_ok=True)
    ablated = ablate(model, processor, rows, weight, batch_size)
    scanned = scan_energies(model, processor, rows, weight, batch_size)
    shown = choose_events(rows, event_ids, events, "flavour")
    tested = choose_events(rows, None, faithfulness, "flavour")
    temperatures = {of: float(getattr(model.config, field)) for of, field in TEMPERATURES.items()}
    method = map_method()
    results = ExplanationResults(
        model=name,
        dataset=facts,
        weights=weights,
        saliency=_draw_saliencies(model, processor, shown, ablated[ALL], names["flavour"], out, sample),
        ablation=ablation_numbers(ablated, temperatures, bootstrap, seed),
        energy_factors=list(scanned),
        energy_scan=median_shifts(scanned, bootstrap, seed),
        map_method=method,
        bootstrap=Bootstrap(replicas=bootstrap, seed=seed),
        deletion=_deletion(model, processor, tested, batch_size, bootstrap, seed),
    )
    figures.draw_energy_scan(results, out / SCAN)
    places = map_of(pooled_latents(model, processor, rows, batch_size), seed, method)
    figures.draw_map(places, method, ablated[ALL].flavour, names["flavour"], facts.sample, out / MAP)
    write_results(out / FILE, results)
    lines = [] if results.deletion is None else [results.deletion.conclusion]
    return Explained(write_report(results, out), lines)


def explain_reconstructed_event(
    model: PreTrainedModel,
    processor: EventProcessor,
    row: Mapping[str, Any],
    picture: Path,
    *,
    sample: str | None = None,
) -> ExplainedEvent:
    """Show which patches of the 3DCal speak for the flavour of an event, see `Explainer.explain_event`.

    Raises:
        ExplanationError: The event has no hits in the 3DCal.
    """
    if not len(row["cal_energy"]):
        raise ExplanationError("expected hits in the 3DCal, whose patches can speak for a flavour, got none")
    rows = Dataset.from_list([{name: row[name] for name in columns_read(processor) if name in row}])
    found, _ = reconstruct(model, processor, rows, batch_size=1, description="flavour")
    scores = probabilities(found["flavour_logits"], float(model.config.temperature))[0]
    names = names_of(model.config)["flavour"]
    saliency = _draw_saliency(model, processor, row, scores, names, picture, sample)
    line = (
        f"Each hit is coloured by what its patch adds to the logit of {names[saliency.flavour]}, to first "
        f"order: gradient times token, summed over channels, of {len(saliency.contribution)} patches."
    )
    return ExplainedEvent([line], picture)


def _draw_saliency(
    model: PreTrainedModel,
    processor: EventProcessor,
    row: Mapping[str, Any],
    scores: NDArray[np.float64],
    names: Sequence[str],
    picture: Path,
    sample: str | None,
) -> PatchSaliency:
    saliency = patch_saliency(model, processor, row)
    answer = names[saliency.flavour]
    columns = event_columns(row)
    said = {"label": answer, "scores": dict(zip(names, scores.tolist(), strict=True))}
    label = f"gradient × token of a patch,\nlogit of {answer}"
    draw_contributions(columns, event_scene(columns, row, said, sample), saliency.of_hits, label, picture)
    return saliency


def _draw_saliencies(
    model: PreTrainedModel,
    processor: EventProcessor,
    shown: Sequence[dict[str, Any]],
    predictions: EventPredictions,
    names: Sequence[str],
    out: Path,
    sample: str | None,
) -> list[SalientEvent]:
    stem_of, found = FileStems(), []
    scores = probabilities(predictions.flavour_logits, float(model.config.temperature))
    for row in shown:
        score = scores[predictions.event_id.index(row["event_id"])]
        picture = out / f"{stem_of(str(row['event_id']))}.png"
        saliency = _draw_saliency(model, processor, row, score, names, picture, sample)
        found.append(
            SalientEvent(
                event_id=str(row["event_id"]),
                answer=names[saliency.flavour],
                score=float(score[saliency.flavour]),
                truth=str(row["flavour"]),
                patches=len(saliency.contribution),
                picture=picture.name,
            )
        )
    return found


def _deletion(
    model: PreTrainedModel,
    processor: EventProcessor,
    rows: Sequence[dict[str, Any]],
    batch_size: int,
    replicas: int,
    seed: int,
) -> Deletion | None:
    saliencies: list[PatchSaliency] = [patch_saliency(model, processor, row) for row in rows]
    options = {"batch_size": batch_size, "replicas": replicas, "seed": seed}
    found = measure_deletion(model, processor, rows, saliencies, **options)
    return None if found is None else Deletion(**vars(found), conclusion=found.conclusion)


class ReconstructionExplainer:
    """Fulfils `nuzoo.evaluation.explain.explain.Explainer`."""

    options: ClassVar[Collection[str]] = ("faithfulness",)
    explain = imported(f"{__name__}.explain_reconstruction")
    explain_event = imported(f"{__name__}.explain_reconstructed_event")


EXPLAINER = ReconstructionExplainer()
