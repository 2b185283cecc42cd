"""Numbers that others published, kept beside ours and labelled as theirs."""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "arXiv:2509.08461v4 (12 May 2026)"

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


@dataclass(frozen=True)
class PublishedClassifier:
    """A row of the source's tables.

    Attributes:
        name: The model, in the source's words.
        accuracy: Fraction.
        precision: Averaging not stated.
        recall: Averaging not stated.
        auc: Averaging not stated.
        half_resolution_accuracy: Down-sampled images.
        half_resolution_auc: Down-sampled images.
        trainable_parameters: In millions.
        ms_per_event: Their hardware.
        memory_gb: At inference, their hardware.
    """

    name: str
    accuracy: float
    precision: float
    recall: float
    auc: float
    half_resolution_accuracy: float
    half_resolution_auc: float
    trainable_parameters: float
    ms_per_event: float
    memory_gb: float


LARTPC_CLASSIFIERS = (
    PublishedClassifier("LLaMA-3.2-Vision (QLoRA)", 0.87, 0.87, 0.87, 0.96, 0.85, 0.95, 29.5, 3412, 12.9),
    PublishedClassifier("ViT-H/14", 0.86, 0.86, 0.85, 0.96, 0.85, 0.96, 632, 299, 2.56),
    PublishedClassifier("CNN (SE-ResNet)", 0.80, 0.80, 0.79, 0.94, 0.43, 0.70, 21.7, 23.9, 2.44),
)
