import pytest
from huggingface_hub.errors import StrictDataclassError

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.files.events.point_cloud_events import MOTIFS, PARTICLE_TYPES


def test_numbers_of_a_point_are_those_of_all_stages_or_of_the_decoder():
    """arXiv 2512.01324: 48 + 96 + 192 + 384 + 512 of the encoder, 64 of the decoder."""
    assert NuPointConfig().feature_size == 1232
    assert NuPointConfig(readout="decoder").feature_size == 64


def test_points_skip_blocks_ever_more_often_along_the_encoder():
    ramp = [rate for stage in NuPointConfig().encoder_drop_paths for rate in stage]
    assert ramp[0] == 0
    assert ramp[-1] == pytest.approx(0.3)
    assert len(ramp) == 21
    assert ramp == sorted(ramp)
    down = [rate for stage in reversed(NuPointConfig().decoder_drop_paths) for rate in stage]
    assert down == sorted(down, reverse=True)
    assert down[0] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("fields", "classes"),
    [
        ({}, MOTIFS),
        ({"target": "pid"}, PARTICLE_TYPES),
        ({"instances": "interaction"}, ("none", "interaction")),
        ({"id2label": {0: "track", 1: "shower"}}, ("track", "shower")),
    ],
)
def test_classes_are_those_of_the_truth_that_is_learnt(fields, classes):
    config = NuPointConfig(**fields)
    assert config.id2label == dict(enumerate(classes))
    assert config.label2id == {name: number for number, name in enumerate(classes)}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"encoder_depths": (3, 3)}, "one entry per stage"),
        ({"encoder_channels": (48, 96, 192, 384, 500)}, "multiples of 16"),
        ({"curves": ()}, "expected one at least"),
        ({"serialization_bits": 3}, "from 5, the stages, to 16"),
        ({"grid_shape": (768, 768, 70000)}, "does not fit into 14 bits"),
        ({"drop_path_rate": 1.0}, "from 0 to below 1"),
        ({"target": "charge"}, "target"),
    ],
)
def test_sizes_that_make_no_network_are_refused(fields, told):
    with pytest.raises(StrictDataclassError, match=told):
        NuPointConfig(**fields)
