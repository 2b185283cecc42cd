"""The card of an event classifier, made from measured results, its configuration and processor."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from huggingface_hub import EvalResult, EvalResultEntry, ModelCard, ModelCardData

from nuzoo.evaluation.core.markdown import as_list, plain
from nuzoo.evaluation.core.number_format import as_table, with_error
from nuzoo.evaluation.core.provenance import SIMULATION_TAG
from nuzoo.evaluation.tasks.event_classification.report import HALF_RESOLUTION_MEANING
from nuzoo.hub.cards import fill_template
from nuzoo.modeling.modeling_utils_nu import has_adapter

TEMPLATE = "event_classifier.md"
PIPELINE_TAG = "image-classification"
TAGS = ["neutrino", "particle-physics", "physics", "nuzoo"]

HEADLINE = {
    "accuracy": ("accuracy", "Accuracy"),
    "macro_precision": ("precision", "Macro precision"),
    "macro_recall": ("recall", "Macro recall"),
    "macro_auc": ("roc_auc", "Macro one-vs-rest AUC"),
}
"""Key in the results file: metric type on the Hub, name."""

NEEDED = "transformers, datasets and torch"

LIMITS = {
    True: "This is a fast parametrised simulation, not GENIE and Geant4, and not data: expect other "
    "numbers on both.",
    False: "Other samples, and real data, will give other numbers.",
}

INPUT_FACTS = {
    "detector": ("detector", ""),
    "views": ("views", ""),
    "height": ("rows of the raw map", " pixels"),
    "width": ("columns of the raw map", " pixels"),
    "pixel_pitch_mm": ("pixel pitch, rows × columns", " mm"),
    "rebin": ("raw pixels summed into one, per side", ""),
    "pad_to_multiple": ("images padded with zeros to a multiple of", " pixels"),
    "scale": ("energy scale", ""),
    "reference_energy": ("reference energy", " MeV"),
}
"""Attribute of the processor: its meaning, its unit."""

CLASS_DEFINITIONS = {
    "nue_cc": "charged-current interaction of an electron neutrino or antineutrino; an electron leaves it",
    "numu_cc": "charged-current interaction of a muon neutrino or antineutrino; a muon leaves it",
    "nutau_cc": "charged-current interaction of a tau neutrino or antineutrino; a tau lepton leaves it",
    "nc": "neutral-current interaction of a neutrino of any flavour; the lepton that leaves it has no charge",
}

NO_SIZE = {
    "architectures",
    "auto_map",
    "base_config",
    "base_model",
    "base_revision",
    "base_sha256",
    "custom_pipelines",
    "dtype",
    "id2label",
    "label2id",
    "label_token_ids",
    "prompt",
    "quantization",
    "temperature",
} | {
    "_name_or_path",
    "transformers_version",
    "num_labels",
}
"""Settings that every trained network has others of."""

CITATION = """```bibtex
@software{nuzoo,
  author = {{The nuzoo authors}},
  title = {nuzoo: a Hugging Face Hub-native model zoo for neutrino detectors},
  license = {Apache-2.0}
}
```"""


def event_classifier_card(
    model: Any,
    processor: Any,
    results: Mapping[str, Any],
    *,
    name: str,
    dataset_id: str,
    training: Mapping[str, object],
    pictures: Mapping[str, str],
    events: Mapping[str, object] | None = None,
    dataset_revision: str | None = None,
    base_model: str | None = None,
    licence: str = "apache-2.0",
    citation: str = CITATION,
) -> ModelCard:
    """Write the card of an event classifier.

    Args:
        model: The classifier.
        processor: Its processor.
        results: Contents of its results file.
        name: Of the repository, "organisation/model".
        dataset_id: Of the dataset it was trained and measured on.
        training: Facts about the training: recipe, events, epochs, machine, time.
        events: Facts about the events of training and measurement: numbers, splits, energies.
        pictures: Caption of each picture, by its path in the repository.
        dataset_revision: Commit of the dataset.
        base_model: Repository of the network, if the model is an adapter.
        licence: Hub identifier of the licence.
        citation: Markdown.

    Returns:
        The card, with `model-index`.

    Raises:
        IncompleteCardError: A section would be empty.
    """
    of_peft_alone = base_model is not None and has_adapter(model)
    data = ModelCardData(
        library_name="peft" if of_peft_alone else "transformers",
        pipeline_tag=PIPELINE_TAG,
        license=licence,
        datasets=[dataset_id],
        metrics=[metric for metric, _ in HEADLINE.values()],
        tags=[*TAGS, results["model"]["model_type"]],
        model_name=name.rpartition("/")[2],
        eval_results=_model_index(results, dataset_id, dataset_revision),
        base_model=base_model,
    )
    if base_model:
        data["base_model_relation"] = "adapter"
    dataset = results["dataset"]
    body = fill_template(
        TEMPLATE,
        {
            "name": name,
            "architecture": _adapter_text(model, results["model"], base_model)
            + architecture_text(model.config)
            + _text_of_vlm(model),
            "classes": _classes(results["class_names"]),
            "parameters": f"{results['model']['parameters']:,}",
            "dtype": results["model"]["dtype"],
            "confidence": _confidence(results["calibration"]),
            "split": _split(dataset),
            "event_facts": as_list(events or {"split": _split(dataset)}),
            "software": _software(results["machine"]),
            "sample": plain(dataset["sample"]),
            "events": f"{dataset['events']:,}",
            "events_per_class": _counts(dataset["events_per_class"]),
            "limits": LIMITS[dataset["sample"] == SIMULATION_TAG],
            "input_facts": input_facts(processor),
            "network_inputs": _network_inputs(processor),
            "needed": _needed(model, base_model),
            "num_classes": f"{len(results['class_names'])}",
            "dataset_id": dataset_id,
            "revision_note": f" at revision `{dataset_revision}`." if dataset_revision else ".",
            "training_facts": as_list(training) or "The folder of the run does not tell.",
            "metrics_table": _metrics_table(results),
            "classes_table": _classes_table(results),
            "calibration": _calibration(results["calibration"]),
            "half_resolution": _half_resolution(results),
            "pictures": _pictures(pictures),
            "compute": _compute(results),
            "licence": f"Weights and code: {licence}.",
            "citation": citation,
        },
    )
    return ModelCard(f"---\n{data.to_yaml()}\n---\n\n{body}")


def architecture_text(config: Any) -> str:
    """What the network is: the text of its configuration class up to the list of arguments.

    Its first paragraph is true of every size; the rest is of the default one, and in its place stand the
    settings of a network that has others.
    """
    documentation = inspect.getdoc(type(config)) or f"A network of type `{config.model_type}`."
    text = documentation.partition("\nArgs:")[0].strip()
    default, ours = type(config)().to_dict(), config.to_dict()
    other = {name: value for name, value in ours.items() if name in default and default[name] != value}
    sizes = [f"`{name}` {value}" for name, value in other.items() if name not in NO_SIZE]
    if not sizes:
        return text
    return (
        f"{text.partition(chr(10) * 2)[0]}\n\nOf another size than the published network: {', '.join(sizes)}."
    )


def _adapter_text(model: Any, described: Mapping[str, Any], base_model: str | None) -> str:
    if base_model is None:
        return ""
    [adapter] = getattr(model, "base", model).peft_config.values()
    return (
        f"A {adapter.peft_type.value} adapter for [`{base_model}`](https://huggingface.co/{base_model}): "
        f"{described['trainable_parameters']:,} of {described['parameters']:,} parameters were trained, the "
        "others are those of that network, which is loaded from its own repository. That network is:\n\n"
    )


def _text_of_vlm(model: Any) -> str:
    """What else a vision-language model does."""
    config = model.config
    if not hasattr(config, "label_token_ids"):
        return ""
    bits = "in 4 bits (NF4, double quantisation)" if config.quantization else "in the format of its weights"
    return (
        f"\n\nThe base is loaded {bits} and asked with the prompt `{config.prompt}`. "
        "`model.generate(**processor(events), max_new_tokens=80)` also writes the answer and an explanation, "
        "after the decision: it is no measurement of what decided."
    )


def _needed(model: Any, base_model: str | None) -> str:
    """The packages that loading needs, for people."""
    quantised = ["bitsandbytes"] if getattr(model.config, "quantization", None) else []
    return ", ".join([*quantised, *(["peft"] if base_model else []), NEEDED])


def _classes(names: Sequence[str]) -> str:
    known = ((plain(name), CLASS_DEFINITIONS.get(name, "as defined by the dataset")) for name in names)
    return as_list(dict(known))


def _split(dataset: Mapping[str, Any]) -> str:
    named = dataset["split"] not in (None, "all")
    return f"the {plain(dataset['split'])} split" if named else "every labelled event of the dataset"


def _confidence(calibration: Mapping[str, Any]) -> str:
    """What a probability of this model is worth, without praise."""
    if (
        calibration["temperature"]["error"] is None
        and "not fitted" in calibration["temperature"]["fitted_on"]
    ):
        return "Probabilities are not calibrated: no temperature was fitted"
    return (
        "Probabilities come after one temperature, fitted on the validation split "
        f"({plain(calibration['temperature']['fitted_on'])}); on the events measured here that changed the "
        f"expected calibration error from {with_error(calibration['ece_before'])} to "
        f"{with_error(calibration['ece_after'])}"
    )


def _software(machine: Mapping[str, Any]) -> str:
    packages = machine.get("packages") or {}
    return (
        ", ".join(f"{plain(name)} {plain(version)}" for name, version in packages.items()) or "Not recorded."
    )


def input_facts(processor: Any) -> str:
    """What the processor expects, with units, as a list."""
    facts = {"unit of energy": "MeV per pixel"}
    for attribute, (meaning, unit) in INPUT_FACTS.items():
        value = getattr(processor, attribute, None)
        if value is not None:
            facts[meaning] = _fact(attribute, value) + unit
    return as_list(facts)


def _fact(attribute: str, value: Any) -> str:
    if attribute == "views":
        return ", ".join(value)
    if attribute == "pixel_pitch_mm":
        return ", ".join(dict.fromkeys(f"{row:g} × {column:g}" for row, column in value))
    return f"{value}"


def _network_inputs(processor: Any) -> str:
    rows, columns = processor.image_size
    if hasattr(processor, "prompt"):
        return (
            f"{len(processor.views)} grey images of {rows} × {columns} pixels, resized by the processor of "
            f"the base, and the prompt `{processor.prompt['name']}` as tokens"
        )
    return f"`pixel_values`, float32 (events, {len(processor.views)}, {rows}, {columns}), dimensionless"


def eval_result_entries(
    results: Mapping[str, Any], dataset_id: str, dataset_revision: str | None = None
) -> list[EvalResultEntry]:
    """The headline numbers as entries of `.eval_results`, errors in their notes."""
    dataset = results["dataset"]
    split = f"{dataset['split']} split, " if dataset["split"] else ""
    sample = f"{split}{dataset['events']} events, {' '.join(dataset['sample'].split())}"
    return [
        EvalResultEntry(
            dataset_id=dataset_id,
            task_id=key,
            value=results["metrics"][key]["value"],
            dataset_revision=dataset_revision,
            date=results["created"],
            notes=f"{with_error(results['metrics'][key])}, {sample}",
        )
        for key in HEADLINE
    ]


def _model_index(
    results: Mapping[str, Any], dataset_id: str, dataset_revision: str | None
) -> list[EvalResult]:
    return [
        EvalResult(
            task_type=PIPELINE_TAG,
            task_name="Neutrino event classification",
            dataset_type=dataset_id,
            dataset_name=dataset_id,
            dataset_split=results["dataset"]["split"],
            dataset_revision=dataset_revision,
            metric_type=metric,
            metric_name=f"{title} (bootstrap error {results['metrics'][key]['error'] or 0:.2g})",
            metric_value=results["metrics"][key]["value"],
        )
        for key, (metric, title) in HEADLINE.items()
    ]


def _counts(events: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {plain(name)}" for name, count in events.items())


def _metrics_table(results: Mapping[str, Any]) -> str:
    rows = [[title, with_error(results["metrics"][k])] for k, (_, title) in HEADLINE.items()]
    return as_table(["", "value"], rows)


def _classes_table(results: Mapping[str, Any]) -> str:
    keys = ("recall", "precision", "auc")
    rows = [
        [plain(name), *(with_error(results["metrics"][key][name]) for key in keys)]
        for name in results["class_names"]
    ]
    return as_table(["class", "recall (efficiency)", "precision (purity)", "AUC"], rows)


def _calibration(calibration: Mapping[str, Any]) -> str:
    temperature = calibration["temperature"]
    return (
        f"Temperature {with_error(temperature)} ({plain(temperature['fitted_on'])}), stored in the "
        "configuration and used by the pipeline. Expected calibration error: "
        f"{with_error(calibration['ece_before'])} before, {with_error(calibration['ece_after'])} "
        f"after; perfect calibration would show {with_error(calibration['ece_if_perfect'])} on as "
        "many events."
    )


def _half_resolution(results: Mapping[str, Any]) -> str:
    if not results.get("half_resolution"):
        return "Not measured."
    halves = {
        HALF_RESOLUTION_MEANING.get(k, plain(k)): half for k, half in results["half_resolution"].items()
    }
    rows = [
        [name, with_error(half["accuracy"]), with_error(half["accuracy_change"])]
        for name, half in halves.items()
    ]
    return as_table(["", "accuracy", "change"], rows)


def _pictures(pictures: Mapping[str, str]) -> str:
    lines = [f"![{plain(caption)}]({quote(path)})" for path, caption in pictures.items()]
    return "\n\n".join(lines) or "None were made."


def _compute(results: Mapping[str, Any]) -> str:
    cost, machine = results["cost"], results["machine"]
    memory = cost["peak_memory"]
    return (
        f"Inference: {with_error(cost['ms_per_event']['total'])} ms per event, of which "
        f"{with_error(cost['ms_per_event']['model'])} ms in the network, in batches of "
        f"{cost['batch_size']} on {plain(machine.get('gpu', machine['processor']))} "
        f"({machine['threads']} CPU threads); peak memory {memory['mib']:,.0f} MiB "
        f"({memory['counts']})."
    )


def picture_captions(names: Sequence[str]) -> dict[str, str]:
    """Captions of the pictures that evaluation makes, by file stem; others are named as they are."""
    known = {
        "confusion": "Confusion matrices",
        "roc": "ROC curve of each class against the others",
        "confidence": "Confidence of right and wrong answers",
        "reliability": "Reliability before and after temperature scaling",
        "energy": "Efficiency and purity against neutrino energy",
    }
    return {name: known.get(name, name.replace("_", " ")) for name in names}
