"""What lies in an output folder already is gone on with, or left alone."""

import pytest

from nuzoo.files.names import RECIPE_FILE
from nuzoo.registry import TASKS, import_object
from nuzoo.training.recipe import RecipeError, load_recipe


def files(folder):
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("name", ["nu_cnn_tiny", "nu_vit_tiny", "nu_vlm_tiny"])
@pytest.mark.parametrize(
    ("kept", "message"),
    [
        (["recipe.yaml", "config.json", "model.safetensors"], "holds a run of another recipe"),
        (["recipe.yaml"], "holds a run of another recipe"),
        (["config.json"], "got config.json without it"),
        (["model.safetensors", "trainer_state.json"], "got model.safetensors without it"),
        (["adapter/adapter_config.json"], "got adapter_config.json without it"),
        (["base/config.json"], "got config.json without it"),
    ],
)
def test_models_of_other_runs_are_left_alone(tmp_path, name, kept, message):
    pytest.importorskip("peft", reason="peft is not installed")
    if name == "nu_vlm_tiny":
        pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed")
    other = load_recipe("nu_vit_tiny", ["training.seed=1"])
    for path in kept:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(other.to_yaml() if path == RECIPE_FILE else "{}")
    before = files(tmp_path)
    start = load_recipe(name, ["training.use_cpu=true", f"training.output_dir={tmp_path}"])
    train = import_object(TASKS[start.task].trainer)
    with pytest.raises(RecipeError, match=message):
        train(start)
    assert files(tmp_path) == before
