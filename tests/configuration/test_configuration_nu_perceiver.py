import pytest
from huggingface_hub.errors import StrictDataclassError

from nuzoo.configuration.configuration_nu_perceiver import NuPerceiverConfig
from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.files.events.detector_event_columns import CHARM_CLASSES, FLAVOURS


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"hidden_size": 100}, "multiple of num_attention_heads"),
        ({"class_tokens": 0}, "at least 1"),
        ({"cal_patch": (12, 12, 7)}, "divide .48, 48, 20."),
        ({"ahcal_patch": (6, 6)}, "3 whole numbers that divide .18, 18, 40."),
        ({"cal_shape": (48, 48, 190)}, "layers_per_module must divide"),
        ({"ecal_shape": (5, 5, 5)}, "ecal_shape must be 2 whole numbers"),
        ({"drop_path_rate": 1.0}, "drop_path_rate"),
        ({"muon_features": 0}, "muon_features"),
        ({"head_dropout": 1.0}, "head_dropout must be from 0 to below 1"),
        ({"label_smoothing": -0.1}, "label_smoothing must be from 0 to below 1"),
        ({"charm_classes": ("none",)}, "charm_classes must be at least 2 names"),
        ({"charm_classes": ("none", "none")}, "none"),
        ({"evidential": "mll"}, "label_smoothing must be 0 beside evidential, .* got 0.02: set it to 0"),
        ({"evidential": "beta", "label_smoothing": 0.0}, "evidential"),
        ({"charm_temperature": 0.0}, "charm_temperature must be from"),
    ],
)
def test_sizes_that_make_no_network_are_refused(fields, told):
    with pytest.raises(StrictDataclassError, match=told):
        NuPerceiverConfig(**fields)


def test_blocks_are_skipped_as_published():
    """12 stages from 0 to 0.2; what reads other tokens has half of it, and the first of these nothing."""
    step = 0.2 / 11
    paths = NuPerceiverConfig(drop_path_rate=0.2).drop_paths
    assert paths.cal == paths.ahcal == pytest.approx([0, step, 2 * step, 3 * step])
    assert paths.muon == pytest.approx(step)
    assert paths.reads == pytest.approx([0, 3 * step, 4 * step, 5 * step])
    assert paths.latents == pytest.approx([5 * step, 7 * step, 9 * step, 11 * step])
    uneven = NuPerceiverConfig(drop_path_rate=0.2, num_ahcal_layers=2).drop_paths
    assert uneven.ahcal == pytest.approx([0, 2 * step])


def test_classes_are_those_of_fasercal_by_the_column_that_counts_them():
    config = NuPerceiverConfig()
    assert class_names_of(config) == class_names_of(config, "flavour") == list(FLAVOURS)
    assert class_names_of(config, "charm") == list(CHARM_CLASSES)
    assert class_names_of(NuPerceiverConfig(charm_classes=("no", "yes")), "charm") == ["no", "yes"]
