import os
import pty
import signal
import subprocess
import sys
from importlib import import_module

import pytest

from nuzoo.cli import COMMANDS, STATUSES, main


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
    for status, meaning in STATUSES.items():
        assert f"  {status} " in result.stdout and meaning in result.stdout


LIGHT = """
import sys
from importlib import import_module
from nuzoo import cli
def run(args):
    print(*sorted({'torch', 'transformers', 'datasets', 'matplotlib', 'numba', 'pandas'} & set(sys.modules)))
    return 0
for command in cli.COMMANDS:
    import_module('nuzoo.commands.' + command.replace('-', '_')).run = run
for command in %r:
    assert cli.main(command) == 0
"""


def has_begin(command):
    return hasattr(import_module(f"nuzoo.commands.{command.replace('-', '_')}"), "begin")


def test_every_command_says_its_first_word_before_anything_heavy_is_imported(tmp_path):
    (tmp_path / "README.md").touch()  # of a dataset, as far as a glance tells
    folder = str(tmp_path)
    model, data, out = ["--model", folder], ["--data", folder], ["--out", f"{folder}/out"]
    commands = {
        "simulate": ["lartpc-pixelmaps", "--events", "5", *out],
        "convert": [f"{folder}/README.md", *out],
        "convert-weights": [f"{folder}/README.md", *out],
        "train": ["nu_cnn_tiny", f"data.path={folder}"],
        "evaluate": [*model, *data],
        "predict": [*model, folder],
        "explain": [*model, *data, *out],
        "display": [folder, *model, *out],
        "retrieve": [*model, *data, "--like", "e1", *out],
        "bench": ["label-efficiency"],
        "app": [],
        "benchmark": ["nu-cnn-tiny", "--data", folder, *out],
        "publish": [folder, "--repo", "org/name"],
        "verify": [folder],
        "demo": out,
    }
    assert {name for name in COMMANDS if has_begin(name)} == {*commands, "models", "recipes"}
    asked = LIGHT % [[name, *arguments] for name, arguments in commands.items()]
    environment = os.environ | {"HF_TOKEN": "hf_none"}
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
    assert len(done.stderr.splitlines()) == len(commands)


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
    assert "did you mean train?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        (["predict", "--modle", "m", "files"], "no such option --modle: did you mean --model?"),
        (["predict", "--mod", "m", "files"], "no such option --mod"),
        (["evaluate", "--calibrat", "--data=x", "--splitt=y"], "--calibrat, --splitt: did you mean --calib"),
        (["simulate", "lartpc-pixelmap", "--events", "5", "--out", "x"], "did you mean lartpc-pixelmaps?"),
        (["publish", "x", "--repo", "a/b", "--type", "datset"], "did you mean dataset?"),
        (["verify", "a/b", "--run"], "no such option --run"),
        (
            ["evaluate", "--model", "a", "--model=b", "--data", "x"],
            "--model: expected it once, got it 2 times",
        ),
    ],
)
def test_what_is_misspelt_is_refused_with_the_nearest_that_is_known(command, hint, capsys):
    with pytest.raises(SystemExit) as end:
        main(command)
    assert end.value.code == 2
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_command_with_its_own_status_and_a_line(number, status, monkeypatch, capsys):
    monkeypatch.setattr("nuzoo.commands.demo.run", lambda args: signal.raise_signal(number))
    before = signal.getsignal(signal.SIGTERM)
    with_handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert main(["demo"]) == status
    finally:
        signal.signal(signal.SIGINT, with_handler)
    assert capsys.readouterr().err.splitlines()[-1] == "nuzoo demo: stopped"
    assert signal.getsignal(signal.SIGTERM) == before


FOREIGN = """
import sys
from nuzoo.quiet_libraries import quieten_libraries
quieten_libraries()
from transformers import AutoConfig
try: AutoConfig.from_pretrained(sys.argv[1])
except ValueError as error: print('refused', 'trust_remote_code' in str(error))
"""


def test_at_a_terminal_nobody_is_asked_whether_to_run_code(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "foreign", "auto_map": {"AutoConfig": "theirs.C"}}')
    (tmp_path / "theirs.py").write_text("raise SystemExit('ran')")
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", FOREIGN, str(tmp_path)],
        stdin=theirs,
        capture_output=True,
        text=True,
        timeout=60,
    )
    os.close(theirs)
    os.close(ours)
    assert (done.stdout, done.returncode) == ("refused True\n", 0), done.stderr


def test_what_a_user_did_wrong_is_one_line_and_status_1(capsys):
    assert main(["train", "nu_cnn_tony"]) == 1
    message = capsys.readouterr().err
    assert "nu_cnn_tiny" in message
    assert "Traceback" not in message
