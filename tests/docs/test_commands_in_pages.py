"""Commands, options, recipes and scripts that a page names are there."""

import re
import shlex
from functools import cache
from importlib import import_module

import pytest

from nuzoo.cli import COMMANDS
from nuzoo.command_parser import CommandParser
from nuzoo.training.recipe import parse_recipe
from nuzoo.training.recipe_files import read_recipe, shipped_recipes

from .pages import PAGES, ROOT, blocks_of, name_of

SHELLS = {"", "bash"}
SEPARATORS = "|&;>"
INLINE = re.compile(r"`nuzoo (?P<command>[a-z][a-z-]*)(?P<rest>[^`]*)`")
OPTION = re.compile(r"(?<!\S)--[a-z][a-z-]*")
SCRIPT = re.compile(r"\bbenchmarks/\w+\.\w+")


@cache
def parser_of(command):
    parser = CommandParser(prog=f"nuzoo {command}")
    import_module(f"nuzoo.commands.{command.replace('-', '_')}").add_arguments(parser)
    return parser


def commands_of(line):
    """Split a line of a shell into commands, and these into words."""
    words = shlex.shlex(line, posix=True, punctuation_chars=SEPARATORS)
    words.whitespace_split = True
    found = [[]]
    for word in words:
        if set(word) <= set(SEPARATORS):
            found.append([])
        else:
            found[-1] += word.split() if "nuzoo.cli" in word else [word]  # what srun is given is quoted
    return found


def given_in(page):
    """Find the arguments of each `nuzoo` in the blocks of a page, also of one that torchrun starts."""
    for language, text in blocks_of(page):
        lines = text.replace("\\\n", " ").splitlines() if language in SHELLS else []
        for line in lines:
            for words in commands_of(line) if "nuzoo" in line else []:
                for start in {"nuzoo", "nuzoo.cli"} & {*words}:
                    yield words[words.index(start) + 1 :]


GIVEN = [
    pytest.param(arguments, id=f"{name_of(page)}: {' '.join(arguments)}")
    for page in PAGES
    for arguments in given_in(page)
]


@pytest.mark.parametrize("arguments", GIVEN)
def test_a_command_line_can_be_given_as_it_stands(arguments, capsys):
    command, *rest = arguments
    assert command in COMMANDS
    try:
        given = parser_of(command).parse(rest)
    except SystemExit:
        pytest.fail(capsys.readouterr().err)
    if command == "train" and given.recipe in shipped_recipes():
        parse_recipe(read_recipe(given.recipe, given.overrides))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_a_sentence_names_is_there(page):
    text = page.read_text(encoding="utf-8")
    for found in INLINE.finditer(text):
        assert found["command"] in COMMANDS, found[0]
        known = parser_of(found["command"])._option_string_actions
        assert {*OPTION.findall(found["rest"])} <= {*known}, found[0]
    assert not [script for script in SCRIPT.findall(text) if not (ROOT / script).is_file()]


@pytest.mark.parametrize(
    "line", ["nuzoo predict --modle a b", "nuzoo fly", "nuzoo train nu_cnn_tiny data.pathh=a", "nuzoo verify"]
)
def test_the_check_finds_a_mistake(line, capsys):
    [arguments] = [words[1:] for words in commands_of(line)]
    with pytest.raises((AssertionError, pytest.fail.Exception, ValueError)):
        test_a_command_line_can_be_given_as_it_stands(arguments, capsys)
