"""A model or a dataset is a folder or a repository; what is neither is refused within seconds."""

import httpx2
import pytest

from nuzoo.files import hub_access
from nuzoo.files.errors import HubAccessError, PlaceError
from nuzoo.files.places import check_place

KINDS = ("model", "dataset")


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_is_taken_and_no_one_is_asked(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(hub_access.HfApi, "repo_info", lambda *args, **kwargs: pytest.fail("asked the Hub"))
    check_place(str(tmp_path), kind)


@pytest.mark.parametrize(
    "path", ["nowhere", "./no/where", "/no/where", "a/b/c", "~/x", "a//b", "a b/c", "a..b/c"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_name_is_refused_and_no_one_is_asked(path, kind, monkeypatch):
    monkeypatch.setattr(hub_access.HfApi, "repo_info", lambda *args, **kwargs: pytest.fail("asked the Hub"))
    with pytest.raises(PlaceError, match=f"expected a {kind} folder or a repository organisation/name"):
        check_place(path, kind)


def test_a_file_is_no_place(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PlaceError, match="a/b: expected a model folder"):
        check_place("a/b", "model")


@pytest.mark.parametrize("kind", KINDS)
def test_one_request_says_that_there_is_no_way_to_the_hub(kind, monkeypatch):
    asked = []

    def no_way(*args, **kwargs):
        asked.append(kwargs)
        raise httpx2.ConnectError("Name or service not known")

    monkeypatch.setattr(hub_access.HfApi, "repo_info", no_way)
    with pytest.raises(HubAccessError, match=r"org/nope, which is no folder here.*no connection"):
        check_place("org/nope", kind)
    assert len(asked) == 1 and asked[0]["timeout"] <= 2


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_in_the_cache_is_taken_offline(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(hub_access.constants, "HF_HUB_CACHE", str(tmp_path))
    (tmp_path / f"{kind}s--org--name" / "snapshots").mkdir(parents=True)
    monkeypatch.setattr(hub_access.HfApi, "repo_info", lambda *args, **kwargs: pytest.fail("asked the Hub"))
    check_place("org/name", kind)


def test_a_slow_hub_is_not_said_to_lack_a_repository(monkeypatch):
    def slow(*args, **kwargs):
        raise httpx2.ReadTimeout("slow")

    monkeypatch.setattr(hub_access.HfApi, "repo_info", slow)
    check_place("org/name", "model")


@pytest.mark.parametrize("kind", KINDS)
def test_a_typing_error_in_a_path_is_not_blamed_on_the_network(kind, tmp_path, monkeypatch):
    def no_way(*args, **kwargs):
        raise httpx2.ConnectError("Name or service not known")

    (tmp_path / "runs" / "nu-cnn-tiny").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hub_access.HfApi, "repo_info", no_way)
    with pytest.raises(PlaceError, match=r"^runs/nu-cn-tiny: there is no such folder: did you mean runs/nu"):
        check_place("runs/nu-cn-tiny", kind)
    with pytest.raises(PlaceError, match=r"^runs/else: there is no such folder; nor on the Hub"):
        check_place("runs/else", kind)
    with pytest.raises(PlaceError, match=r"got neither: did you mean .*/runs/nu-cnn-tiny\?"):
        check_place(str(tmp_path / "runs" / "nu-cn-tiny"), kind)
