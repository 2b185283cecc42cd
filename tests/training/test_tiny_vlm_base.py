import pytest
from PIL import Image

from nuzoo.modeling.modeling_nu_vlm import NuVlmForEventClassification
from nuzoo.processors.vlm.tiny_base import tiny_tokenizer
from nuzoo.training.recipe import load_recipe
from nuzoo.training.vlm.tiny_pretraining import every_text, tiny_config, tiny_processor

EVERY_TEXT = every_text()


@pytest.fixture(scope="module")
def tokenizer():
    return tiny_tokenizer(EVERY_TEXT)


def tokens(tokenizer, text: str) -> list[int]:
    return tokenizer(text, add_special_tokens=False)["input_ids"]


@pytest.mark.parametrize(
    "text",
    [
        "I classify the pixel maps as NuE CC. A muon track of about 12 GeV leaves the vertex.",
        "Words that no text has, 3.14 times: zebra!",
        " leading and  double spaces ",
    ],
)
def test_texts_survive_the_tokenizer(tokenizer, text):
    assert tokenizer.decode(tokens(tokenizer, text)) == text


def test_electron_and_muon_neutrinos_share_their_first_token(tokenizer):
    prefix = tokens(tokenizer, "I classify the pixel maps as")
    for label, expected in {
        " NuE CC.": [8, 9, 13, 14],
        " NuMu CC.": [8, 10, 13, 14],
        " Neutral Current.": [11, 12, 14],
    }.items():
        assert tokens(tokenizer, f"I classify the pixel maps as{label}") == [*prefix, *expected]


def test_all_that_the_base_reads_is_words_but_for_digits_and_marks(tokenizer):
    for text in EVERY_TEXT:
        pieces = [piece.lstrip("▁") for piece in tokenizer.convert_ids_to_tokens(tokens(tokenizer, text))]
        spelt = [piece for piece in pieces if len(piece) == 1 and piece.isalpha()]
        assert set(spelt) <= {"a", "A", "I", "x", "y", "z", "E"}, text


def test_captions_are_short(tokenizer):
    captions = [text for text in EVERY_TEXT if text.startswith((" A", " Only"))]
    assert len(captions) == 50
    assert max(len(tokens(tokenizer, text)) for text in captions) <= 25


def test_a_text_with_too_many_words_is_refused():
    words = [
        f"word{'abcdefghij'[k % 10]}{'klmnopqrst'[k // 10 % 10]}{'uvwxyz'[k // 100]}" for k in range(450)
    ]
    with pytest.raises(ValueError, match="at most 512 pieces"):
        tiny_tokenizer(words)


def test_a_base_of_several_tiles_gets_images_with_a_place_for_each():
    vision = "pretraining.base_config.vision_config"
    ratios = f"{vision}.supported_aspect_ratios=[[1,1],[1,2],[1,3],[1,4],[2,1],[2,2],[3,1],[4,1]]"
    made = load_recipe("nu_vlm_tiny", [f"{vision}.max_num_tiles=4", ratios]).pretraining
    images = tiny_processor(made).image_processor([[Image.new("RGB", (128, 128))]], return_tensors="pt")
    assert images["pixel_values"].shape == (1, 1, 4, 3, 128, 128)
    seen = {name: images[name] for name in ("pixel_values", "aspect_ratio_ids", "aspect_ratio_mask")}
    tower = NuVlmForEventClassification(tiny_config(made)).base.model.vision_model
    assert tower(**seen).last_hidden_state.shape[:4] == (1, 1, 4, (128 // 16) ** 2 + 1)
