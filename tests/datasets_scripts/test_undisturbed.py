import signal
import threading

import pytest

import nuzoo.datasets_scripts.common.undisturbed as module
import nuzoo.stopping as stopping_module
from nuzoo.datasets_scripts.common.undisturbed import undisturbed
from nuzoo.stopping import Stopped, stopping


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_end_of_the_block_and_of_those_around_it(number):
    done = []
    with stopping() as stop:
        with pytest.raises(Stopped), undisturbed():
            with undisturbed():
                signal.raise_signal(number)
                done.append("inner")
            done.append("outer")
        assert stop.signal == number
    assert done == ["inner", "outer"]


def test_a_signal_that_no_python_handles_keeps_its_handler():
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with undisturbed():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("patience", [0.01, 60.0])
def test_a_command_ends_at_once_where_the_block_takes_long_or_when_told_again(monkeypatch, patience):
    ended = threading.Event()
    monkeypatch.setattr(stopping_module, "end_at_once", lambda number: ended.set())
    monkeypatch.setattr(module, "PATIENCE", patience)
    with stopping(), pytest.raises(Stopped), undisturbed():
        signal.raise_signal(signal.SIGINT)
        if patience > 1:
            signal.raise_signal(signal.SIGINT)
        assert ended.wait(30)
