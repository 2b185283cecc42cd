"""A configuration says all that a network is, and nothing that is not so passes."""

import copy
import json
from dataclasses import fields

import pytest
import transformers
from huggingface_hub.errors import StrictDataclassClassValidationError, StrictDataclassFieldValidationError
from transformers import AutoConfig, PreTrainedConfig

from nuzoo.configuration.config_errors import ConfigError, ModelTypeError, UnknownConfigKeyError
from nuzoo.files.errors import FormatVersionError
from nuzoo.registry import import_object


def own_fields(config):
    inherited = {field.name for field in fields(PreTrainedConfig)}
    return [field.name for field in fields(config) if field.name not in inherited]


def rewrite(folder, **keys):
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | keys))


def test_file_round_trip_keeps_every_field(architecture, config, tmp_path):
    config.save_pretrained(tmp_path)
    loaded = AutoConfig.from_pretrained(tmp_path)
    assert type(loaded) is import_object(architecture.config)
    assert loaded.to_diff_dict() == config.to_diff_dict()
    assert {name: getattr(loaded, name) for name in own_fields(config)} == {
        name: getattr(config, name) for name in own_fields(config)
    }


def test_file_is_plain_json_and_says_what_it_is(config, tmp_path):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    config.save_pretrained(tmp_path)
    keys = json.loads((tmp_path / "config.json").read_text(), parse_constant=refuse)
    assert keys["model_type"] == config.model_type
    assert keys["format_version"] == config.latest_format


def test_text_and_dictionary_round_trip(config):
    from_text = type(config).from_dict(json.loads(config.to_json_string()))
    assert from_text.to_dict() == config.to_dict()
    assert type(config).from_dict(config.to_dict()).to_json_string() == config.to_json_string()


def test_subfolder(config, tmp_path):
    config.save_pretrained(tmp_path / "inner")
    loaded = AutoConfig.from_pretrained(tmp_path, subfolder="inner")
    assert loaded.to_diff_dict() == config.to_diff_dict()


def test_unknown_key_is_named(config, tmp_path):
    config.save_pretrained(tmp_path)
    rewrite(tmp_path, lerning_rate=1)
    with pytest.raises(UnknownConfigKeyError, match="lerning_rate"):
        AutoConfig.from_pretrained(tmp_path)
    with pytest.raises(UnknownConfigKeyError, match="lerning_rate"):
        type(config)(lerning_rate=1)


def test_misspelt_field_is_named(config):
    for name in own_fields(config):
        with pytest.raises(UnknownConfigKeyError, match=f"{name}_"):
            type(config)(**{f"{name}_": getattr(config, name)})


def test_numbers_of_classes_that_contradict_their_names_are_refused(config, tmp_path):
    if not config.is_calibrated or not config.id2label:
        pytest.skip("it has no classes")
    config.save_pretrained(tmp_path)
    names = list(config.id2label.values())
    rewrite(tmp_path, label2id={name: number for number, name in enumerate(reversed(names))})
    with pytest.raises(StrictDataclassClassValidationError, match="label2id: expected the numbers"):
        AutoConfig.from_pretrained(tmp_path)


def test_other_names_of_classes_number_them_anew(config, tmp_path):
    if not config.is_calibrated or not config.id2label:
        pytest.skip("it has no classes")
    config.save_pretrained(tmp_path)
    renamed = {number: f"class_{number}" for number in config.id2label}
    loaded = AutoConfig.from_pretrained(tmp_path, id2label=renamed)
    assert loaded.id2label == renamed
    assert loaded.label2id == {name: number for number, name in renamed.items()}


def test_temperature_that_leaves_no_probabilities_is_refused(config):
    for temperature in (0.0, 1e-9, float("inf"), float("nan")) if config.is_calibrated else ():
        with pytest.raises(StrictDataclassClassValidationError, match="temperature must be from"):
            type(config)(temperature=temperature)


def test_later_format_is_refused(config, tmp_path):
    config.save_pretrained(tmp_path)
    rewrite(tmp_path, format_version=config.latest_format + 1)
    with pytest.raises(FormatVersionError, match=str(config.latest_format + 1)):
        AutoConfig.from_pretrained(tmp_path)


def test_file_of_another_architecture_is_refused(config, tmp_path):
    config.save_pretrained(tmp_path)
    rewrite(tmp_path, model_type="bert")
    with pytest.raises(ModelTypeError, match="bert") as caught:
        type(config).from_pretrained(tmp_path)
    assert isinstance(caught.value, ConfigError)


def test_value_of_the_wrong_type_is_named(config):
    numbers = [name for name in own_fields(config) if type(getattr(config, name)) in (int, float)]
    assert numbers
    for name in numbers:
        with pytest.raises(StrictDataclassFieldValidationError, match=name):
            type(config)(**{name: "many"})


def test_truncated_file_is_refused(config, tmp_path):
    config.save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    file.write_text(file.read_text()[:-20])
    with pytest.raises((OSError, ConfigError), match=r"config\.json"):
        type(config).from_pretrained(tmp_path)


def test_defaults_make_a_configuration(architecture):
    default = import_object(architecture.config)()
    assert type(AutoConfig.for_model(architecture.model_type)) is type(default)
    assert default.to_dict() != architecture.tiny_config().to_dict()


def test_classes_follow_the_number_of_labels(architecture, tmp_path):
    config = architecture.tiny_config(num_labels=5)
    assert config.num_labels == len(config.id2label) == 5
    assert config.label2id == {name: index for index, name in config.id2label.items()}
    config.save_pretrained(tmp_path)
    assert AutoConfig.from_pretrained(tmp_path).num_labels == 5


def test_names_of_classes_survive_the_file(architecture, tmp_path):
    names = {0: "numu", 1: "cosmic"}
    architecture.tiny_config(id2label=names).save_pretrained(tmp_path)
    loaded = AutoConfig.from_pretrained(tmp_path)
    assert (loaded.id2label, loaded.num_labels) == (names, 2)
    assert loaded.label2id == {"numu": 0, "cosmic": 1}


def test_deep_copy_is_equal_and_independent(config):
    twin = copy.deepcopy(config)
    assert twin.to_dict() == config.to_dict()
    before = config.to_dict()
    twin.id2label[0] = "changed"
    for name in own_fields(twin):
        if isinstance(getattr(twin, name), list | dict):
            getattr(twin, name).clear()
    assert config.to_dict() == before


def test_configurations_share_no_lists(architecture):
    first, second = architecture.tiny_config(), architecture.tiny_config()
    before = second.to_dict()
    for name in own_fields(first):
        if isinstance(getattr(first, name), list | dict):
            getattr(first, name).clear()
    first.id2label.clear()
    assert second.to_dict() == before == architecture.tiny_config().to_dict()


def test_every_factory_of_transformers_knows_the_type(architecture, config):
    assert config.model_type == architecture.model_type
    assert transformers.CONFIG_MAPPING[architecture.model_type] is type(config)
    for auto_class in architecture.models:
        network = getattr(transformers, auto_class).from_config(config)
        assert type(network) is architecture.model_class(auto_class)
        assert type(network).config_class is type(config)
