"""Weights of bundled models: half the bytes, loaded as they were but for the rounding."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageClassification

from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.hub.errors import UnpublishableContentError
from nuzoo.hub.model.half_weights import halve_weights
from nuzoo.modeling.modeling_nu_cnn import NuCnnForEventClassification


def test_a_network_of_half_the_bytes_is_loaded_in_single_precision(tmp_path):
    model = NuCnnForEventClassification(NuCnnConfig.tiny())
    model.save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    size = file.stat().st_size
    halve_weights(tmp_path)
    first = file.read_bytes()
    assert len(first) < 0.6 * size
    loaded = AutoModelForImageClassification.from_pretrained(tmp_path)
    for name, weight in model.state_dict().items():
        got = loaded.state_dict()[name]
        assert got.dtype == weight.dtype
        torch.testing.assert_close(got, weight, rtol=2**-11, atol=2**-25)
    loaded.save_pretrained(tmp_path)
    halve_weights(tmp_path)
    assert load_file(file).keys() == model.state_dict().keys()
    assert file.read_bytes() == first


def test_weights_that_do_not_fit_are_refused_and_kept(tmp_path):
    file = tmp_path / "model.safetensors"
    save_file({"large": torch.tensor([1e5])}, file)
    before = file.read_bytes()
    with pytest.raises(UnpublishableContentError, match="large: expected weights up to 65504"):
        halve_weights(tmp_path)
    assert file.read_bytes() == before
    halve_weights(tmp_path / "none")
