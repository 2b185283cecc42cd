import json

import pytest
from huggingface_hub.errors import (
    StrictDataclassClassValidationError,
    StrictDataclassFieldValidationError,
)

from nuzoo.configuration.config_errors import ConfigError, ModelTypeError, UnknownConfigKeyError
from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.files.errors import FormatVersionError


def test_default_is_the_published_network():
    config = NuCnnConfig()
    assert (config.num_views, config.shared_branches) == (2, False)
    assert (config.stage_channels, config.stage_depths) == ([128, 256, 512], [4, 6, 3])
    assert config.stage_strides == [2, 2, 2]
    assert config.id2label == {0: "nue_cc", 1: "numu_cc", 2: "nc"}
    assert config.label2id == {"nue_cc": 0, "numu_cc": 1, "nc": 2}


def test_file_round_trip_keeps_every_field(tmp_path):
    config = NuCnnConfig.small(num_views=3, temperature=1.7, id2label={0: "a", 1: "b"})
    config.save_pretrained(tmp_path)
    loaded = NuCnnConfig.from_pretrained(tmp_path)
    assert loaded.to_diff_dict() == config.to_diff_dict()
    assert loaded.label2id == {"a": 0, "b": 1}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"num_view": 3}, UnknownConfigKeyError),
        ({"hidden_size": 64}, UnknownConfigKeyError),
        ({"model_type": "resnet"}, ModelTypeError),
        ({"format_version": 2}, FormatVersionError),
    ],
)
def test_file_with_a_wrong_key_is_refused(tmp_path, change, error):
    NuCnnConfig.tiny().save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(error) as raised:
        NuCnnConfig.from_pretrained(tmp_path)
    assert isinstance(raised.value, ConfigError | FormatVersionError)
    assert str(next(iter(change.values()))) in str(raised.value) or next(iter(change)) in str(raised.value)


def test_keys_that_transformers_and_the_hub_write_pass():
    config = NuCnnConfig.tiny(
        auto_map={"AutoConfig": "configuration_nu_cnn.NuCnnConfig"},
        custom_pipelines={},
        architectures=["NuCnnModel"],
        transformers_version="5.0.0",
        torch_dtype="float32",
        _name_or_path="org/nu-cnn",
    )
    assert config.auto_map["AutoConfig"] == "configuration_nu_cnn.NuCnnConfig"


def test_another_number_of_classes_gets_neutral_names():
    assert NuCnnConfig(num_labels=4).id2label == {i: f"LABEL_{i}" for i in range(4)}


def test_a_field_of_the_wrong_type_is_refused():
    with pytest.raises(StrictDataclassFieldValidationError, match="num_views"):
        NuCnnConfig(num_views="two")


@pytest.mark.parametrize(
    "fields",
    [
        {"num_views": 0},
        {"num_views": 4},
        {"stage_depths": [4, 6]},
        {"branch_channels": 0},
        {"temperature": 0.0},
        {"id2label": {0: "nue_cc", 1: "label"}},
        {"id2label": {0: "nue_cc", 1: "NueCC"}},
        {"id2label": {0: "nue_cc", 2: "nc"}},
        {"id2label": {1: "nue_cc", 2: "nc"}},
    ],
)
def test_impossible_sizes_are_refused(fields):
    with pytest.raises(StrictDataclassClassValidationError):
        NuCnnConfig(**fields)
