"""The classes are listed twice: networks must not know of datasets, nor datasets of networks."""

from nuzoo.configuration.event_classifier_config import EVENT_LABELS
from nuzoo.datasets_scripts.pixel_map_rows import LABELS


def test_networks_and_datasets_number_the_classes_alike():
    assert EVENT_LABELS == LABELS
