import pytest
import yaml

from nuzoo.training.recipe import RecipeError, load_recipe
from nuzoo.training.recipe_files import RECIPES, override_value


def test_the_paper_recipe_holds_the_papers_values():
    recipe = load_recipe("nu_cnn")
    # arXiv:2509.08461v4, section 2.4
    assert recipe.given["training"]["learning_rate"] == 1e-6
    assert recipe.given["training"]["weight_decay"] == 1e-4
    assert recipe.given["training"]["per_device_train_batch_size"] == 16
    assert recipe.given["training"]["num_train_epochs"] == 300
    assert recipe.early_stopping_patience == 10
    assert "2509.08461" in recipe.source


def test_the_vision_transformers_recipe_holds_the_papers_values():
    recipe = load_recipe("nu_vit")
    # arXiv:2509.08461v4, section 2.3: Adam, batch 4 per device × accumulation 4, every parameter trained
    assert recipe.given["training"]["learning_rate"] == 1e-4
    assert recipe.given["training"]["weight_decay"] == 0.05
    assert recipe.given["training"]["per_device_train_batch_size"] == 4
    assert recipe.given["training"]["gradient_accumulation_steps"] == 4
    assert recipe.given["training"]["num_train_epochs"] == 10
    assert recipe.model.preset == "huge"
    assert "2509.08461" in recipe.source


def test_the_vision_language_models_recipe_holds_the_papers_values():
    recipe = load_recipe("nu_vlm")
    # arXiv:2509.08461v4: QLoRA of Llama 3.2 Vision, effective batch 8, warm-up of 3 %, one epoch
    assert recipe.model["base_model"] == "meta-llama/Llama-3.2-11B-Vision-Instruct"
    assert len(recipe.model["base_revision"]) == 40
    assert recipe.model["quantization"] == "nf4"
    assert (recipe.adapter.r, recipe.adapter.lora_alpha, recipe.adapter.lora_dropout) == (8, 16, 0.05)
    training = recipe.given["training"]
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
    arguments = start.training
    assert (arguments.eval_strategy, arguments.save_strategy) == ("no", "no")
    assert arguments.load_best_model_at_end is False


def test_a_whole_number_is_a_float_where_one_is_wanted():
    start = load_recipe("nu_vit_tiny", ["model.mlp_ratio=4", "model.temperature=2", "model.num_views=1"])
    assert [(value, type(value)) for value in start.model.fields.values()] == [
        (4, float),
        (2, float),
        (1, int),
    ]
    assert load_recipe("nu_vlm_tiny", ["model.temperature=2"]).model["temperature"] == 2.0
    assert isinstance(load_recipe("nu_cnn", ["augmentation.flip_rows=1"]).augmentation.flip_rows, float)


def test_a_warm_up_below_one_is_a_share_of_the_steps():
    start = load_recipe("nu_vlm", ["training.bf16=false", "training.use_cpu=true"])
    assert start.training.get_warmup_steps(1000) == 30


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
    assert recipe.given["training"]["learning_rate"] == 1e-4
    assert recipe.data.path == "elsewhere"
    assert recipe.augmentation.flip_rows == 0


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- a list", "expected sections"),
        ("model: {model_type: nu_cnn}", "needs `source`"),
        ("source: x\nmodel: {model_type: nu_cnn}\ntrainning: {a: 1}", "got trainning: did you mean training"),
        ("source: x\nmodel: {model_type: nu_cnn}\ndata: {paht: x}", "got paht: did you mean path"),
        (
            "source: x\ntask: guess\nmodel: {model_type: nu_cnn}",
            "expected one of event-.*guess",
        ),
        ("source: x\ntask: event-classification", "model.model_type: expected one of nu_cnn, .*None"),
        ("source: x\nmodel: {model_type: nu_vid}", "model.model_type: expected one of nu_cnn, .*nu_vid"),
        ("source: x\ntask: instruction-tuning\nmodel: {model_type: nu_cnn}", "expected nu_vlm .*got nu_cnn"),
        ("source: x\nmodel: {model_type: nu_cnn}\nadapter: {r: 8}", "got adapter"),
        ("a: [1", "not YAML"),
        ("source: x\ntask: y\nsource: z", "given twice: source"),
    ],
)
def test_a_broken_recipe_says_what_is_wrong(tmp_path, text, complaint):
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=complaint):
        load_recipe(path)


@pytest.mark.parametrize(
    "path",
    ["[abc", "@scratch/events", "run: 1", "2024-01-01", "a #b", "*x", "- x", "`x", "x: [", 'x"y', "%TAG"],
)
def test_the_value_of_an_override_is_a_text_as_it_stands(path):
    assert load_recipe("nu_cnn_tiny", [f"data.path={path}"]).data.path == path


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("-2", -2),
        ("true", True),
        ("", None),
        ("null", None),
        ("[1, a]", [1, "a"]),
        ("{0: nc}", {0: "nc"}),
        ('"2024"', "2024"),
    ],
)
def test_the_value_of_an_override_is_what_yaml_has_for_it(text, value):
    assert override_value(text) == value


def test_early_stopping_needs_evaluations():
    never = ["training.eval_strategy=no", "training.load_best_model_at_end=false"]
    with pytest.raises(RecipeError, match="early_stopping_patience: expected evaluations to count"):
        load_recipe("nu_cnn", never)


def test_unknown_recipes_and_malformed_overrides_are_refused():
    with pytest.raises(RecipeError, match=r"no recipe nu_cnn_tony: did you mean nu_cnn_tiny\?"):
        load_recipe("nu_cnn_tony")
    with pytest.raises(RecipeError, match=r"section\.field=value"):
        load_recipe("nu_cnn", ["training.seed"])
    with pytest.raises(RecipeError, match="is a value"):
        load_recipe("nu_cnn", ["source.x=1"])


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("model.se_ration=2", r"model: expected fields that it has, got se_ration: did you mean se_ratio\?"),
        ("model.se_ratio=x", "model.se_ratio: expected a whole number, got 'x'"),
        ("model.num_views=true", "model.num_views: expected a whole number, got True"),
        ("processor.scale=logg", "processor.scale: expected 'log' or 'linear', got 'logg'"),
        ("processor.rebinn=4", "got rebinn: did you mean rebin"),
        ("training.learning_rat=1", "got learning_rat: did you mean learning_rate"),
        ("training.seed=x", "training.seed: expected a whole number, got 'x'"),
        ("training.bf16=1", "training.bf16: expected true or false, got 1"),
        ("training.optim=adam", "training: adam is not a valid OptimizerNames"),
        ("training.push_to_hub=true", "pickles"),
        ("training.hub_model_id=a/b", "training.hub_model_id: it has no effect; .*publish"),
        ("training.resume_from_checkpoint=runs/x", "no effect; a run goes on from the last checkpoint"),
        ("training.do_eval=true", "no effect; `eval_strategy`"),
        ("training.save_steps=10", "save_steps: it has no effect with save_strategy epoch"),
        ("training.eval_steps=10", "eval_steps: it has no effect with eval_strategy epoch"),
        ("training.lr_scheduler_type=constant", "warmup_steps: it has no effect with .*constant_with_warmup"),
        (
            "training.fsdp=true",
            "training.fsdp: expected several processes, each with an accelerator.* got none",
        ),
        ("training.fsdp_config={version: 2}", "fsdp_config: it has no effect without training.fsdp true"),
        ("training.fsdp=full_shard", "training.fsdp: expected true or false"),
        ("training.train_sampling_strategy=group_by_length", "expected 'random' or 'sequential'"),
        ("training.max_steps=0", "max_steps: expected a whole number of 1 or more, or -1 for none, got 0"),
        ("model.reinitialize=[classifier]", "model.reinitialize: it has no effect without model.pretrained"),
        (
            "data.path=2024",
            """data.path: expected a text, got 2024: in quotes it is a text, 'data.path="2024"'""",
        ),
        ("data.confg=big", "got confg: did you mean config"),
        ("model=3", "model: expected fields, got 3"),
    ],
)
def test_a_value_of_another_type_is_refused_with_what_was_expected(override, complaint):
    with pytest.raises(RecipeError, match=complaint):
        load_recipe("nu_cnn_tiny", [override]).training  # noqa: B018


def test_lists_of_whole_numbers_are_lists_of_numbers():
    recipe = load_recipe("nu_cnn", ["processor.pixel_pitch_mm=[[5, 4.7], [5, 4]]"])
    assert recipe.processor["pixel_pitch_mm"] == [[5, 4.7], [5, 4]]


@pytest.mark.parametrize("name", ["nu_cnn_tiny", "nu_vlm_tiny"])
def test_a_recipe_from_before_recipes_named_their_task_is_the_same_one(name, tmp_path):
    """The format of nuzoo 0.1: every section was there, empty ones too, and nulls of `data`."""
    recipe = load_recipe(name)
    empty = {key: {} for key in ("augmentation", "adapter", "answers", "pretraining")}
    earlier = empty | {"early_stopping_patience": None} | recipe.given
    earlier["data"] = {"revision": None, "train_events": None} | recipe.given["data"]
    del earlier["task"]
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(earlier))
    assert load_recipe(path) == recipe


def test_a_shipped_recipe_is_taken_by_its_bare_name_alone(tmp_path):
    assert load_recipe("nu_cnn_tiny").task == "event-classification"
    with pytest.raises(RecipeError, match="no recipe"):
        load_recipe(tmp_path / "nu_cnn_tiny.yaml")


@pytest.mark.parametrize("name", ["nu_cnn_tiny", "nu_cnn_zoo", "nu_vit"])
def test_a_checkpoint_takes_the_place_of_a_new_network(name):
    recipe = load_recipe(name, ["model.pretrained=runs/one", "model.num_labels=4"])
    assert recipe.model.pretrained == "runs/one"
    assert recipe.model.preset is None and recipe.model.timm_weights is None
    assert recipe.model.fields == {"num_labels": 4}
    assert recipe.processor == {}
    with pytest.raises(RecipeError, match=r"got both: leave one out \(model.preset=null\)"):
        load_recipe(name, ["model.pretrained=runs/one", "model.preset=tiny"])
