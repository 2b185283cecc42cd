"""From what a page sends to what it shows: a question is checked, answered, or refused in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from nuzoo.app.answer import Question
from nuzoo.app.answer_process import answered
from nuzoo.app.errors import AppError, QuestionError
from nuzoo.app.fragments import shown_page, shown_picture, told_answer, told_error, told_why
from nuzoo.app.limits import Limits
from nuzoo.app.offered import OfferedModel, offered_models
from nuzoo.app.sample_events import check_sample, whole_number
from nuzoo.app.uploads import take_files
from nuzoo.files.nearest_names import did_you_mean

ANY = "any"
"""In place of a true class."""


class Shown(NamedTuple):
    """What a page shows, as HTML.

    Attributes:
        told: What is known of the event and what the model says; or what was wrong.
        picture: Of the event.
        interactive: The event to be turned or zoomed.
        why: What the answer rests on.
    """

    told: str
    picture: str = ""
    interactive: str = ""
    why: str = ""


@dataclass(frozen=True)
class Asker:
    """Answers what a page asks.

    Attributes:
        limits: Of uploads and answers.
        uploads: Folder in which uploads are, each in one of its own.
        answers: Folder for what answers are made of, while they are.
    """

    limits: Limits
    uploads: Path
    answers: Path

    def of_sample(self, model: object, wanted: object, seed: object) -> Shown:
        """Answer about a simulated event.

        Args:
            model: Name of a model.
            wanted: True class of the event, or `ANY`.
            seed: Of the simulation.
        """
        try:
            known = find_model(model)
            chosen = None if wanted in (ANY, None) else str(wanted)
            return self._shown(Question(known.name, check_sample(known, seed, chosen), chosen))
        except AppError as error:
            return Shown(told_error(error))

    def of_files(
        self, model: object, files: Sequence[Mapping[str, Any]] | None, number: object
    ) -> tuple[str | None, ...]:
        """Answer about an event of uploaded files, which are gone afterwards.

        Args:
            model: Name of a model.
            files: What the page knows of them: `path`.
            number: Of the event in them, from 1 on.

        Returns:
            What is shown, and no files for the page to go on showing.
        """
        with TemporaryDirectory(dir=self.answers) as place:
            try:
                taken = take_files(paths_of(files), self.uploads, Path(place, "upload"), self.limits)
                known, event = find_model(model), whole_number("event", number, 1)
                shown = self._shown(Question(known.name, files=tuple(taken), number=event))
            except AppError as error:
                shown = Shown(told_error(error))
        return (*shown, None)

    def _shown(self, question: Question) -> Shown:
        with answered(question, self.answers, self.limits) as (answer, out):
            words = f"{answer.event} as {answer.model} sees it"
            return Shown(
                told_answer(answer),
                shown_picture(out / answer.picture, words),
                shown_page(out / answer.page, words),
                told_why(answer, out),
            )


def find_model(name: object) -> OfferedModel:
    """Look a model up that is offered.

    Raises:
        QuestionError: There is none of this name.
    """
    models = offered_models()
    if not isinstance(name, str) or name not in models:
        raise QuestionError(
            f"model: expected one of {', '.join(models)}, got {name!r}{did_you_mean([name], models)}"
        )
    return models[name]


def paths_of(files: object) -> list[str]:
    """Return where a page says that uploads are."""
    told = files if isinstance(files, list) else []
    return [one["path"] for one in told if isinstance(one, dict) and isinstance(one.get("path"), str)]
