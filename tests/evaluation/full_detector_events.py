"""Detector events with all their truth, as typed rows."""

import numpy as np
from datasets import Dataset, Features, NamedSplit

from nuzoo.datasets_scripts.common.rows import row_features
from tests.processors.test_feature_extraction_nu_detector_event import make_processor, make_row


def detector_rows(events, seed=0, split="train"):
    """Random events of FASERCal; the flavours take turns."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(events):
        row = make_row(rng, hits=60 + 5 * number, tiles=20, tracks=number % 3, true=25)
        row |= {"event_id": f"{split}-{seed}-{number}", "flavour": number % 6, "source": "test"}
        rows.append({name: np.asarray(value).tolist() for name, value in row.items()})
    known = row_features(make_processor().schema)
    features = Features({name: known[name] for name in rows[0]})
    return Dataset.from_list(rows, features=features, split=NamedSplit(split))
