import signal
import sys
from types import SimpleNamespace

import pytest

from nuzoo import cli


@pytest.fixture
def command(monkeypatch):
    """Make `nuzoo simulate` run a function."""

    def use(run):
        module = SimpleNamespace(__doc__="", add_arguments=lambda parser: None, run=run)
        monkeypatch.setitem(sys.modules, "nuzoo.commands.simulate", module)

    return use


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_told_to_stop_tidies_up_and_says_so_in_one_line(command, capsys, number):
    tidied = []

    def run(args):
        try:
            signal.raise_signal(number)
        finally:
            tidied.append(True)

    command(run)
    before = signal.getsignal(number)
    assert cli.main(["simulate"]) == 128 + number
    assert capsys.readouterr().err == "nuzoo simulate: stopped; the same command goes on from here\n"
    assert tidied
    assert signal.getsignal(number) is before


def test_an_error_that_follows_from_being_stopped_is_not_told(command, capsys):
    def run(args):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("half imported") from None

    command(run)
    assert cli.main(["simulate"]) == 130
    assert capsys.readouterr().err.count("\n") == 1


def test_a_signal_that_was_ignored_stays_so(command):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        command(lambda args: signal.raise_signal(signal.SIGINT))
        with pytest.raises(TypeError):
            cli.main(["simulate"])
    finally:
        signal.signal(signal.SIGINT, before)
