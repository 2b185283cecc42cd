import pytest

from nuzoo.cli import main


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--space", "s", "--share", "--host", "0.0.0.0"], "--host, --share: expected no --space beside it"),
        (["--space", "s", "--port", "80"], "--port: expected no --space"),
    ],
)
def test_what_a_space_does_not_heed_is_refused_by_name(options, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["app", *options]) == 2
    assert told in capsys.readouterr().err and not (tmp_path / "s").exists()


def test_limits_go_into_the_space(tmp_path, capsys):
    assert main(["app", "--space", str(tmp_path / "s"), "--seconds", "9"]) == 0
    assert "seconds=9" in (tmp_path / "s" / "app.py").read_text()
    assert main(["app", "--space", str(tmp_path / "s")]) == 1
    assert "expected a new or an empty folder" in capsys.readouterr().err


def test_without_gradio_the_extra_is_named(monkeypatch, capsys):
    monkeypatch.setattr("nuzoo.commands.app.find_spec", lambda name: None)
    assert main(["app"]) == 2
    assert "pip install nuzoo[app]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--type", "space", "--licence", "mit"], "--licence: expected in the README.md of a Space"),
        (["--type", "space", "--dataset", "a/b"], "--dataset: expected of a model alone, got --type space"),
        (["--type", "dataset", "--base", "a/b"], "--base: expected of a model alone, got --type dataset"),
        (["--citation", "x"], "--citation: expected of a dataset alone, got --type model"),
    ],
)
def test_an_option_of_something_else_that_is_published_is_refused_by_name(options, told, tmp_path, capsys):
    assert main(["publish", str(tmp_path), "--repo", "org/name", *options]) == 2
    assert told in capsys.readouterr().err
