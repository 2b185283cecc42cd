import pytest
from huggingface_hub.errors import (
    StrictDataclassClassValidationError,
    StrictDataclassFieldValidationError,
)

from nuzoo.configuration.configuration_nu_vit import NuVitConfig


def test_default_is_the_papers_vit_h14():
    config = NuVitConfig()
    assert (config.patch_size, config.hidden_size, config.intermediate_size) == (14, 1280, 5120)
    assert (config.num_hidden_layers, config.num_attention_heads) == (32, 16)
    assert (config.num_views, config.fusion) == (2, "channels")
    assert config.image_size == [518, 518]
    assert config.grid == (37, 37)
    assert config.id2label == {0: "nue_cc", 1: "numu_cc", 2: "nc"}
    assert NuVitConfig.huge().to_dict() == config.to_dict()


def test_presets_have_the_sizes_of_timms():
    small = NuVitConfig.small()
    sizes = (small.patch_size, small.hidden_size, small.num_hidden_layers, small.num_attention_heads)
    assert sizes == (16, 384, 12, 6)
    assert NuVitConfig.tiny(hidden_size=64).hidden_size == 64


def test_views_are_channels_of_one_image_or_images_of_one_channel():
    channels, concat = (NuVitConfig.tiny(num_views=3, fusion=fusion) for fusion in ("channels", "concat"))
    assert (channels.images_per_event, channels.channels_per_image) == (1, 3)
    assert (concat.images_per_event, concat.channels_per_image) == (3, 1)


def test_file_round_trip_keeps_every_field(tmp_path):
    config = NuVitConfig.tiny(
        num_views=3, fusion="concat", image_size=(64, 32), timm_backbone="vit_tiny", temperature=1.7
    )
    config.save_pretrained(tmp_path)
    loaded = NuVitConfig.from_pretrained(tmp_path)
    assert loaded.to_diff_dict() == config.to_diff_dict()
    assert (loaded.fusion, loaded.grid, loaded.timm_backbone) == ("concat", (4, 2), "vit_tiny")


@pytest.mark.parametrize(
    "fields",
    [
        {"num_views": 0},
        {"num_views": 4},
        {"image_size": 60},
        {"image_size": [64, 60]},
        {"image_size": [64, 64, 64]},
        {"image_size": 0},
        {"patch_size": 0},
        {"num_hidden_layers": 0},
        {"num_attention_heads": 3},
        {"mlp_ratio": 0.0},
        {"temperature": 0.0},
    ],
)
def test_impossible_sizes_are_refused(fields):
    with pytest.raises(StrictDataclassClassValidationError):
        NuVitConfig.tiny(**fields)


def test_size_that_patches_do_not_tile_says_how_to_pad():
    with pytest.raises(StrictDataclassClassValidationError, match="pad_to_multiple=14"):
        NuVitConfig(image_size=512)


@pytest.mark.parametrize("fields", [{"fusion": "sum"}, {"patch_size": "8"}, {"image_size": "64"}])
def test_a_field_of_the_wrong_type_is_refused(fields):
    with pytest.raises(StrictDataclassFieldValidationError, match=next(iter(fields))):
        NuVitConfig.tiny(**fields)
