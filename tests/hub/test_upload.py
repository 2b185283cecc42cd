"""What is refused before the Hub is asked, and how its client's errors are told."""

from types import SimpleNamespace

import httpx2
import pytest
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from nuzoo.files.errors import HubAccessError, HubError, RepositoryNameError
from nuzoo.files.hub_access import check_access, check_repo_id, explained
from nuzoo.hub.errors import DatasetReferenceError
from nuzoo.hub.model.dataset_reference import dataset_reference
from nuzoo.hub.pinned import pin
from nuzoo.hub.push import push

GOOD = ["nuzoo/nu-cnn", "o/n", "Org_1/a.b-c", "org/" + "x" * 92]
BAD = [
    *("", "/", "x", "x/", "/x", "a/b/c", "../x", "x/..", "../x/y", "a..b/c", "/tmp/x", "~/x", "C:\\x"),
    *("org/a b", "org/a\n", "org/ä/b", "org/a--b", "org/-a", "org/a.", "org/a.git", "org/" + "x" * 97),
    *("https://huggingface.co/org/x", "org/x@main", "org/x?", "org\\x", "./x", "hf://org/x"),
]


@pytest.fixture
def no_token(monkeypatch, tmp_path):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.delenv("HUGGING_FACE_HUB_TOKEN", raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))


def failed(kind, status, message=""):
    """An error of the client, with the answer that it was made of."""
    request = httpx2.Request("POST", "https://huggingface.co/api/models/org/x/commit/main")
    response = httpx2.Response(status, headers={"X-Error-Message": message}, request=request)
    return kind(message or "failed", response=response, server_message=message or None)


@pytest.mark.parametrize("name", GOOD)
def test_names_that_the_hub_takes(name):
    check_repo_id(name)


@pytest.mark.parametrize("name", BAD)
def test_names_that_are_no_repository(name):
    with pytest.raises(RepositoryNameError, match='expected a repository as "organisation/name"'):
        check_repo_id(name)


@pytest.mark.parametrize("call", [check_access, lambda name: pin(name, "model")])
def test_names_are_checked_first(call, no_token):
    with pytest.raises(RepositoryNameError):
        call("../x")


@pytest.mark.parametrize("revision", [None, "v1"])
def test_a_branch_is_resolved_to_the_commit_that_the_hub_names(monkeypatch, revision):
    asked = []

    class Info:
        sha = "c" * 40

    def repo_info(self, name, *, repo_type, revision):
        asked.append((name, repo_type, revision))
        return Info

    monkeypatch.setattr(HfApi, "repo_info", repo_info)
    assert pin("org/x", "dataset", revision).revision == "c" * 40
    assert pin(f"org/x@{revision or ''}", "dataset").revision == "c" * 40
    assert asked == [("org/x", "dataset", revision)] * 2


def test_offline_is_said_where_the_hub_is_needed():
    with pytest.raises(HubAccessError, match=r"cannot find dataset org/x.*HF_HUB_OFFLINE.*unset"):
        pin("org/x", "dataset")


def test_without_a_token_nothing_is_tried(no_token, tmp_path):
    for call in (
        lambda: check_access("org/x"),
        lambda: push(object(), "org/x"),
    ):
        with pytest.raises(HubAccessError, match=r"no token to write to org/x.*hf auth login.*HF_TOKEN"):
            call()


def test_a_token_that_is_given_is_enough(no_token):
    check_access("org/x", "hf_given")


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (failed(HfHubHTTPError, 401), ["401", "write access", "hf auth login"]),
        (failed(HfHubHTTPError, 403, "not yours"), ["403 (not yours)", "owner of the organisation"]),
        (failed(HfHubHTTPError, 412), ["412", "somebody else committed", "again"]),
        (failed(HfHubHTTPError, 429, "slow down"), ["429 (slow down)", "again later"]),
        (failed(HfHubHTTPError, 503), ["503", "nothing was changed"]),
        (failed(GatedRepoError, 403), ["consent", "accept the terms"]),
        (failed(RepositoryNotFoundError, 404), ["no such repository", "hf auth whoami"]),
        (
            failed(RevisionNotFoundError, 404, "Invalid rev id: v9"),
            ["404 (Invalid rev id: v9)", "check the name"],
        ),
        (httpx2.ConnectError("refused\nand more"), ["no connection", "(refused)", "proxies"]),
        (httpx2.ReadTimeout("slow"), ["no connection", "(slow)"]),
        (ConnectionResetError(), ["no connection", "(ConnectionResetError)"]),
        (LocalEntryNotFoundError("not cached"), ["no connection", "not cached"]),
        (OfflineModeIsEnabled("off"), ["HF_HUB_OFFLINE is set"]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_errors_of_the_client_become_one_line_that_helps(error, parts):
    with pytest.raises(HubAccessError) as caught, explained("publish to org/x"):
        raise error
    message = str(caught.value)
    assert message.startswith("cannot publish to org/x: ")
    assert [part for part in parts if part not in message] == [], message
    assert "\n" not in message
    assert caught.value.__cause__ is error


def test_errors_of_others_pass():
    for error in (KeyError("x"), HubError("ours"), RuntimeError("bug")):
        with pytest.raises(type(error)) as caught, explained("publish"):
            raise error
        assert caught.value is error


RESOLVED = "f" * 40


@pytest.mark.parametrize(
    ("stated", "recipe", "asked"),
    [
        ("org/x", {}, ("org/x", None)),
        ("org/x@v1", {}, ("org/x", "v1")),
        ("org/x@", {}, ("org/x", None)),
        (None, {"data": {"path": "org/y"}}, ("org/y", None)),
        (None, {"data": {"path": "org/y", "revision": "v2"}}, ("org/y", "v2")),
        ("org/x", {"data": {"path": "org/y", "revision": "v2"}}, ("org/x", None)),
    ],
)
def test_which_dataset_a_card_names(monkeypatch, stated, recipe, asked):
    seen = []

    def repo_info(self, name, *, repo_type, revision):
        seen.append((name, revision))
        assert repo_type == "dataset"
        return SimpleNamespace(sha=RESOLVED)

    monkeypatch.setattr(HfApi, "repo_info", repo_info)
    reference = dataset_reference(stated, recipe)
    assert (reference.repo_id, reference.revision) == (asked[0], RESOLVED)
    assert seen == [asked]


@pytest.mark.parametrize("recipe", [{}, {"data": {}}, {"data": {"path": "FOLDER"}}])
def test_no_dataset_on_the_hub(recipe, tmp_path):
    if recipe.get("data"):
        recipe = {"data": {"path": str(tmp_path)}}
    with pytest.raises(DatasetReferenceError, match=r"--type dataset.*--dataset ORG/NAME"):
        dataset_reference(None, recipe)
