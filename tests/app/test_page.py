"""The page through HTTP: the calls of its buttons, and what somebody hostile would send."""

import html
import json
import os
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import h5py
import httpx2
import numpy as np
import pytest
from gradio_client import Client, handle_file

from .conftest import UPLOAD_MB

MODEL = "nu-cnn-tiny"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def client(served):
    return Client(served, verbose=False)


def words(told):
    return html.unescape(re.sub(r"<[^>]+>", " ", told))


def ask(client, *files, model=MODEL, number=1):
    return client.predict(model, [handle_file(str(file)) for file in files], number, api_name="/file")


def ask_raw(served, path):
    """Ask about a path that was never uploaded, as the client refuses to."""
    sent = [MODEL, [{"path": path, "orig_name": "x.npy", "meta": {"_type": "gradio.FileData"}}], 1]
    event = httpx2.post(f"{served}/gradio_api/call/file", json={"data": sent}).json()["event_id"]
    told = httpx2.get(f"{served}/gradio_api/call/file/{event}", timeout=60).text
    return json.loads(re.search(r"event: (?:complete|error)\ndata: (.*)", told)[1])


def test_a_file_is_answered_with_probabilities_pictures_and_why_and_is_gone(client, maps):
    told, picture, interactive, why, files = ask(client, maps)
    assert "probability" in words(told) and "event" in words(told)
    assert picture.startswith('<img class="event"') and "data:image/png;base64," in picture
    assert 'sandbox="allow-scripts"' in interactive and "srcdoc=" in interactive
    assert "most energetic object" in why and "data:image/png" in why
    assert not files
    assert not [file for file in Path(os.environ["GRADIO_TEMP_DIR"]).parent.rglob("*") if file.is_file()]
    for text in (told, why):
        assert "/tmp" not in text and "nuzoo-app" not in text


def test_an_event_without_hits_is_answered_and_one_that_is_not_there_is_not(client, maps):
    told, *_, why, _ = ask(client, maps, number=2)
    assert "probability" in words(told) and "without one" in why
    told, picture, *_ = ask(client, maps, number=3)
    assert "a number from 1 to 2 events, got 3" in words(told) and 'role="alert"' in told and not picture


def test_an_event_of_another_detector_and_files_that_hold_none_are_refused_in_a_sentence(
    client, maps, tmp_path
):
    told = words(ask(client, maps, model="nu-cnn-dune")[0])
    assert "events of dune-like-3view, these are of modular-2x2x7" in told
    (tmp_path / "broken.h5").write_bytes(b"\x89HDF\r\n\x1a\nbroken")
    (tmp_path / "notes.txt").write_text("no events")
    for name in ("broken.h5", "notes.txt"):
        told = ask(client, tmp_path / name)[0]
        assert name in words(told) and 'role="alert"' in told
        assert "Traceback" not in told and "/tmp" not in told


def test_names_of_events_and_files_are_text(client, tmp_path):
    file = tmp_path / "<img src=x onerror=alert(1)>.h5"
    with h5py.File(file, "w") as content:
        content["images"] = np.zeros((1, 2, 512, 512), np.float32)
        content["event_id"] = np.array([HOSTILE], dtype=h5py.string_dtype())
    shown = ask(client, file)
    assert html.escape(HOSTILE) in shown[0]
    assert not any(HOSTILE in str(part) or "<img src=x" in str(part) for part in shown)


def test_two_users_with_one_file_at_once_have_each_an_answer(served, maps):
    with ThreadPoolExecutor(2) as users:
        both = [users.submit(lambda: ask(Client(served, verbose=False), maps)) for _ in range(2)]
        told = [one.result()[0] for one in both]
    assert told[0] == told[1] and "probability" in words(told[0])


@pytest.mark.parametrize("path", ["/etc/passwd", "../../x", "http://127.0.0.1:9/x.npy", "/proc/self/environ"])
def test_a_path_that_was_not_uploaded_is_not_read(served, path):
    told = ask_raw(served, path)
    assert told == {"error": None} or "got one that is not there any more" in told[0]


def test_an_upload_has_a_folder_of_a_random_name_and_no_path_of_its_own(served):
    files = [("files", ("../../../x.npy", b"same"))]
    (first,), (second,) = (httpx2.post(f"{served}/gradio_api/upload", files=files).json() for _ in range(2))
    assert first.rpartition("/")[2] == "x.npy" and first.split("/")[-3] == "uploads"
    assert first != second
    for place in ("gradio_api/file=", "gradio_api/file/"):
        assert httpx2.get(f"{served}/{place}{first}").status_code == 403


def test_two_gigabytes_are_refused_before_they_are_sent(served):
    where = urlsplit(served)
    head = (
        f"POST /gradio_api/upload HTTP/1.1\r\nHost: {where.netloc}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n"
    )
    for length, status in (("Content-Length: 2000000000", b"413"), ("Transfer-Encoding: chunked", b"411")):
        with socket.create_connection((where.hostname, where.port), timeout=20) as connection:
            connection.sendall(f"{head}{length}\r\n\r\n".encode())
            assert connection.recv(4096).split()[1] == status
    told = httpx2.post(f"{served}/gradio_api/upload", files=[("files", ("a", bytes(UPLOAD_MB * 2_000_000)))])
    assert told.status_code == 413 and f"{UPLOAD_MB} MB at most" in told.text


def test_the_page_fetches_nothing_from_elsewhere_and_tells_nobody(served):
    answer = httpx2.get(served)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy and "http" not in policy
    assert not re.findall(r"<(?:script|link)[^>]*(?:src|href)=\"https?://(?!127\.0\.0\.1)[^\"]*", answer.text)
    settings = httpx2.get(f"{served}/config").json()
    assert settings["analytics_enabled"] is False and not settings.get("is_space")


def test_it_listens_on_this_machine_alone(served):
    assert urlsplit(served).hostname == "127.0.0.1"
    _, _, (other, *_) = socket.gethostbyname_ex(socket.gethostname())
    if other.startswith("127."):
        pytest.skip("this machine has no other address")
    with pytest.raises(OSError):
        socket.create_connection((other, urlsplit(served).port), timeout=5).close()
