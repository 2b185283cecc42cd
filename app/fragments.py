"""An answer as pieces of HTML: every text is escaped, pictures and pages are in them, no file is served."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from nuzoo.app.answer import Answer
from nuzoo.app.offered import OfferedModel
from nuzoo.app.told import Scores, Table
from nuzoo.evaluation.core.style import NEUTRINOS, class_parts

NO_WHY = "Nothing says yet why models for this task answer as they do."

ABOUT = ("task", "detector", "size", "measured")


def about_model(model: OfferedModel) -> str:
    """Say what a model is."""
    return _pairs(zip(ABOUT, model.about, strict=True))


def told_answer(answer: Answer) -> str:
    """Write what is known of the event, and what the model says."""
    facts = {"event": answer.event, "model": answer.model, **answer.facts}
    parts = [_pairs(facts.items()), *map(_bars, answer.scores), *map(_table, answer.tables)]
    return "\n".join(parts)


def told_error(sentence: object) -> str:
    """Write an error."""
    return f'<p class="error" role="alert">{escape(str(sentence))}</p>'


def shown_picture(file: Path, words: str) -> str:
    """Put a PNG picture in, described by words."""
    data = b64encode(file.read_bytes()).decode("ascii")
    return f'<img class="event" alt="{escape(words)}" src="data:image/png;base64,{data}">'


def shown_page(file: Path, words: str) -> str:
    """Put an interactive page in, which can reach nothing outside of its frame."""
    text = escape(file.read_text(encoding="utf-8"))
    return f'<iframe class="event" title="{escape(words)}" sandbox="allow-scripts" srcdoc="{text}"></iframe>'


def told_why(answer: Answer, folder: Path) -> str:
    """Write why the model says so."""
    lines = "".join(f"<p>{escape(line)}</p>" for line in answer.why or [NO_WHY])
    if answer.why_picture is None:
        return lines
    return lines + shown_picture(folder / answer.why_picture, f"why {answer.model} says so of {answer.event}")


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    lines = (f"<dt>{escape(title)}</dt><dd>{_text(text)}</dd>" for title, text in pairs)
    return f"<dl>{''.join(lines)}</dl>"


def _bars(scores: Scores) -> str:
    best = max(scores.scores.values(), default=0.0)
    bars = "".join(
        f'<div class="bar{" best" if score == best else ""}"><i style="width:{100 * score:.1f}%"></i>'
        f"<span>{_class_title(name)}</span><span>{score:.3f}</span></div>"
        for name, score in scores.scores.items()
    )
    title = f"probability of {scores.title}" if scores.title else "probability"
    return f"<section><h3>{escape(title)}</h3>{bars}</section>"


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in table.header)
    body = "".join(f"<tr>{_cells(row)}</tr>" for row in table.rows)
    note = f"<p>{escape(table.note)}</p>" if table.note else ""
    rows = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<section><div class="rows">{rows}</div>{note}</section>'


def _cells(row: Sequence[str]) -> str:
    return "".join(f"<td>{escape(text)}</td>" for text in row)


def _class_title(name: str) -> str:
    """Write the name of a class as the field does."""
    parts = class_parts(name)
    return "".join(f"<sub>{escape(text)}</sub>" if index else escape(text) for text, index in parts)


def _text(text: str) -> str:
    """Write the name of a class of neutrinos as the field does, and any other text as it is."""
    return _class_title(text) if text in (*NEUTRINOS, "nc") else escape(text)
