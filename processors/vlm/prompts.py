"""Prompts: the question that a vision-language model is asked, and the answers it may give.

Those that come with nuzoo are JSON files in `processors/prompts`. A name ends with the version of the
text; a text that has been used is not changed, it gets another version.
"""

import json
from dataclasses import asdict, dataclass, fields
from itertools import permutations
from pathlib import Path
from typing import Any, Self

from nuzoo.processors.input_errors import PromptError

SHIPPED = Path(__file__).parent / "prompts"


@dataclass(frozen=True)
class Prompt:
    """A question on the images of an event.

    Args:
        name: name and version, "physics-1".
        system: what the model is told at the start.
        user: parts of the question as chat templates take them: `{"type": "image"}` where an image goes,
            `{"type": "text", "text": ...}`.
        answer_prefix: first words of every answer.
        labels: pairs of a class and the words that name it, which follow the prefix, in the order of the
            classes.

    Raises:
        PromptError: a part is missing, a label begins with another, or there is no image.
    """

    name: str
    system: str
    user: list[dict[str, str]]
    answer_prefix: str
    labels: list[list[str]]

    def __post_init__(self) -> None:
        self._check_forms()
        if not self.image_slots:
            raise PromptError(
                f'prompt {self.name!r}: expected a part {{"type": "image"}} for each view in "user", got '
                "none: the model would not see the event"
            )
        for (first, one), (second, other) in permutations(self.labels, 2):
            if other.startswith(one):
                raise PromptError(
                    f"prompt {self.name!r}: the label {one!r} of {first} begins {other!r} of {second}: "
                    "choose words of which none begins others"
                )

    def _check_forms(self) -> None:
        texts = {"name": self.name, "system": self.system, "answer_prefix": self.answer_prefix}
        for part, text in texts.items():
            if not isinstance(text, str) or not text or text != text.strip():
                raise PromptError(
                    f"prompt {self.name!r}: expected {part} to be text without spaces around it, got {text!r}"
                )
        if not isinstance(self.user, list) or not all(map(_is_part, self.user)):
            raise PromptError(
                f'prompt {self.name!r}: expected user to be a list of parts {{"type": "image"}} and '
                f'{{"type": "text", "text": ...}}, got {self.user!r}'
            )
        if not isinstance(self.labels, list) or not self.labels or not all(map(_is_label, self.labels)):
            raise PromptError(
                f"prompt {self.name!r}: expected labels to be a list of pairs [class, words], got "
                f"{self.labels!r}"
            )

    @property
    def image_slots(self) -> int:
        """How many images the question has places for."""
        return sum(part.get("type") == "image" for part in self.user)

    def answer(self, class_name: str, explanation: str = "") -> str:
        """Write the whole answer for a class such as "nue_cc", in one line, and what follows, if anything."""
        text = f"{self.answer_prefix} {dict(self.labels)[class_name]}."
        return f"{text} {explanation}" if explanation else text

    def conversation(self, shots: list[str] | None = None) -> list[dict[str, Any]]:
        """Give the messages up to the question, for a chat template.

        Args:
            shots: answers to questions before it, of examples.
        """
        question = {"role": "user", "content": list(self.user)}
        system = {"role": "system", "content": [{"type": "text", "text": self.system}]}
        messages: list[dict[str, Any]] = [system]
        for shot in shots or []:
            messages += [question, {"role": "assistant", "content": [{"type": "text", "text": shot}]}]
        return [*messages, question]

    def to_dict(self) -> dict[str, Any]:
        """Give the prompt as JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, source: Any) -> Self:
        """Make a prompt of a prompt, its JSON values, the name of one of nuzoo's, or a JSON file.

        Raises:
            PromptError: there is no such prompt, or it lacks something.
        """
        if isinstance(source, cls):
            return source
        content = source if isinstance(source, dict) else _read(str(source))
        expected = {field.name for field in fields(cls)}
        if not isinstance(content, dict) or set(content) != expected:
            got = ", ".join(content) if isinstance(content, dict) else repr(content)
            raise PromptError(f"expected a prompt with the keys {', '.join(sorted(expected))}, got {got}")
        return cls(**content)


def _is_part(part: Any) -> bool:
    if not isinstance(part, dict):
        return False
    return part == {"type": "image"} or (part.get("type") == "text" and isinstance(part.get("text"), str))


def _is_label(label: Any) -> bool:
    is_pair = isinstance(label, list | tuple) and len(label) == 2
    return is_pair and all(isinstance(text, str) and text and text == text.strip() for text in label)


def _read(name: str) -> Any:
    for path in (Path(name), SHIPPED / f"{name}.json"):
        if path.is_file():
            try:
                return json.loads(path.read_text(encoding="utf-8"))
            except ValueError as error:
                raise PromptError(
                    f"{path}: expected a prompt in JSON, got something else ({error})"
                ) from error
    known = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.json")))
    raise PromptError(f"expected a prompt of nuzoo ({known}) or a JSON file, got {name!r}")
