import ast
from importlib.metadata import version

import pytest
from huggingface_hub import metadata_load

from nuzoo.app.limits import Limits
from nuzoo.app.space_folder import write_space
from nuzoo.files.errors import FolderInUseError
from nuzoo.hub.errors import HubError, NotPublishedError, UnpublishableContentError
from nuzoo.hub.space.publish import publish_space

from .flows import Session

SPACE = "org/try-nuzoo"


@pytest.fixture(scope="module")
def session(local_hub, tmp_path_factory):
    with Session(local_hub, tmp_path_factory.mktemp("cache")) as session:
        yield session


@pytest.fixture
def folder(tmp_path):
    write_space(tmp_path / "space", Limits(upload_mb=7))
    return tmp_path / "space"


def test_the_folder_is_a_space_of_gradio_with_the_limits_that_were_asked_for(folder):
    card = metadata_load(folder / "README.md")
    assert (card["sdk"], card["sdk_version"], card["app_file"]) == ("gradio", version("gradio"), "app.py")
    assert (folder / "requirements.txt").read_text() == f"nuzoo[app]=={version('nuzoo')}\n"
    calls = [
        node for node in ast.walk(ast.parse((folder / "app.py").read_text())) if isinstance(node, ast.Call)
    ]
    (limits,) = [call for call in calls if getattr(call.func, "id", "") == "Limits"]
    assert {one.arg: one.value.value for one in limits.keywords} == vars(Limits(upload_mb=7))
    with pytest.raises(FolderInUseError, match="new or an empty folder"):
        write_space(folder, Limits())


def test_a_space_is_published_whole_and_again_only_where_it_changed(session, local_hub, folder):
    command = (folder, "--repo", SPACE, "--type", "space")
    first = session.publish(*command)
    there = local_hub.repositories.find("space", SPACE).find("main")
    assert {*there.files} == {".gitattributes", "README.md", "app.py", "requirements.txt", "checksums.json"}
    assert session.publish(*command) == first == there.id
    (folder / "app.py").write_text("# mine\n")
    assert session.publish(*command) != first


def test_what_is_no_space_or_must_not_leave_is_refused(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("nuzoo.hub.space.publish.check_access", lambda repo_id: None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotPublishedError, match="nuzoo app --space"):
        publish_space(tmp_path / "empty", "org/none")
    (folder / "key.txt").write_text("hf_" + "a" * 34)
    with pytest.raises(UnpublishableContentError, match=r"key\.txt"):
        publish_space(folder, "org/none")
    (folder / "key.txt").unlink()
    (folder / "requirements.txt").unlink()
    with pytest.raises(HubError, match=r"expected requirements\.txt"):
        publish_space(folder, "org/none")
    assert not [left for left in tmp_path.iterdir() if left.name.startswith(".nuzoo")]
