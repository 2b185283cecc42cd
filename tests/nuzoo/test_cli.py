import subprocess
import sys

import pytest

from nuzoo.cli import COMMANDS, main


def test_help_names_every_command_and_imports_nothing_heavy():
    code = (
        "import sys; from nuzoo.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'datasets', 'matplotlib', 'numba'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    for command in COMMANDS:
        assert command in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert f"nuzoo {command}" in capsys.readouterr().out


def test_an_unknown_command_is_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit) as end:
        main(["trian"])
    assert end.value.code == 2
    assert "train" in capsys.readouterr().err


def test_what_a_user_did_wrong_is_one_line_and_status_1(capsys):
    assert main(["train", "nu_cnn_tony"]) == 1
    message = capsys.readouterr().err
    assert "nu_cnn_tiny" in message
    assert "Traceback" not in message
