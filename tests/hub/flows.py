"""What the flows against the local Hub share: a run that can be published, and a process that publishes."""

import base64
import os
from dataclasses import dataclass
from multiprocessing import Pipe

import torch
from datasets import load_dataset

from nuzoo.cli import main
from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.hub.local_hub.commits import Change
from nuzoo.modeling.modeling_nu_cnn import NuCnnForEventClassification
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor

from ..drawing import undrawn
from ..fresh_process import start
from .served_commands import serve


@dataclass(frozen=True)
class Done:
    """What a command ended with."""

    status: int
    out: str
    err: str


class Session:
    """A process that talks to the local Hub and stays, so that the libraries are imported once.

    Waiting between two tries of the client takes no time in it.
    """

    def __init__(self, hub, cache):
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
        self._environment |= {**hub.environment(cache), "OMP_NUM_THREADS": "1"}
        self._tasks, tasks = Pipe()
        self._signals, wakeup = Pipe(duplex=False)
        self._process = start(serve, tasks, wakeup, str(cache), self._environment)
        tasks.close()
        wakeup.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self._tasks.close()
        self._signals.close()

    def nuzoo(self, *command, **environment):
        """Run `nuzoo …`, with variables changed for this command only."""
        arguments = [str(argument) for argument in command]
        status, out, err = self._ask(environment, command=arguments)
        assert isinstance(status, int), status
        return Done(status, out, err)

    def publish(self, *command):
        """Run `nuzoo publish …`, which must succeed; gives the revision."""
        done = self.nuzoo("publish", *command)
        assert done.status == 0, done.err
        return done.out.splitlines()[-2].rpartition(" ")[2]

    def signal(self, number):
        """Send a signal to the process, and wait until it has come."""
        os.kill(self._process.pid, number)
        assert os.read(self._signals.fileno(), 1) == bytes([number])

    def kill(self):
        """Kill the process, which gives no answer any more."""
        self._process.kill()
        self._process.join()

    def run(self, code):
        """Run lines of Python, which must not raise; gives what they print."""
        error, out, _ = self._ask({}, code=code)
        assert error is None, error
        return out

    def trust_flat_copies(self):
        """Publish without the trial in a process of its own, which takes most of the time."""
        self.run("import nuzoo.hub.model.publish as m\nm.check_flat_copy = lambda folder: 'not tried'")

    def _ask(self, changed, **task):
        before = {name: self._environment[name] for name in changed}
        try:
            return self._send(task | {"environment": changed})
        finally:
            if before:
                self._send({"environment": before, "code": ""})

    def _send(self, task):
        self._tasks.send(task)
        return self._tasks.recv()


def write_run(folder, dataset):
    """An evaluated run folder of an untrained network, as `nuzoo train` and `nuzoo evaluate` leave it."""
    rows = load_dataset(str(dataset), split="train")
    processor = NuPixelMapImageProcessor(detector="modular-2x2x7", rebin=8, mev_per_count=0.033)
    processor.fit(rows).save_pretrained(folder)
    torch.manual_seed(0)
    NuCnnForEventClassification(NuCnnConfig.tiny()).save_pretrained(folder)
    evaluate(folder, dataset, "--calibrate")
    return folder


@undrawn()
def evaluate(folder, dataset, *options):
    """Measure a network of a run folder; its pictures show nothing."""
    command = ["evaluate", "--model", str(folder), "--data", str(dataset), "--displays", "0", *options]
    assert main(command) == 0


def state(hub, name, kind="model"):
    """Revision of main and identity of each file; None where there is no repository."""
    repository = hub.repositories.find(kind, name)
    if repository is None:
        return None
    commit = repository.find("main")
    return commit.id, {path: file.sha256 for path, file in commit.files.items()}


def count_commits(hub, name, kind="model"):
    """How many commits lead to main, the first one of `.gitattributes` included."""
    repository = hub.repositories.find(kind, name)
    return len(list(repository.history(repository.find("main"))))


def contents(hub, name, kind="model"):
    """Bytes of each file of main."""
    repository = hub.repositories.find(kind, name)
    files = repository.find("main").files.items()
    return {path: repository.object_path(file.sha256).read_bytes() for path, file in files}


def commit(hub, name, changed, kind="model", deleted=()):
    """Somebody commits: files by name as bytes, and names of files to delete."""
    steps = [("deletedFile", {"path": path}) for path in deleted]
    for path, content in changed.items():
        text = base64.b64encode(content).decode()
        steps.append(("file", {"path": path, "content": text, "encoding": "base64"}))
    change = Change("change by hand", steps=tuple(steps))
    with hub.repositories.writing:
        return hub.repositories.find(kind, name).commit("main", change, "somebody").id
