import pytest
from huggingface_hub.errors import StrictDataclassError

from nuzoo.configuration.configuration_nu_point_mae import NuPointMaeConfig


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"hidden_size": 100}, "multiple of num_attention_heads"),
        ({"decoder_layers": 0}, "at least 1"),
        ({"embedding_size": 33}, "even"),
        ({"feature_layers": (3, 12)}, "from 0 to 11"),
        ({"feature_layers": (3, 7)}, "hold the last block, 11"),
        ({"group_radius": 1.0}, "above 1 cell"),
        ({"overlap": 1.5}, "at most 1"),
        ({"ball_points": 31}, "at least group_points"),
        ({"mask_ratio": 1.0}, "mask_ratio"),
        ({"head_dropout": 1.0}, "head_dropout"),
        ({"norm_over": "layer"}, "norm_over"),
    ],
)
def test_sizes_that_make_no_network_are_refused(fields, told):
    with pytest.raises(StrictDataclassError, match=told):
        NuPointMaeConfig(**fields)


def test_results_of_an_event_are_its_own_by_default():
    """What released weights need has to be asked for."""
    config = NuPointMaeConfig()
    assert config.norm_over == "token" and not config.pool_padding
