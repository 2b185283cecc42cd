"""The local Hub, asked by the real client in fresh processes and by plain HTTP."""

import base64
import hashlib
import json
import subprocess
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

import pytest

from nuzoo.hub.local_hub import LocalHub, Reply

CLIENT = """
import os, sys, time
from pathlib import Path
from huggingface_hub import *
from huggingface_hub.errors import *
api = HfApi()

def refused(error, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except error as raised:
        return raised
    raise SystemExit(f"{call} should have raised {error}")

def write(folder, **files):
    for name, content in files.items():
        path = Path(folder) / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
"""


@pytest.fixture
def client(run_fresh):
    """Run lines with the client, which must succeed; gives what they print."""

    def run(code, *arguments, **options):
        done = run_fresh(CLIENT + code, *arguments, **options)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run


@pytest.fixture
def http(local_hub):
    """Send one plain request; gives (status, headers, body)."""

    def send(method, path, body=None, token=None, **headers):
        if token is None:
            token = local_hub.token
        if token:
            headers["Authorization"] = f"Bearer {token}"
        headers["Content-Type"] = "application/json"
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        request = urllib.request.Request(local_hub.endpoint + path, content, headers, method=method)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    return send


@pytest.fixture
def repository(http, request):
    """A fresh model repository with a.txt and b/c.txt, named after the test."""
    name = "org/" + request.node.name.partition("[")[0].removeprefix("test_")[:60]
    http("DELETE", "/api/repos/delete", {"organization": "org", "name": name[4:]})
    assert http("POST", "/api/repos/create", {"organization": "org", "name": name[4:]})[0] == 200
    assert commit(http, name, file("a.txt", b"first"), file("b/c.txt", b"deep"))[0] == 200
    return name


def file(path, content):
    return {
        "key": "file",
        "value": {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"},
    }


def commit(http, name, *lines, parent=None, **options):
    header = {"key": "header", "value": {"summary": "change", "parentCommit": parent}}
    body = "\n".join(json.dumps(line) for line in (header, *lines)).encode()
    return http("POST", f"/api/models/{name}/commit/main", body, **options)


def state(http, name):
    """Where main stands, and each file with its identity."""
    info = json.loads(http("GET", f"/api/models/{name}")[2])
    tree = json.loads(http("GET", f"/api/models/{name}/tree/main?recursive=true")[2])
    return info["sha"], {entry["path"]: entry["oid"] for entry in tree}


def count(hub, method, part, status=200):
    return sum(r.method == method and part in r.path and r.status == status for r in hub.requests)


def test_a_folder_goes_up_in_one_commit_and_comes_back_bit_for_bit(client, local_hub, http):
    large = bytes(range(256)) * 30_000
    client(
        """
large = bytes(range(256)) * 30_000
card = b"---\\nlicense: mit\\npipeline_tag: x\\ntags: [a]\\n---\\n# Card\\n"
up = write("up", config_json=b"{}", sub__weights_safetensors=large, sub__deep__note_txt=b"hi", empty_bin=b"",
           zeros_dat=b"\\0" * 9, README_md=card)
assert api.create_repo("org/folder").repo_id == "org/folder"
assert "409" in str(refused(HfHubHTTPError, api.create_repo, "org/folder"))
api.create_repo("org/folder", exist_ok=True)
first = api.upload_folder(repo_id="org/folder", folder_path=up, commit_message="all of it")
assert first.oid == api.model_info("org/folder").sha and len(first.oid) == 40
again = api.upload_folder(repo_id="org/folder", folder_path=up)
assert again.oid == first.oid

back = Path(snapshot_download("org/folder"))
assert back.name == first.oid
sent = {p.relative_to(up): p.read_bytes() for p in Path(up).rglob("*") if p.is_file()}
came = {p.relative_to(back): p.read_bytes() for p in back.rglob("*") if p.is_file()}
assert b"*.safetensors filter=lfs" in came.pop(Path(".gitattributes"))
assert came == sent
info = api.model_info("org/folder", files_metadata=True)
assert (info.card_data.license, info.pipeline_tag, info.tags) == ("mit", "x", ["a"])
assert {s.rfilename for s in info.siblings if s.lfs} == {"sub/weights.safetensors", "zeros.dat"}
"""
    )
    commits = [r for r in local_hub.requests if "/org/folder/commit/" in r.path]
    assert [r.status for r in commits] == [200]
    assert count(local_hub, "PUT", "org/folder/" + hashlib.sha256(large).hexdigest()) == 1
    head = http("HEAD", "/org/folder/resolve/main/sub/weights.safetensors")[1]
    assert head["ETag"].strip('"') == head["X-Linked-Etag"].strip('"') == hashlib.sha256(large).hexdigest()
    assert int(head["X-Linked-Size"]) == int(head["Content-Length"]) == len(large)


def test_regular_files_have_the_identity_that_git_gives(http, repository, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"first")
    git = subprocess.run(
        ["git", "hash-object", tmp_path / "a.txt"], capture_output=True, text=True, check=True
    )
    assert http("HEAD", f"/{repository}/resolve/main/a.txt")[1]["ETag"] == f'"{git.stdout.strip()}"'


def test_revisions_deletions_and_history(client):
    client(
        """
name = "org/history"
api.create_repo(name)
add, delete = CommitOperationAdd, CommitOperationDelete
def commit(title, *operations, **named):
    return api.create_commit(name, operations, commit_message=title, **named)

one = commit("one", add("f.txt", b"1"), add("d/x.txt", b"x"), add("d/e/y.txt", b"y"))
api.create_tag(name, tag="v1", tag_message="first")
api.create_branch(name, branch="side/one", revision="v1")
two = commit("two", add("f.txt", b"2"), delete("d/"))
api.upload_file(repo_id=name, path_in_repo="s.txt", path_or_fileobj=b"side", revision="side/one")

read = lambda path, revision: Path(hf_hub_download(name, path, revision=revision)).read_bytes()
revisions = {"main": b"2", "v1": b"1", one.oid: b"1", two.oid: b"2", "side/one": b"1"}
assert {r: read("f.txt", r) for r in revisions} == revisions
assert sorted(api.list_repo_files(name)) == [".gitattributes", "f.txt"]
assert "s.txt" in api.list_repo_files(name, revision="side/one")
assert [c.title for c in api.list_repo_commits(name)] == ["two", "one", "initial commit"]

tree = {e.path: e for e in api.list_repo_tree(name, recursive=True, revision="v1")}
assert isinstance(tree["d/e"], RepoFolder) and tree["d/e/y.txt"].size == 1
assert [e.path for e in api.list_repo_tree(name, "d", revision="v1")] == ["d/e", "d/x.txt"]
assert [e.path for e in api.get_paths_info(name, ["f.txt", "nothing"])] == ["f.txt"]

refused(EntryNotFoundError, hf_hub_download, name, "d/x.txt")
refused(EntryNotFoundError, list, api.list_repo_tree(name, "d"))
refused(EntryNotFoundError, api.delete_file, "nothing.txt", name)
refused(RevisionNotFoundError, hf_hub_download, name, "f.txt", revision="v2")
refused(RevisionNotFoundError, commit, "g", add("g", b"g"), revision="v1")
assert refused(HfHubHTTPError, api.create_tag, name, tag="v1").response.status_code == 409
api.create_tag(name, tag="v1", exist_ok=True)

stale = refused(HfHubHTTPError, commit, "3", add("f.txt", b"3"), parent_commit=one.oid)
assert stale.response.status_code == 412 and api.model_info(name).sha == two.oid
commit("3", add("f.txt", b"3"), parent_commit=two.oid)
api.delete_repo(name)
refused(RepositoryNotFoundError, api.model_info, name)
refused(RepositoryNotFoundError, hf_hub_download, name, "never-cached.txt")
refused(RepositoryNotFoundError, api.delete_repo, name)
api.delete_repo(name, missing_ok=True)
"""
    )


def test_ranges(http, repository, client):
    client(
        f"""
content = os.urandom(3_000_000)
api.upload_file(repo_id="{repository}", path_in_repo="big.bin", path_or_fileobj=content)
with HfFileSystem().open("{repository}/big.bin", block_size=100_000) as stream:
    for start, size in ((2_999_000, 5000), (0, 10), (1_234_567, 300_000)):
        stream.seek(start)
        assert stream.read(size) == content[start : start + size]
"""
    )
    path = f"/{repository}/resolve/main/b/c.txt"
    for asked, status, body in (
        ("bytes=1-2", 206, b"ee"),
        ("bytes=2-", 206, b"ep"),
        ("bytes=-1", 206, b"p"),
        ("bytes=0-99", 206, b"deep"),
        ("lines=1-2", 200, b"deep"),
    ):
        assert http("GET", path, Range=asked)[::2] == (status, body)
    assert http("GET", path, Range="bytes=1-2")[1]["Content-Range"] == "bytes 1-2/4"
    assert http("GET", path, Range="bytes=4-9")[0] == 416


def test_datasets_with_two_configs_load_and_stream_without_any_other_network(client):
    push = """
from datasets import Dataset, DatasetDict
for config, rows in (("small", 20), ("large", 30)):
    split = Dataset.from_dict({"x": list(range(rows)), "y": [[1.5, 2.5]] * rows})
    DatasetDict({"train": split, "test": split}).push_to_hub("org/two-configs", config_name=config)
"""
    load = """
from datasets import get_dataset_config_names, load_dataset
assert get_dataset_config_names("org/two-configs") == ["large", "small"]
loaded = load_dataset("org/two-configs", "large")
assert loaded["train"]["x"] == list(range(30)) and loaded["test"][3] == {"x": 3, "y": [1.5, 2.5]}
stream = load_dataset("org/two-configs", "small", split="test", streaming=True)
assert [row["x"] for row in stream] == list(range(20))
"""
    guard = """
def stay_here(event, arguments):
    host = {"socket.getaddrinfo": lambda: arguments[0], "socket.connect": lambda: arguments[1][0]}.get(event)
    if host and host() != "127.0.0.1":
        sys.stderr.write(f"went out to {host()}")
        os._exit(3)
sys.addaudithook(stay_here)
"""
    client(guard + push)
    client(guard + load)


def test_other_hosts_are_not_reached(run_fresh, local_hub):
    code = """
import urllib.request
for address in ("http://example.org/page", "https://example.org/page"):
    try:
        urllib.request.urlopen(address, timeout=10)
    except OSError:
        continue
    raise SystemExit(address)
"""
    assert run_fresh(code).returncode == 0
    assert [r.status for r in local_hub.requests if "example.org" in r.path] == [404]


def test_commits_at_the_same_time_all_count(http, repository):
    def add(number):
        return commit(http, repository, file(f"{number}.txt", b"%d" % number))[0]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(add, range(16))) == [200] * 16
    assert len(json.loads(http("GET", f"/api/models/{repository}/commits/main")[2])) == 2 + 16
    head, files = state(http, repository)
    assert {f"{number}.txt" for number in range(16)} <= files.keys()

    def add_to_head(number):
        return commit(http, repository, file(f"late-{number}.txt", b""), parent=head)[0]

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(add_to_head, range(8))) == [200] + [412] * 7
    assert len(state(http, repository)[1]) == len(files) + 1


def test_repositories_outlive_the_server(tmp_path):
    def call(hub, method, path, body=None):
        connection = HTTPConnection(hub.endpoint.removeprefix("http://"), timeout=10)
        connection.request(method, path, body, {"Authorization": f"Bearer {hub.token}"})
        return json.loads(connection.getresponse().read())

    with LocalHub(tmp_path) as hub:
        call(hub, "POST", "/api/repos/create", json.dumps({"name": "kept", "type": "dataset"}))
        before = call(hub, "GET", "/api/datasets/local/kept")
        assert hub.endpoint.startswith("http://127.0.0.1:")
    with pytest.raises(ConnectionError):
        call(hub, "GET", "/api/datasets/local/kept")
    with LocalHub(tmp_path) as hub:
        assert call(hub, "GET", "/api/datasets/local/kept") == before


def test_who_may_do_what(client, local_hub):
    names = [local_hub.token, local_hub.visitor_token]
    client(
        """
owner, visitor, nobody, forger = (HfApi(token=t) for t in (*sys.argv[1:], False, "hf_made_up"))
for name, private in (("org/open", False), ("org/closed", True)):
    owner.create_repo(name, private=private)
    owner.upload_file(repo_id=name, path_in_repo="f.txt", path_or_fileobj=b"f")
assert (owner.whoami()["name"], visitor.whoami()["name"]) == ("local", "visitor")
def status(api, error, call, *arguments, **named):
    return refused(error, getattr(api, call), *arguments, **named).response.status_code

for api in (owner, visitor, nobody):
    assert api.model_info("org/open").private is False
    api.hf_hub_download("org/open", "f.txt", force_download=True)
assert owner.model_info("org/closed").private is True
info, download = ["model_info", "org/closed"], ["hf_hub_download", "org/closed", "f.txt"]
for call in (info, download, ["model_info", "org/gone"]):
    assert status(visitor, RepositoryNotFoundError, *call) == 404
    assert status(nobody, RepositoryNotFoundError, *call) == 401
    assert status(forger, HfHubHTTPError, *call) == 401

add = dict(path_in_repo="g.txt", path_or_fileobj=b"g", repo_id="org/open")
head = owner.model_info("org/open").sha
assert status(visitor, HfHubHTTPError, "upload_file", **add) == 403
assert status(nobody, HfHubHTTPError, "upload_file", **add) == 401
assert status(forger, HfHubHTTPError, "upload_file", **add) == 401
assert status(nobody, HfHubHTTPError, "create_repo", "org/new") == 401
assert status(visitor, HfHubHTTPError, "delete_repo", "org/open") == 403
assert owner.model_info("org/open").sha == head
""",
        *names,
    )
    local_hub.gate("org/open")
    client(
        """
assert api.model_info("org/open").gated == "manual"
assert refused(GatedRepoError, hf_hub_download, "org/open", "f.txt").response.status_code == 403
assert refused(GatedRepoError, hf_hub_download, "org/open", "f.txt", token=False).response.status_code == 401
"""
    )


def test_an_interrupted_download_is_resumed_or_can_be_repeated(client, local_hub, tmp_path):
    content = bytes(range(256)) * 45_000  # the client writes pieces of 10 MiB
    (tmp_path / "w.safetensors").write_bytes(content)
    client(
        """
api.create_repo("org/torn")
api.upload_file(repo_id="org/torn", path_in_repo="w.safetensors", path_or_fileobj=sys.argv[1])
""",
        tmp_path / "w.safetensors",
    )
    download = "sys.stdout.write(hf_hub_download('org/torn', 'w.safetensors'))"

    def cut_whole_files(request):
        is_whole = request.method == "GET" and "/resolve/" in request.path and "Range" not in request.headers
        return replace(request.answer(), stop_after=11_000_000) if is_whole else None

    local_hub.intercept = cut_whole_files
    resumed = client("time.sleep = lambda s: None\n" + download, cache=tmp_path / "resumed")
    assert Path(resumed).read_bytes() == content
    assert count(local_hub, "GET", "org/torn/resolve", 206) == 1

    def hang_up(request):
        return Reply(stop_after=0) if request.method == "GET" and "/resolve/" in request.path else None

    local_hub.intercept = hang_up
    client(
        "time.sleep = lambda s: None\nimport httpx2\nrefused(httpx2.RemoteProtocolError, lambda: "
        + download
        + ")",
        cache=tmp_path / "again",
    )
    local_hub.intercept = None
    assert Path(client(download, cache=tmp_path / "again")).read_bytes() == content

    def flip(request):
        if request.method != "GET" or "/resolve/" not in request.path:
            return None
        reply = request.answer()
        return replace(reply, body=reply.read()[:-1] + b"\0")

    local_hub.intercept = flip
    assert Path(client(download)).read_bytes() == content[:-1] + b"\0"


@pytest.mark.parametrize(
    ("method", "part", "reply"),
    [
        ("PUT", "/lfs/", Reply(503)),
        ("PUT", "/lfs/", Reply(stop_after=0)),
        ("POST", "/lfs/objects/batch", Reply(500)),
        ("POST", "/commit/", Reply(500)),
        ("POST", "/commit/", Reply(401)),
        ("POST", "/preupload/", Reply(502)),
    ],
)
def test_an_interrupted_upload_leaves_the_repository_as_it_was(
    client, http, local_hub, repository, method, part, reply
):
    upload = f"""
time.sleep = lambda s: None
up = write("up", a_txt=b"new", w1_safetensors=b"1" * 100, w2_safetensors=b"2" * 100)
upload = lambda: api.upload_folder(repo_id="{repository}", folder_path=up)
"""
    before, seen = state(http, repository), []

    def fail_after_the_first(request):
        if request.method == method and part in request.path:
            seen.append(request.path)
            return reply if part != "/lfs/" or request.path != seen[0] else None
        return None

    local_hub.intercept = fail_after_the_first
    client(upload + "refused(Exception, upload)")
    assert seen and state(http, repository) == before
    local_hub.intercept = None
    client(upload + "upload()")
    head, files = state(http, repository)
    assert head != before[0] and files.keys() == before[1].keys() | {"w1.safetensors", "w2.safetensors"}


def test_an_upload_whose_answer_was_lost_can_be_repeated_without_a_second_commit(
    client, http, local_hub, repository
):
    def lose_the_answer(request):
        if "/commit/" not in request.path:
            return None
        assert request.answer().status == 200
        return Reply(stop_after=0)

    upload = f"""
up = write("up", a_txt=b"new", w_safetensors=b"1" * 100)
upload = lambda: api.upload_folder(repo_id="{repository}", folder_path=up)
"""
    local_hub.intercept = lose_the_answer
    client(upload + "refused(Exception, upload)")
    local_hub.intercept = None
    after = state(http, repository)
    assert "w.safetensors" in after[1]
    client(upload + "upload()")
    assert state(http, repository) == after


def test_a_body_in_chunks_is_read_whole_and_the_connection_goes_on(local_hub, repository):
    connection = HTTPConnection(local_hub.endpoint.removeprefix("http://"), timeout=10)
    body = json.dumps({"files": [{"path": "x.png", "size": 3, "sample": ""}]}).encode()
    headers = {"Authorization": f"Bearer {local_hub.token}"}
    for path in (
        f"/api/models/{repository}/preupload/main",
        "/nowhere",
        f"/api/models/{repository}/preupload/main",
    ):
        connection.request("POST", path, iter([body[:7], body[7:]]), headers, encode_chunked=True)
        answer = connection.getresponse()
        content = json.loads(answer.read())
        assert path == "/nowhere" or content["files"][0]["uploadMode"] == "lfs"


LFS = "0" * 64
BAD_LINES = {
    "above": [file("../evil.txt", b"")],
    "inside and above": [file("x/../../evil.txt", b"")],
    "absolute": [file("/etc/evil", b"")],
    "git": [file(".git/config", b"")],
    "backslash": [file("..\\evil", b"")],
    "no path": [file("", b"")],
    "not base64": [{"key": "file", "value": {"path": "x", "content": "%", "encoding": "base64"}}],
    "not uploaded": [{"key": "lfsFile", "value": {"path": "x.bin", "oid": LFS, "size": 3}}],
    "missing file": [{"key": "deletedFile", "value": {"path": "b"}}],
    "missing folder": [{"key": "deletedFolder", "value": {"path": "a.txt"}}],
    "file and folder": [file("a.txt/below", b"")],
    "unknown": [{"key": "rename", "value": {"path": "a.txt"}}],
    "no value": [{"key": "file"}],
}


@pytest.mark.parametrize("lines", BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_refused_step_undoes_the_whole_commit(http, repository, lines):
    before = state(http, repository)
    status, headers, _ = commit(http, repository, file("good.txt", b"good"), *lines)
    missing = "deleted" in lines[0]["key"]
    assert (status, headers["X-Error-Code"]) == ((404, "EntryNotFound") if missing else (400, None))
    assert state(http, repository) == before


def test_bytes_that_do_not_match_are_not_kept(http, local_hub, repository):
    content = b"weights"
    sha256 = hashlib.sha256(content).hexdigest()
    batch = {"operation": "upload", "objects": [{"oid": sha256, "size": len(content)}]}

    def actions():
        answer = http("POST", f"/{repository}.git/info/lfs/objects/batch", batch)[2]
        return json.loads(answer)["objects"][0].get("actions")

    address = actions()["upload"]["href"].removeprefix(local_hub.endpoint)
    verify = actions()["verify"]["href"].removeprefix(local_hub.endpoint)
    fact = {"oid": sha256, "size": len(content)}
    assert http("PUT", address, b"weighty", token="")[0] == 400
    assert http("PUT", address.partition("?")[0], content)[0] == 403
    assert http("POST", verify, fact)[0] == 404
    assert http("PUT", address, content, token="")[0] == 200
    assert http("POST", verify, fact)[0] == 200 and http("POST", verify, fact | {"size": 1})[0] == 404
    assert actions() is None


def test_a_request_that_breaks_off_changes_nothing(http, local_hub, repository):
    before = state(http, repository)
    body = b'{"key": "header", "value": {"summary": "half"}}\n' + json.dumps(file("x", b"x")).encode() + b"\n"
    connection = HTTPConnection(local_hub.endpoint.removeprefix("http://"), timeout=10)
    connection.putrequest("POST", f"/api/models/{repository}/commit/main")
    connection.putheader("Authorization", f"Bearer {local_hub.token}")
    connection.putheader("Content-Length", str(len(body) + 1))
    connection.endheaders(body)
    connection.sock.shutdown(1)
    assert connection.sock.recv(1) == b""
    assert state(http, repository) == before


@pytest.mark.parametrize("name", ["../evil", "a--b", "a..b", "-a", "a.git", "a b", "", "x" * 97, "a/b"])
def test_names_that_are_no_repository(http, local_hub, name):
    before = sorted(local_hub.repositories.root.rglob("repository.json"))
    assert http("POST", "/api/repos/create", {"organization": "org", "name": name})[0] == 400
    assert sorted(local_hub.repositories.root.rglob("repository.json")) == before


@pytest.mark.parametrize(
    "path", ["..%2f..%2frepository.json", "../repository.json", "%2e%2e/x", "%2fetc/passwd"]
)
def test_no_file_outside_a_repository_is_read(http, repository, path):
    status, headers, _ = http("GET", f"/{repository}/resolve/main/{path}")
    assert (status, headers["X-Error-Code"]) == (404, "EntryNotFound")


def test_cards_are_checked_before_they_go_up(client, http, repository):
    before = state(http, repository)
    client(
        f"""
up = lambda text: api.upload_file(repo_id="{repository}", path_in_repo="README.md", path_or_fileobj=text)
assert "not YAML" in str(refused(ValueError, up, b"---\\ntags: [a\\n---\\n"))
assert "mapping" in str(refused(ValueError, up, b"---\\n- a\\n---\\n"))
"""
    )
    assert state(http, repository) == before


@pytest.mark.parametrize(
    ("path", "body"),
    [("preupload/main", {"files": [{"path": "x"}]}), ("preupload/main", b"["), ("tag/main", b"1")],
)
def test_bodies_that_make_no_sense(http, repository, path, body):
    assert http("POST", f"/api/models/{repository}/{path}", body)[0] == 400


def test_nuzoo_can_be_kept_out_of_a_fresh_process(run_fresh):
    code = """
import importlib, subprocess, sys
for name in ("nuzoo", "nuzoo.hub"):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        continue
    sys.exit(4)
sys.exit(5 * (subprocess.run([sys.executable, "-c", "import nuzoo"], stderr=subprocess.PIPE).returncode == 0))
"""
    assert run_fresh(code, without_nuzoo=True).returncode == 0
    assert run_fresh(code).returncode == 4
