"""The models that come with the package: whole, small, described, and each of them usable by its name."""

from pathlib import Path

import pytest

import nuzoo
from nuzoo.cli import main
from nuzoo.hub.verify import verify_model
from nuzoo.training.recipe import load_recipe
from nuzoo.zoo.bundled import UnknownBundledModelError, bundled, bundled_models, find_model
from nuzoo.zoo.origins import ORIGINS

MEGABYTES = 3


@pytest.fixture(params=bundled_models().values(), ids=lambda folder: folder.name)
def folder(request):
    return request.param


def test_every_check_of_a_published_model_holds(folder):
    checks = list(verify_model(folder))
    assert checks[-1].name.startswith("golden outputs")
    assert [check for check in checks if check.problem] == []


def test_each_is_small_and_has_no_code(folder):
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= MEGABYTES * 1e6
    assert not [file for file in files if file.suffix == ".py"]


def test_each_can_be_made_again(folder):
    origin = ORIGINS[folder.name]
    recipe = load_recipe(origin.recipe)
    assert Path(recipe.data.path).name == origin.events.name


def test_the_command_on_its_card_verifies_it(capsys):
    assert main(["verify", "nu-cnn-tiny"]) == 0
    assert "nu-cnn-tiny: verified" in capsys.readouterr().out


def test_a_model_is_found_by_its_name(folder):
    assert nuzoo.bundled(folder.name) == str(folder) == find_model(folder.name)


def test_a_folder_of_the_same_name_comes_first(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / folder.name).mkdir()
    assert find_model(folder.name) == folder.name


def test_another_name_is_refused_and_the_known_ones_are_named():
    with pytest.raises(UnknownBundledModelError, match=", ".join(bundled_models())):
        bundled("nu-cnn-huge")
    assert find_model("org/nu-cnn-tiny") == "org/nu-cnn-tiny"


def test_the_list_tells_size_and_result_of_each(capsys):
    assert main(["models"]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["name", "task", "detector", "size", "result"]
    assert [line.split()[0] for line in lines] == list(bundled_models())
