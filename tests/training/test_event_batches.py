import pytest
from datasets import Dataset

from nuzoo.files.events.event_errors import RangeError
from nuzoo.processors.detector_events.feature_extraction_nu_detector_event import (
    NuDetectorEventFeatureExtractor,
)
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.training.event_batches import EventBatches, event_columns
from tests.evaluation.point_cloud_rows import small_row


@pytest.mark.parametrize("name", ["sim-1-3", None])
def test_a_wrong_event_is_named_whichever_batch_it_is_in(name):
    rows = Dataset.from_list([small_row(event_id=f"sim-1-{number}") for number in range(5)])
    wrong = Dataset.from_list([small_row(event_id="sim-1-3", energy=[1.0, -2.0, 0.5, 4.0])])
    rows = Dataset.from_list([*rows.select(range(3)), *wrong, rows[4]])
    batches = EventBatches(
        rows if name else rows.remove_columns("event_id"), NuPointCloudFeatureExtractor(), ("motif",)
    )
    assert len(batches.__getitems__([4, 1])["labels"]) == 8
    with pytest.raises(RangeError, match=f"column 'energy' of event {name or 3}: expected at least 0 MeV"):
        batches.__getitems__([4, 1, 3])


def test_what_a_detector_counts_beside_its_hits_is_read():
    processor = NuDetectorEventFeatureExtractor.tiny(None)
    row = {name: list(value) for name, value in processor.example_events(1)[0].items()}
    rows = Dataset.from_list([row | {"muon_count": 7, "muon_n_points": []}])
    found = event_columns(rows, processor, ("flavour",))
    assert {"ecal_energy", "muon_count", "muon_n_points", "cal_x", "muon_px"} <= set(found)
    assert set(found) <= set(rows.column_names)
