"""Answers of a linear probe of events: those of a classifier, of which the macro AUC counts first."""

from __future__ import annotations

from nuzoo.evaluation.tasks.event_classification.answers import ClassAnswerReader
from nuzoo.evaluation.tasks.event_classification.results import OVERALL

FIRST = "macro_auc"

ANSWERS = ClassAnswerReader({FIRST: OVERALL[FIRST]} | OVERALL)
