import pytest
from huggingface_hub.errors import (
    StrictDataclassClassValidationError,
    StrictDataclassFieldValidationError,
)

from nuzoo.configuration.config_errors import ConfigError
from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.configuration.configuration_nu_point_mae import NuPointMaeConfig
from nuzoo.configuration.configuration_nu_unet import NuUnetConfig


@pytest.mark.parametrize("kind", [NuPointConfig, NuPointMaeConfig, NuUnetConfig])
def test_hit_classifiers_share_their_fields(kind):
    assert list(kind().id2label.values()) == ["shower", "track", "michel", "delta", "led"]
    assert kind(target="pid").id2label[4] == "proton"
    assert list(kind(target="role").id2label.values()) == ["primary", "michel", "delta", "other"]
    with pytest.raises(StrictDataclassFieldValidationError, match="target"):
        kind(target="rôle")
    assert kind(target="pid", num_labels=3).num_labels == 3
    with pytest.raises(StrictDataclassClassValidationError, match="lovasz_weight"):
        kind(lovasz_weight=-0.1)
    assert kind(class_weights=[1.0, 2.0], num_labels=2).loss_settings["class_weights"] == [1.0, 2.0]
    for weights in ([1.0] * 4, [1.0, 1.0, 1.0, 1.0, 0.0]):
        with pytest.raises(StrictDataclassClassValidationError, match="class_weights must be 5 numbers"):
            kind(class_weights=weights)
    with pytest.raises(StrictDataclassClassValidationError, match="focal_gamma"):
        kind(focal_gamma=-1.0)
    with pytest.raises(ConfigError, match="target 'motif', whose classes id2label names, got 'pid'"):
        kind(target="pid", id2label=dict(kind().id2label)).check_target()
    with pytest.raises(ConfigError, match="problem_type"):
        kind(problem_type="regression")
