import pytest
from huggingface_hub.errors import StrictDataclassError
from transformers import CONFIG_MAPPING

from nuzoo.training.recipe import RECIPES, RecipeError, load_recipe
from nuzoo.training.recipe_fields import training_arguments, whole_numbers_as_floats


def test_the_paper_recipe_holds_the_papers_values():
    recipe = load_recipe("nu_cnn")
    # arXiv:2509.08461v4, section 2.4
    assert recipe.training["learning_rate"] == 1e-6
    assert recipe.training["weight_decay"] == 1e-4
    assert recipe.training["per_device_train_batch_size"] == 16
    assert recipe.training["num_train_epochs"] == 300
    assert recipe.early_stopping_patience == 10
    assert "2509.08461" in recipe.source


def test_the_vision_transformers_recipe_holds_the_papers_values():
    recipe = load_recipe("nu_vit")
    # arXiv:2509.08461v4, section 2.3: Adam, batch 4 per device × accumulation 4, every parameter trained
    assert recipe.training["learning_rate"] == 1e-4
    assert recipe.training["weight_decay"] == 0.05
    assert recipe.training["per_device_train_batch_size"] == 4
    assert recipe.training["gradient_accumulation_steps"] == 4
    assert recipe.training["num_train_epochs"] == 10
    assert recipe.model["preset"] == "huge"
    assert "2509.08461" in recipe.source


def test_the_vision_language_models_recipe_holds_the_papers_values():
    recipe = load_recipe("nu_vlm")
    # arXiv:2509.08461v4: QLoRA of Llama 3.2 Vision, effective batch 8, warm-up of 3 %, one epoch
    assert recipe.model["base_model"] == "meta-llama/Llama-3.2-11B-Vision-Instruct"
    assert len(recipe.model["base_revision"]) == 40
    assert recipe.model["quantization"] == "nf4"
    assert (recipe.adapter["r"], recipe.adapter["lora_alpha"], recipe.adapter["lora_dropout"]) == (
        8,
        16,
        0.05,
    )
    training = recipe.training
    assert training["per_device_train_batch_size"] * training["gradient_accumulation_steps"] == 8
    assert (training["learning_rate"], training["max_grad_norm"], training["warmup_steps"]) == (
        2e-4,
        0.3,
        0.03,
    )
    assert (training["optim"], training["lr_scheduler_type"]) == ("adamw_torch_fused", "constant_with_warmup")
    assert (training["num_train_epochs"], training["save_steps"]) == (1, 500)
    assert "2509.08461" in recipe.source


def test_a_strategy_of_no_is_one():
    strategies = ["training.eval_strategy=no", "training.save_strategy=no"]
    start = load_recipe("nu_cnn_tiny", [*strategies, "training.load_best_model_at_end=false"])
    arguments = training_arguments(start)
    assert (arguments.eval_strategy, arguments.save_strategy) == ("no", "no")
    assert arguments.load_best_model_at_end is False


@pytest.mark.parametrize("name", ["nu_cnn_tiny", "nu_vit_tiny", "nu_vlm_tiny"])
def test_a_whole_number_is_a_float_where_one_is_wanted(name):
    kind = CONFIG_MAPPING[load_recipe(name).model["model_type"]]
    given = whole_numbers_as_floats(kind, {"temperature": 2, "num_views": 1, "id2label": {0: "a"}})
    config = kind(**given)
    assert (config.temperature, config.num_views, config.id2label) == (2.0, 1, {0: "a"})
    with pytest.raises(StrictDataclassError, match="temperature must be positive, got -1"):
        kind(**whole_numbers_as_floats(kind, {"temperature": -1}))


def test_a_warm_up_below_one_is_a_share_of_the_steps():
    start = load_recipe("nu_vlm", ["training.bf16=false", "training.use_cpu=true"])
    assert training_arguments(start).get_warmup_steps(1000) == 30


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_recipe_names_its_source_and_survives_yaml(path, tmp_path):
    recipe = load_recipe(path)
    copy = tmp_path / "copy.yaml"
    copy.write_text(recipe.to_yaml())
    assert load_recipe(copy) == recipe
    assert len(recipe.source) > 40


def test_any_field_can_be_overridden():
    recipe = load_recipe(
        "nu_cnn_tiny", ["training.learning_rate=1e-4", "data.path=elsewhere", "augmentation.flip_rows=0"]
    )
    assert recipe.training["learning_rate"] == 1e-4
    assert recipe.data.path == "elsewhere"
    assert recipe.augmentation["flip_rows"] == 0


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- a list", "expected sections"),
        ("model: {model_type: nu_cnn}", "needs `source`"),
        ("source: x\nmodel: {model_type: nu_cnn}\ntrainning: {}", "unknown field trainning"),
        ("source: x\nmodel: {model_type: nu_cnn}\ndata: {paht: x}", "unknown field paht"),
        ("a: [1", "not YAML"),
    ],
)
def test_a_broken_recipe_says_what_is_wrong(tmp_path, text, complaint):
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=complaint):
        load_recipe(path)


def test_unknown_recipes_and_malformed_overrides_are_refused():
    with pytest.raises(RecipeError, match="nu_cnn_tiny"):
        load_recipe("nu_cnn_tony")
    with pytest.raises(RecipeError, match=r"section\.field=value"):
        load_recipe("nu_cnn", ["training.seed"])
    with pytest.raises(RecipeError, match="is a value"):
        load_recipe("nu_cnn", ["source.x=1"])
