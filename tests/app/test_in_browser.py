"""The page through its controls, in headless Chromium."""

import os
import shutil
from pathlib import Path

import pytest

from nuzoo.app import server
from nuzoo.app.limits import Limits
from nuzoo.app.offered import offered_models

pytestmark = pytest.mark.browser

SECONDS = 180
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ASKED = {model.task.name: name for name, model in offered_models().items()}
"""A model of each task."""


@pytest.fixture(scope="module")
def address():
    """The page as `nuzoo app` serves it, with all simulations compiled."""
    with server.serving(Limits(seconds=SECONDS)) as address:
        yield address.local


@pytest.fixture(scope="module")
def browser():
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"expected a browser ({', '.join(NAMES)}), got none: install Chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        arguments = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        yield running.chromium.launch(executable_path=found, args=arguments)


@pytest.fixture
def page(browser, address):
    """The page, and what it asked for elsewhere, which must be nothing."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(1000 * SECONDS)
    elsewhere, broken = [], []
    page.on("request", lambda sent: elsewhere.append(sent.url) if not sent.url.startswith(OWN) else None)
    page.on("pageerror", lambda error: broken.append(error))
    page.on("dialog", lambda shown: broken.append(shown.message) or shown.dismiss())
    page.goto(address)
    page.wait_for_selector("#ask-sample")
    yield page
    page.close()
    assert not elsewhere and not broken


OWN = ("http://127.0.0.1:", "data:", "blob:", "about:")


def choose(page, name):
    page.fill("#model input", name)
    page.get_by_role("option", name=name).click()
    detector = next(iter(offered_models()[name].events.plan["detector"].splitlines()))
    page.get_by_text(detector, exact=True).first.wait_for()


def answer_of(page, name):
    page.wait_for_function(
        "name => { const told = document.querySelector('#told').innerText; return told.includes(name); }",
        arg=name,
    )
    page.wait_for_selector("#picture img")


def picture(page, name):
    """Keep a picture of the page where NUZOO_SCREENSHOTS names a folder."""
    if folder := os.environ.get("NUZOO_SCREENSHOTS"):
        page.screenshot(path=Path(folder, f"{name}.png"), full_page=True)


@pytest.mark.parametrize("task", ASKED)
def test_a_sample_event_of_each_task_is_answered_drawn_and_explained(page, task):
    name = ASKED[task]
    choose(page, name)
    page.click("#ask-sample")
    answer_of(page, name)
    assert page.eval_on_selector("#picture img", "image => image.complete && image.naturalWidth > 500")
    picture(page, f"{task}-picture")
    page.get_by_role("tab", name="interactive").click()
    frame = page.frame_locator("#interactive iframe")
    frame.locator("canvas").first.wait_for()
    assert frame.locator("#event").inner_text().startswith("sim-")
    page.wait_for_timeout(1500)
    picture(page, f"{task}-interactive")
    page.get_by_role("tab", name="why").click()
    assert page.inner_text("#why").strip()
    picture(page, f"{task}-why")


def test_a_file_with_a_hostile_name_is_answered_and_gone(page, maps, tmp_path):
    hostile = tmp_path / "<img src=x onerror=alert(1)>.npz"
    shutil.copy(maps, hostile)
    choose(page, "nu-cnn-tiny")
    page.get_by_role("tab", name="my own file").click()
    page.set_input_files("#files input[type=file]", hostile)
    assert "_<view>.png" in page.inner_text("body")
    page.wait_for_selector("#files .file-preview, #files table")
    page.click("#ask-files")
    answer_of(page, "nu-cnn-tiny")
    page.wait_for_selector("#files .file-preview, #files table", state="detached")
    picture(page, "own-file")


def test_a_broken_file_is_a_sentence(page, tmp_path):
    broken = tmp_path / "broken.h5"
    broken.write_bytes(b"\x89HDF broken")
    choose(page, "nu-cnn-tiny")
    page.get_by_role("tab", name="my own file").click()
    page.set_input_files("#files input[type=file]", broken)
    page.wait_for_selector("#files .file-preview, #files table")
    page.click("#ask-files")
    told = page.wait_for_selector("#told [role=alert]").inner_text()
    assert told.startswith("broken.h5: expected an HDF5 file") and "/tmp" not in told
    picture(page, "broken-file")


def test_a_file_beyond_the_limit_is_refused_by_name(page, tmp_path):
    large = tmp_path / "large.npy"
    with large.open("wb") as file:
        file.truncate(60_000_000)
    page.get_by_role("tab", name="my own file").click()
    page.set_input_files("#files input[type=file]", large)
    told = page.wait_for_selector("#files .error").evaluate("one => getComputedStyle(one, '::after').content")
    assert "expected files of 50 MB at most together, got more" in told
    picture(page, "too-large")


def test_the_class_of_a_sample_event_can_be_chosen(page):
    choose(page, "nu-perceiver-scintillator-tiny")
    page.click("#class input")
    page.get_by_role("option", name="muon").click()
    page.fill("#seed input", "5")
    page.click("#ask-sample")
    answer_of(page, "nu-perceiver-scintillator-tiny")
    assert "truth\nmuon" in page.inner_text("#told") and "sim-5-" in page.inner_text("#told")
