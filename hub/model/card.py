"""The card of a model, made from measured results, its configuration and its processor."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, EvalResultEntry, ModelCardData
from transformers import PreTrainedConfig, PreTrainedModel

from nuzoo.evaluation.core.evaluator import Headline
from nuzoo.evaluation.core.provenance import SIMULATION_TAG
from nuzoo.evaluation.core.results import Estimate
from nuzoo.evaluation.core.text import with_error
from nuzoo.files.plain_text import plain
from nuzoo.hub.cards import fill_template
from nuzoo.hub.model.files import auto_class_of
from nuzoo.hub.model.report import Report
from nuzoo.hub.pinned import Pinned
from nuzoo.processors.contract import EventProcessor

BASE = "model.md"
TAGS = ["neutrino", "particle-physics", "physics", "nuzoo"]
LIBRARIES = ("transformers", "datasets", "torch")

CITATION = """```bibtex
@software{nuzoo,
  author = {{The nuzoo authors}},
  title = {nuzoo: a Hugging Face Hub-native model zoo for neutrino detectors},
  license = {Apache-2.0}
}
```"""


@dataclass(frozen=True)
class Publication:
    """A model and all that its repository says of it.

    Attributes:
        name: Of the repository, "organisation/model".
        model: The network.
        processor: Its fitted processor.
        report: What was measured.
        of_task: What its task says on the card.
        dataset: That it was trained and measured on.
        training: Facts about the training: recipe, events, epochs, machine, time.
        events: Facts about the events of training and measurement: numbers, splits, energies.
        arguments: Every setting of the training, for `training_args.json`.
        base: The network, if the model is an adapter.
        licence: Hub identifier of the licence.
        citation: Markdown.
        bundled: It comes with the package, without code.
        beside: Folder of the network that a bundled adapter is for, which goes along.
        others: What was measured on other samples.
        training_events: File that tells the events that it was trained on, if it is there.
        benchmark: Folder of the results of a benchmark, and the repository of its leaderboard.
    """

    name: str
    model: PreTrainedModel
    processor: EventProcessor
    report: Report
    of_task: Mapping[str, Any]
    dataset: Pinned
    training: Mapping[str, object]
    events: Mapping[str, object]
    arguments: Mapping[str, Any] | None = None
    base: Pinned | None = None
    licence: str = "apache-2.0"
    citation: str = CITATION
    bundled: bool = False
    beside: Path | None = None
    others: Sequence[Report] = ()
    training_events: Path | None = None
    benchmark: tuple[Path, Pinned] | None = None

    @property
    def headline(self) -> list[Headline]:
        """The numbers that stand for the evaluation."""
        return self.report.evaluator.headline(self.report.results)


def model_card(published: Publication, pictures: list[str], *, adapter_alone: bool) -> str:
    """Write a card, with `model-index`.

    Args:
        published: The model.
        pictures: Their paths in the repository.
        adapter_alone: The repository holds an adapter for PEFT and no configuration of a network.

    Raises:
        IncompleteCardError: A template needs a value that there is not.
    """
    task, results, base = published.report.task, published.report.results, published.base
    dataset = results.dataset
    captions = published.of_task.get("captions", {})
    stems = [Path(name).stem for name in pictures]
    data = ModelCardData(
        library_name="peft" if adapter_alone else "transformers",
        pipeline_tag=task.pipeline_tag,
        license=published.licence,
        datasets=[published.dataset.repo_id],
        metrics=list(dict.fromkeys(number.metric for number in published.headline)),
        tags=[*TAGS, results.model.model_type],
        model_name=published.name.rpartition("/")[2],
        eval_results=list(_model_index(published)),
        base_model=base.repo_id if base and not published.bundled else None,
    )
    if data.base_model:
        data["base_model_relation"] = "adapter"
    split = "every labelled event of the dataset"
    if dataset.split not in (None, "all"):
        split = f"the {plain(dataset.split)} split"
    return fill_template(
        f"tasks/{task.card}" if task.card and not Path(task.card).is_absolute() else task.card or BASE,
        card_data=data.to_yaml(),
        name=published.name,
        task=task,
        config=published.model.config,
        processor=published.processor,
        auto_class=auto_class_of(published.model),
        results=results,
        headline=published.headline,
        others=[(other.results, other.evaluator.headline(other.results)) for other in published.others],
        base=base,
        bundled=published.bundled,
        dataset=published.dataset,
        training=published.training,
        event_facts=published.events,
        split=split,
        sample=plain(dataset.sample),
        events=f"{dataset.events:,}",
        is_simulated=dataset.sample == SIMULATION_TAG,
        parameters=f"{results.model.parameters:,}",
        needed=_needed(results.model.quantisation, base),
        pictures={
            name: captions.get(stem, stem.replace("_", " "))
            for name, stem in zip(pictures, stems, strict=True)
        },
        licence=published.licence,
        citation=published.citation,
        **description_of(published.model),
        **published.of_task,
    )


def eval_result_entries(published: Publication) -> list[EvalResultEntry]:
    """Give an entry of `.eval_results` for each headline number, errors in their notes."""
    dataset = published.report.results.dataset
    split = f"{dataset.split} split, " if dataset.split else ""
    sample = f"{split}{dataset.events} events, {' '.join(dataset.sample.split())}"
    return [
        EvalResultEntry(
            dataset_id=published.dataset.repo_id,
            task_id=number.key,
            value=number.value,
            dataset_revision=published.dataset.revision,
            date=published.report.results.created,
            notes=f"{with_error(Estimate(value=number.value, error=number.error))}, {sample}",
        )
        for number in published.headline
    ]


def _model_index(published: Publication) -> Iterator[EvalResult]:
    task, dataset = published.report.task, published.dataset
    for number in published.headline:
        yield EvalResult(
            task_type=task.pipeline_tag,
            task_name=f"Neutrino {task.name.replace('-', ' ')}",
            dataset_type=dataset.repo_id,
            dataset_name=dataset.repo_id,
            dataset_split=published.report.results.dataset.split,
            dataset_revision=dataset.revision,
            metric_type=number.metric,
            metric_name=f"{number.title} (standard error {number.error or 0:.2g})",
            metric_value=number.value,
        )


def description_of(model: PreTrainedModel) -> dict[str, Any]:
    """Say what the network is: the text of its configuration class up to the list of arguments.

    Its first paragraph is true of every size; the rest is of the default one. `sizes` are the settings that
    are other than there, as far as they can be sizes (fractions and statistics are none), of what the
    network has.
    """
    config: Any = model.config
    kind = type(config)
    documentation = inspect.getdoc(kind) or f"A network of type `{config.model_type}`."
    text = documentation.partition("\nArgs:")[0].strip()
    default, ours = kind().to_dict(), config.to_dict()
    of_any = {each.name for each in fields(PreTrainedConfig)}
    modules = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    of_others = {
        name for module, names in kind.fields_of_modules.items() if module not in modules for name in names
    }
    own = [each.name for each in fields(kind) if each.name not in of_any | of_others]
    sizes = [
        f"`{name}` {ours[name]}" for name in own if ours[name] != default[name] and _may_be_size(ours[name])
    ]
    return {"documentation": text, "summary": text.partition("\n\n")[0], "sizes": sizes}


def _may_be_size(value: Any) -> bool:
    parts = value if isinstance(value, list) else [value]
    return not any(isinstance(part, float | dict) for part in parts)


def _needed(quantisation: str | None, base: Pinned | None) -> str:
    """Name the packages that loading needs, for people."""
    *first, last = [*(["bitsandbytes"] if quantisation else []), *(["peft"] if base else []), *LIBRARIES]
    return f"{', '.join(first)} and {last}"
