import pytest
from huggingface_hub.errors import (
    StrictDataclassClassValidationError,
    StrictDataclassFieldValidationError,
)

from nuzoo.configuration.config_errors import ConfigError
from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.configuration.configuration_nu_unet import NuUnetConfig


@pytest.mark.parametrize("kind", [NuPointConfig, NuUnetConfig])
def test_hit_classifiers_share_their_fields(kind):
    assert list(kind().id2label.values()) == ["shower", "track", "michel", "delta", "led"]
    assert kind(target="pid").id2label[4] == "proton"
    assert list(kind(target="role").id2label.values()) == ["primary", "michel", "delta", "other"]
    with pytest.raises(StrictDataclassFieldValidationError, match="target"):
        kind(target="rôle")
    assert kind(target="pid", num_labels=3).num_labels == 3
    with pytest.raises(StrictDataclassClassValidationError, match="lovasz_weight"):
        kind(lovasz_weight=-0.1)
    with pytest.raises(ConfigError, match="problem_type"):
        kind(problem_type="regression")
