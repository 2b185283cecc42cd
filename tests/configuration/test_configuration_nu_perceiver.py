import pytest
from huggingface_hub.errors import StrictDataclassError

from nuzoo.configuration.configuration_nu_perceiver import NuPerceiverConfig


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
