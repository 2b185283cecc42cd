from html.parser import HTMLParser

import pytest

from nuzoo.app.answer import Answer
from nuzoo.app.fragments import shown_page, told_answer, told_error, told_why
from nuzoo.app.told import Scores, Table

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;"
OWN = {"dl", "dt", "dd", "section", "h3", "div", "i", "span", "sub", "p", "iframe"}
OWN |= {"table", "thead", "tbody", "tr", "th", "td"}


class Read(HTMLParser):
    """What a browser would see: tags with attributes, and text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def hostile():
    return Answer(
        model="m",
        event=HOSTILE,
        facts={HOSTILE: HOSTILE},
        scores=[Scores(HOSTILE, {HOSTILE: 1.0})],
        tables=[Table([HOSTILE], [[HOSTILE]], HOSTILE)],
        picture="event.png",
        page="event.html",
        why=[HOSTILE],
    )


def test_no_text_of_an_event_becomes_markup(hostile, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(f"<p>{HOSTILE}</p>")
    for text in (
        told_answer(hostile),
        told_why(hostile, tmp_path),
        told_error(HOSTILE),
        shown_page(page, HOSTILE),
    ):
        read = Read(text)
        assert {tag for tag, _ in read.tags} <= OWN
        assert not any(name.startswith("on") for _, attributes in read.tags for name in attributes)
        if "iframe" not in text:
            assert "alert(1)" in read.text


def test_an_interactive_page_is_shut_in(tmp_path):
    page = tmp_path / "page.html"
    page.write_text('<p>it\'s "an" event</p>')
    ((tag, attributes),) = Read(shown_page(page, "words")).tags
    assert tag == "iframe" and attributes["sandbox"] == "allow-scripts"
    assert attributes["srcdoc"] == page.read_text()
