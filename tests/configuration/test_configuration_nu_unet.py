import pytest
from huggingface_hub.errors import StrictDataclassClassValidationError

from nuzoo.configuration.configuration_nu_unet import NuUnetConfig


def test_widths_rise_in_steps():
    assert NuUnetConfig().channels == [32, 64, 96, 128, 160]


@pytest.mark.parametrize(
    ("field", "value"), [("depth", 0), ("depth", 17), ("filters", 0), ("batch_norm_momentum", 0.0)]
)
def test_sizes_of_no_network_are_refused(field, value):
    with pytest.raises(StrictDataclassClassValidationError, match=field):
        NuUnetConfig(**{field: value})
