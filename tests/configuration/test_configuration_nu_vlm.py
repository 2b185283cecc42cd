import pytest
from huggingface_hub.errors import StrictDataclassClassValidationError

from nuzoo.configuration.configuration_nu_vlm import NuVlmConfig


def test_default_is_the_model_of_the_paper():
    config = NuVlmConfig()
    assert config.base_model == "meta-llama/Llama-3.2-11B-Vision-Instruct"
    assert config.base_config.vision_config.image_size == 560
    assert config.base_config.text_config.cross_attention_layers == [3, 8, 13, 18, 23, 28, 33, 38]


def test_base_is_read_back(tmp_path):
    config = NuVlmConfig.tiny(quantization="nf4", base_revision="abc")
    config.save_pretrained(tmp_path)
    loaded = NuVlmConfig.from_pretrained(tmp_path)
    assert loaded.to_dict() == config.to_dict()
    assert type(loaded.base_config) is type(config.base_config)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"label_token_ids": [[1, 2], [1, 2, 3], [4]]}, "nue_cc begins that of numu_cc"),
        ({"label_token_ids": [[1], [2], [1]]}, "nue_cc begins that of nc"),
        ({"label_token_ids": [[1, 2]]}, "tokens of 3 labels"),
        ({"label_token_ids": [[1], [], [2]]}, "tokens of 3 labels"),
        ({"base_config": {"model_type": "llama"}}, "takes images and text, got 'llama'"),
        ({"num_views": 4}, "num_views"),
        ({"label_token_ids": [[1], [2], [9999]]}, "from 0 to 511"),
        ({"label_token_ids": [[1], [2], [-1]]}, "from 0 to 511"),
        ({"base_config": {"model_type": "nope"}}, "name a model_type"),
        ({"base_config": {}}, "name a model_type"),
    ],
)
def test_what_cannot_be_is_refused(fields, message):
    with pytest.raises((StrictDataclassClassValidationError, ValueError), match=message):
        NuVlmConfig.tiny(**fields)
