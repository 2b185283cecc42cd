"""What a configuration is given: known and kept, or refused by name; what it saves, it loads."""

import copy

import pytest
from transformers import AutoConfig

from nuzoo import NuCnnConfig, NuVitConfig
from nuzoo.configuration.config_errors import ConfigError, UnknownConfigKeyError


@pytest.fixture(params=[NuCnnConfig, NuVitConfig])
def config(request):
    return request.param.tiny()


def test_attribute_of_a_tool_is_saved_and_loaded(config, tmp_path):
    config.finetuning_task = "mine"
    config.use_cache = False
    config.save_pretrained(tmp_path)
    loaded = AutoConfig.from_pretrained(tmp_path)
    assert (loaded.finetuning_task, loaded.use_cache) == ("mine", False)
    for again in (
        copy.deepcopy(config),
        type(config)(**config.to_dict()),
        type(config).from_dict(config.to_dict()),
    ):
        assert again.finetuning_task == "mine"


def test_configuration_without_attributes_is_saved_as_ever(config):
    assert "other_attributes" not in config.to_dict()


def test_misspelt_field_is_refused_where_it_is_set(config):
    with pytest.raises(UnknownConfigKeyError, match="no field 'temprature': did you mean 'temperature'"):
        config.temprature = 2.0


def test_unknown_argument_of_loading_is_refused(config, tmp_path):
    config.save_pretrained(tmp_path)
    with pytest.raises(UnknownConfigKeyError, match="no field 'num_viws': did you mean 'num_views'"):
        AutoConfig.from_pretrained(tmp_path, num_viws=3)
    with pytest.raises(UnknownConfigKeyError, match="no field 'colour'"):
        type(config).from_pretrained(tmp_path, colour="red")
    loaded, unused = type(config).from_pretrained(
        tmp_path, temperature=2.0, colour=1, return_unused_kwargs=True
    )
    assert (loaded.temperature, unused) == (2.0, {"colour": 1})


@pytest.mark.parametrize(
    "field",
    [
        {"problem_type": "regression"},
        {"problem_type": "multi_label_classification"},
        {"is_encoder_decoder": True},
    ],
)
def test_field_without_effect_is_refused(config, field):
    name, value = next(iter(field.items()))
    with pytest.raises(ConfigError, match=f"expected {name} to be .* got {value!r}"):
        type(config).tiny(**field)
    with pytest.raises(ConfigError, match=name):
        setattr(config, name, value)


def test_the_problem_that_it_solves_may_be_named(config):
    assert type(config).tiny(problem_type="single_label_classification").problem_type


def test_attentions_are_refused_of_a_network_without():
    with pytest.raises(ConfigError, match="output_attentions"):
        NuCnnConfig.tiny(output_attentions=True)
