import os

import numpy as np
import pytest

from nuzoo.app.answer import Question
from nuzoo.app.answer_process import ToldError, answered
from nuzoo.app.errors import LimitError
from nuzoo.app.limits import Limits

MODEL = "nu-cnn-tiny"


def refusal(kind, question, folder, limits):
    with pytest.raises(kind) as refused, answered(question, folder, limits):
        pass
    assert not list(folder.iterdir())
    return str(refused.value)


def test_an_answer_has_its_files_until_it_was_shown_and_then_nothing_is_left(maps, tmp_path):
    with answered(Question(MODEL, files=(maps,)), tmp_path, Limits()) as (answer, out):
        assert answer.facts["prediction"] in answer.scores[0].scores
        assert sum(answer.scores[0].scores.values()) == pytest.approx(1)
        assert (out / answer.picture).read_bytes().startswith(b"\x89PNG")
        assert "canvas" in (out / answer.page).read_text()
        assert "without the most energetic object, a track" in answer.why[0]
        assert {file.suffix for file in out.iterdir()} == {".png", ".html", ".json"}
    assert not list(tmp_path.iterdir())


def test_an_answer_that_takes_too_long_is_ended(maps, tmp_path):
    told = refusal(LimitError, Question(MODEL, files=(maps,)), tmp_path, Limits(seconds=0))
    assert "within 0 s" in told


def test_memory_beyond_the_bound_is_an_error_and_no_answer(maps, tmp_path):
    told = refusal(ToldError, Question(MODEL, files=(maps,)), tmp_path, Limits(memory_mb=1))
    assert "within 1 MB of memory" in told


class Hostile:
    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return os.mkdir, (str(self.file),)


def test_nothing_of_a_pickle_is_run_and_no_path_is_told(tmp_path):
    folder, answers, ran = tmp_path / "files", tmp_path / "answers", tmp_path / "ran"
    folder.mkdir(), answers.mkdir()
    np.save(folder / "a.npy", np.array([Hostile(ran)], dtype=object), allow_pickle=True)
    np.savez(folder / "b.npz", images=np.array([Hostile(ran)], dtype=object))
    for name in ("a.npy", "b.npz"):
        told = refusal(ToldError, Question(MODEL, files=(folder / name,)), answers, Limits())
        assert name in told and "Python objects" in told and str(tmp_path) not in told
    assert not ran.exists()
