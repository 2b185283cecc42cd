import json

import pytest
from huggingface_hub.dataclasses import strict

from nuzoo.configuration.config_errors import ModelTypeError
from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.configuration.configuration_utils_nu import NuPreTrainedConfig
from nuzoo.files.errors import FormatVersionError
from nuzoo.files.migration import migrate

STEPS = {
    1: lambda keys: {**keys, "order": [*keys["order"], "1 to 2"]},
    2: lambda keys: {**keys, "order": [*keys["order"], "2 to 3"]},
}


@pytest.mark.parametrize(
    ("version", "applied"),
    [({}, ["1 to 2", "2 to 3"]), ({"format_version": 2}, ["2 to 3"]), ({"format_version": 3}, [])],
)
def test_steps_are_taken_in_order_from_the_format_of_the_file(version, applied):
    keys = {"order": [], **version}
    assert migrate(keys, 3, STEPS, "a test") == {"order": applied, "format_version": 3}
    assert keys == {"order": [], **version}


@pytest.mark.parametrize(
    ("version", "says"),
    [
        (4, "later than 3.*update nuzoo"),
        (0, "got 0"),
        ("2", "got '2'"),
        (None, "got None"),
        (True, "got True"),
        (2.0, r"got 2\.0"),
    ],
)
def test_other_versions_are_refused(version, says):
    with pytest.raises(FormatVersionError, match=says):
        migrate({"order": [], "format_version": version}, 3, STEPS, "a test")


def test_a_format_without_a_step_is_refused():
    with pytest.raises(FormatVersionError, match=r"format 2 to 3, got format 1.*earlier nuzoo"):
        migrate({"order": []}, 3, {2: STEPS[2]}, "a test")


def test_file_of_a_configuration_is_migrated_when_it_is_read(tmp_path):
    """A configuration whose second format states an angle in radians and not in degrees."""

    def in_radians(keys):
        return {"radians": keys.pop("degrees") * 3.14159 / 180, **keys}

    @strict
    class Renamed(NuPreTrainedConfig):
        model_type = "renamed"
        latest_format = 2
        migrations = {1: in_radians}  # noqa: RUF012
        format_version: int = 2
        radians: float = 0.0

    old = {"model_type": "renamed", "format_version": 1, "degrees": 180.0}
    (tmp_path / "config.json").write_text(json.dumps(old))
    config = Renamed.from_pretrained(tmp_path)
    assert (config.radians, config.format_version) == (3.14159, 2)
    config.save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "config.json").read_text())
    assert (saved["radians"], saved["format_version"]) == (3.14159, 2) and "degrees" not in saved
    assert Renamed.from_pretrained(tmp_path).radians == 3.14159
    with pytest.raises(FormatVersionError, match="from_dict"):
        Renamed(radians=1.0, format_version=1)


def test_file_that_does_not_say_its_type_is_refused(tmp_path):
    with pytest.raises(ModelTypeError, match="nu_cnn"):
        NuCnnConfig.from_dict({"num_views": 2})
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelTypeError, match="nu_cnn"):
        NuCnnConfig.from_pretrained(tmp_path)
