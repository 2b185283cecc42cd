"""The arguments of a command: read strictly, and refused with the nearest known ones."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from nuzoo.files.nearest_names import did_you_mean


class CommandLineError(ValueError):
    """Arguments of a command that contradict each other, or mean nothing together."""


def at_least(least: int) -> Callable[[str], int]:
    """Make the type of an argument that is a whole number of so much or more."""

    def parse(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise argparse.ArgumentTypeError(f"expected a whole number, {least} or more, got {text!r}")
        return number

    return parse


class CommandParser(argparse.ArgumentParser):
    """An `ArgumentParser` that takes no abbreviation and no option twice, and names what was probably meant.

    Args:
        **kwargs: See `argparse.ArgumentParser`.
    """

    def __init__(self, **kwargs: Any) -> None:
        layout = argparse.RawDescriptionHelpFormatter
        super().__init__(allow_abbrev=False, formatter_class=layout, **kwargs)

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Read arguments; options and positional ones may stand in any order."""
        self._refuse_unknown_options(arguments)
        return self.parse_intermixed_args(arguments)

    def _refuse_unknown_options(self, arguments: Sequence[str]) -> None:
        """Refuse them before what is missing: a misspelt option is both."""
        given = [*arguments, "--"]
        options = [text.partition("=")[0] for text in given[: given.index("--")] if text.startswith("--")]
        self._refuse_repeated(options)
        known = [name for name in self._option_string_actions if name.startswith("--")]
        if unknown := [name for name in options if name not in known and " " not in name]:
            hint = did_you_mean(unknown, known) or f": expected options among {', '.join(known)}"
            self.error(f"no such option {', '.join(unknown)}{hint}")

    def _refuse_repeated(self, options: Sequence[str]) -> None:
        """Refuse what only the last one of would count."""
        for name, action in self._option_string_actions.items():
            times = options.count(name)
            if times > 1 and isinstance(action, argparse._StoreAction):
                self.error(f"{name}: expected it once, got it {times} times: leave all but one out")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            choices = [str(choice) for choice in action.choices]
            raise argparse.ArgumentError(
                action, f"expected one of {', '.join(choices)}, got {value!r}{did_you_mean([value], choices)}"
            )
