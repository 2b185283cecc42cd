"""Tutorials run from top to bottom in an empty folder, and print what they say."""

import shlex
from contextlib import redirect_stdout
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from io import StringIO

import pytest

from nuzoo.cli import main

from .pages import TUTORIALS, blocks_of, name_of


def run_commands(text, names):
    for line in text.replace("\\\n", " ").splitlines():
        program, *arguments = shlex.split(line, comments=True)
        assert program == "nuzoo", line
        assert main(arguments) == 0, line


def run_python(text, names):
    exec(text, names)


RUNNERS = {"bash": run_commands, "python": run_python}


def follow(page):
    """Run the blocks of a page; `text` is what the block before it prints."""
    names, printed = {}, ""
    for language, text in blocks_of(page):
        if language == "text":
            checker = OutputChecker()
            assert checker.check_output(text, printed, ELLIPSIS | NORMALIZE_WHITESPACE), (
                f"{text}---\n{printed}"
            )
            continue
        with redirect_stdout(StringIO()) as output:
            RUNNERS[language](text, names)
        printed = output.getvalue()


@pytest.mark.parametrize("page", TUTORIALS, ids=name_of)
def test_tutorial_does_what_it_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    follow(page)


@pytest.mark.parametrize(
    "blocks",
    [
        "```python\nprint(1)\n```\n```text\n2\n```",
        "```python\n1 / 0\n```",
        "```bash\nnuzoo models nothing\n```",
        "```bash\nrm -r x\n```",
        "```fortran\nend\n```",
    ],
)
def test_a_tutorial_that_is_wrong_fails(blocks, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(blocks)
    with pytest.raises((AssertionError, ZeroDivisionError, KeyError)):
        follow(page)
