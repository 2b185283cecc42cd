"""The report of what a reconstruction depends on."""

from __future__ import annotations

from pathlib import Path

from nuzoo.evaluation.core.text import as_table, with_error
from nuzoo.evaluation.explain.detector_events.ablation import ALL
from nuzoo.evaluation.explain.detector_events.altered_inputs import PARTS
from nuzoo.evaluation.explain.detector_events.deletion import PART
from nuzoo.evaluation.explain.detector_events.results import ExplanationResults
from nuzoo.evaluation.explain.faithfulness import MATCHED
from nuzoo.evaluation.tasks.event_reconstruction.residuals import MEANING, QUANTITIES
from nuzoo.evaluation.tasks.event_reconstruction.results import HEADLINE
from nuzoo.files.atomic import write_atomically
from nuzoo.files.plain_text import plain

REPORT = "explanations.md"
SCAN, MAP = "energy-scan.png", "latents.png"


def write_report(results: ExplanationResults, out: Path) -> Path:
    """Write `explanations.md`."""
    sections = [
        f"# What {plain(results.model)} depends on\n\nSample: **{plain(results.dataset.sample)}**, split "
        f"**{plain(results.dataset.split or 'all')}**, {results.dataset.events:,} events, {results.weights} "
        f"weights. Errors are standard deviations of {results.bootstrap.replicas:,} bootstrap replicas of "
        f"the events (seed {results.bootstrap.seed}).",
        _saliency(results),
        _ablation(results),
        _scan(results),
        "## Mean latents\n\n![Map of mean latents by true flavour](" + MAP + ")\n\n"
        f"Made with {results.map_method}: events that are near each other are so for the network.",
    ]
    write_atomically(out / REPORT, "\n\n".join(sections) + "\n")
    return out / REPORT


def _saliency(results: ExplanationResults) -> str:
    events = [
        f"### {plain(one.event_id)}\n\n![{plain(one.event_id)}]({one.picture})\n\nAnswered "
        f"{plain(one.answer)} with probability {one.score:.2f}; truth {plain(one.truth)}; "
        f"{one.patches} patches with hits."
        for one in results.saliency
    ]
    return (
        "## Patches of the 3DCal\n\nGradient of the logit of the answered flavour times the token of a "
        "patch, summed over channels: what the patch adds to the logit, to first order. Hits are coloured by "
        "their patch.\n\n" + _deletion(results) + "\n\n" + "\n\n".join(events)
    )


def _deletion(results: ExplanationResults) -> str:
    if (found := results.deletion) is None:
        return "Not tested: no event had salient patches and others of as much energy."
    rows = [
        ["salient patches", with_error(found.salient)],
        ["random patches", with_error(found.control)],
        ["difference", with_error(found.difference)],
    ]
    return (
        f"Is it faithful? {found.conclusion[0].upper()}{found.conclusion[1:]}.\n\n"
        + as_table(["left out", "fall of the answer's probability"], rows)
        + f"\n\nOf {found.events:,} events the {100 * PART:g} % of patches that add most are left out, or "
        f"random others of {MATCHED:g} to {1 / MATCHED:g} of their energy, three times."
    )


def _ablation(results: ExplanationResults) -> str:
    rows = []
    for part, numbers in results.ablation.items():
        title = "all parts" if part == ALL else f"without {PARTS[part]}"
        rows.append([title, *(with_error(numbers[key]) for key in HEADLINE)])
        if part != ALL:
            rows.append(["– change", *(with_error(numbers[f"{key}_change"]) for key in HEADLINE)])
    return (
        "## Parts of the detector\n\nThe tokens of a part, and the latents that begin as its class tokens, "
        "are left out where the parts are joined; the network is not trained again. Errors of changes are "
        "paired event by event.\n\n" + as_table(["", *HEADLINE.values()], rows)
    )


def _scan(results: ExplanationResults) -> str:
    header = ["energies", *QUANTITIES.values()]
    rows = [
        [f"× {factor:g}", *(with_error(results.energy_scan[name][place]) for name in QUANTITIES)]
        for place, factor in enumerate(results.energy_factors)
    ]
    return (
        "## Scale of energies\n\nChange of the median of (true − reconstructed) / true where all energies "
        "of the 3DCal, the AHCAL and the ECAL are multiplied by a factor, paired event by event. "
        f"{MEANING} Momenta of muon tracks stay.\n\n"
        + as_table(header, rows)
        + f"\n\n![Change of medians]({SCAN})"
    )
