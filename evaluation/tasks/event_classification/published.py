"""Numbers that others published, kept beside ours and labelled as theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from nuzoo.evaluation.core.results import DatasetFacts
from nuzoo.files.events.event_truth import SIMULATED_PREFIX

PAPER = "arXiv:2509.08461v4"
SOURCE = f"{PAPER} (12 May 2026)"

WHAT_DIFFERS = (
    "Their 190,000 events are GENIE 3.0.6 and Geant4 simulation, ours are those named at the top "
    "of this report: the numbers describe different samples and are not a like-for-like "
    "comparison. They give no errors and do not state how precision, recall and AUC are averaged "
    "over classes (ours are unweighted means). They publish no ROC, precision or recall code. "
    "Their CNN code uses the same 5 % of events for early stopping and for testing. Their half "
    "resolution down-samples the image; their language model and vision transformer resize it "
    "back, so that objects keep their size, while their CNN sees objects half as large. For that "
    "CNN the text says 0.49 (AUC 0.72) where the table says 0.43 (0.70)."
)

DETECTOR = "modular-2x2x7"
"""Ours that is like the one of the source."""

SIMULATION = "GENIE 3.0.6 and Geant4"
NOT_STATED = "not stated"


class Performance(NamedTuple):
    """Fractions; the averaging over classes is not stated."""

    accuracy: float
    precision: float
    recall: float
    auc: float


@dataclass(frozen=True)
class PublishedClassifier:
    """A column of the source's tables.

    Attributes:
        name: The model, in the source's words.
        model_type: Ours that it is compared with.
        full: At full resolution.
        half: With down-sampled images.
        half_like: Ours that `half` is nearest to: "image" (the image is down-sampled; our vision-language
            model's processor, as theirs, resizes it back, our CNN, as theirs, sees objects half as large),
            "energy" if theirs resizes it back and ours of this type does not.
        trainable_parameters: In millions.
        parameters: In millions.
        regime: How it was trained.
        training_machine: What it was trained on; the machine of time and memory is not stated.
        ms_per_event: Their hardware.
        memory_gb: At inference, their hardware.
        training_events: In the training sample.
    """

    name: str
    model_type: str
    full: Performance
    half: Performance
    half_like: str
    trainable_parameters: float
    parameters: float
    regime: str
    training_machine: str
    ms_per_event: float
    memory_gb: float
    training_events: int = 190_000


LARTPC_CLASSIFIERS = (
    PublishedClassifier(
        name="LLaMA-3.2-Vision (QLoRA)",
        model_type="nu_vlm",
        full=Performance(0.87, 0.87, 0.87, 0.96),
        half=Performance(0.85, 0.85, 0.85, 0.95),
        half_like="image",
        trainable_parameters=29.5,
        parameters=11_000,
        regime="LoRA, 4-bit base, 1 epoch",
        training_machine="4 NVIDIA A6000",
        ms_per_event=3412,
        memory_gb=12.91,
    ),
    PublishedClassifier(
        name="ViT-H/14",
        model_type="nu_vit",
        full=Performance(0.86, 0.86, 0.85, 0.96),
        half=Performance(0.85, 0.85, 0.85, 0.96),
        half_like="energy",
        trainable_parameters=632,
        parameters=632,
        regime="full fine-tuning, 10 epochs",
        training_machine="8 NVIDIA A5000",
        ms_per_event=299.1,
        memory_gb=2.56,
    ),
    PublishedClassifier(
        name="CNN (SE-ResNet)",
        model_type="nu_cnn",
        full=Performance(0.80, 0.80, 0.79, 0.94),
        half=Performance(0.43, 0.40, 0.41, 0.70),
        half_like="image",
        trainable_parameters=21.7,
        parameters=21.7,
        regime="full training, 300 epochs",
        training_machine="1 NVIDIA A6000",
        ms_per_event=23.9,
        memory_gb=2.44,
    ),
)

REMARKS = {
    "The text of the source says 0.97 where its Table 1 says 0.96; the curves of its Figure 8 have areas "
    "of 0.97, 0.97 and 0.95.": ("auc", ("nu_vlm", "nu_vit")),
    "The text of the source says 0.72 where its Table 1 says 0.94; the curves of its Figure 8 have areas "
    "of 0.95, 0.95 and 0.91.": ("auc", ("nu_cnn",)),
    "The text of the source says 0.49 for accuracy, precision and recall, and 0.72 for the AUC, where "
    "its Table 2 says 0.43, 0.4, 0.41 and 0.70.": ("half", ("nu_cnn",)),
    "The source gives one kind of half resolution, images of 256 × 256 pixels. Its language model "
    "resizes them back, and so does ours by image. So does its vision transformer, while ours does not: "
    "objects keep their size as in ours by energy. Its CNN sees objects half as large, as ours "
    "by image.": ("half", ("nu_vlm", "nu_vit", "nu_cnn")),
    "Stated for the language model only, and again for the whole data set, of which 5 % (10,000 events) "
    "are for testing.": ("training_events", ("nu_vlm", "nu_vit", "nu_cnn")),
    "Training stops early when the loss on the validation events has not improved for 10 epochs.": (
        "regime",
        ("nu_cnn",),
    ),
    "12.9 GB for about 10.7 billion parameters means weights of 4 or 8 bit, while the inference code "
    "that belongs to the source loads 16 bit (21 GB): the memory is that "
    "of another program.": ("memory_gb", ("nu_vlm",)),
}
"""What a reader of a published number should know; the number's field, and the classifiers that it is of."""


def is_like_published(dataset: DatasetFacts) -> bool:
    """Say whether events are our simulation of the detector that the published numbers are of."""
    are_ours = all(source.startswith(SIMULATED_PREFIX) for source in dataset.sources)
    return are_ours and bool(dataset.sources) and dataset.detectors == [DETECTOR]
