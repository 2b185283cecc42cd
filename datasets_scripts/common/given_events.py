"""Datasets that begin with a file: interactions of another generator, or deposits of another transport.

What decides their bytes is the file's SHA-256 and the rest of the plan. Events that cannot be used are found
before anything is simulated, left out, counted and listed; the others keep their places in the file as names.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from tqdm.auto import tqdm

from nuzoo.datasets_scripts.common.dataset_folder import SHARD_SIZE, DatasetRequestError
from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.common.simulated import SimulationPlan, requested_detector, write_simulation
from nuzoo.datasets_scripts.common.undisturbed import undisturbed
from nuzoo.datasets_scripts.readers.source_errors import SourceFileError
from nuzoo.datasets_scripts.sources.errors import OutsideError
from nuzoo.datasets_scripts.sources.formats import open_source, recognised
from nuzoo.datasets_scripts.sources.given import (
    DEPOSITS,
    INTERACTIONS,
    Given,
    GivenDeposits,
    GivenInteraction,
    SourceFile,
    one_word,
)
from nuzoo.datasets_scripts.workers.workers import Workers
from nuzoo.files.checksums import sha256
from nuzoo.files.events.event_truth import RECORDED_PREFIX, TRANSPORTED_PREFIX
from nuzoo.files.left_out import Omission, Reasons, write_omissions
from nuzoo.files.names import LEFT_OUT_FILE
from nuzoo.files.plain_text import counted
from nuzoo.simulation.deposited import Placed, placed
from nuzoo.simulation.detectors import find_detector
from nuzoo.simulation.event_types import Interaction
from nuzoo.simulation.known_truth import KnownTruth

PLACES = ("centred", "kept")
"""Deposits of an event are moved to the middle of the detector, or stay where they are."""

SEPARATOR = ","

_PREFIXES = {INTERACTIONS: TRANSPORTED_PREFIX, DEPOSITS: RECORDED_PREFIX}
_DIGITS = 8


@dataclass(frozen=True)
class GivenPlan(SimulationPlan):
    """Events that a file begins; each dataset has its own way on from there.

    Attributes:
        given: `INTERACTIONS` or `DEPOSITS`.
        file: Name of the file, as one word.
        sha256: Of the file.
        format: Of the file.
        entries: Events in the file; `events` counts those that are used.
        place: One of `PLACES` for deposits; None for interactions, which happen anywhere.
        sensitive: Names of the sensitive detectors whose deposits are taken, `SEPARATOR` between them; None
            for all of them.
        path: Where the file lies; it decides nothing.
    """

    given: str
    file: str
    sha256: str
    format: str
    entries: int
    place: str | None
    sensitive: str | None = field(default=None, kw_only=True)
    path: Path | None = field(default=None, kw_only=True, compare=False)

    begins_with: ClassVar[tuple[str, ...]] = (INTERACTIONS, DEPOSITS)
    """What the file may hold."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.given not in _PREFIXES:
            raise DatasetRequestError(f"given: expected one of {', '.join(_PREFIXES)}, got {self.given!r}")
        if self.given not in self.begins_with:
            raise DatasetRequestError(
                f"events in {self.detector}: expected a file of {' or '.join(self.begins_with)}, got one of "
                f"{self.given}: they do not tell what its sub-detectors see"
            )
        if self.given == DEPOSITS:
            self.check_choice("place", dict.fromkeys(PLACES))

    @property
    def prefix(self) -> str:
        """Begin of `source` of each event."""
        return _PREFIXES[self.given]

    @property
    def last_index(self) -> int:
        """Place in the file of the last event that there may be."""
        return self.entries - 1

    def event_id(self, index: int) -> str:
        """Name of the event at place `index` in the file."""
        return f"{Path(self.file).stem}-{self.sha256[:_DIGITS]}-{self.seed}-{index}"

    def origin(self, index: int | str) -> str:
        """Return the end of `source` of an event."""
        return f"{self.given}={self.file} sha256={self.sha256} {super().origin(index)}"

    def simulate(self, index: int) -> Any:
        """Simulate the event at place `index` in the file."""
        return self._begun(index, *self.read(index))

    @undisturbed()
    def row(self, index: int) -> Row:
        """Return the row of an event, with all that the file tells of where it comes from."""
        given, deposits = self.read(index)
        event = self._begun(index, given, deposits)
        told = f"{given.words} ".lstrip()
        if deposits is None:
            return self.recorded(index, event, told)
        told += f"place={self.place} outside={deposits.outside} "
        return self.recorded(index, event, told) | dict.fromkeys(self.untold(deposits.truth))

    def read(self, index: int) -> tuple[Given, Placed | None]:
        """Read an event of the file, and put its deposits, if it is some, into the detector.

        Raises:
            SourceFileError: It cannot be used.
        """
        given = self.source[index]
        if not isinstance(given, GivenDeposits):
            return given, None
        detector, centred = find_detector(self.detector), self.place == PLACES[0]
        deposits = placed(given.segments, detector, centred=centred, truth=given.truth)
        if not len(deposits.transported.deposits.energy):
            raise OutsideError(
                self.source.where(index),
                f"deposits inside of {self.detector}",
                f"{counted(len(given.segments.energy), 'deposit')} outside",
                _REMEDIES[centred],
            )
        return given, deposits

    @property
    def source(self) -> SourceFile[Any]:
        """The file, opened once in a process."""
        if self.path is None:
            raise DatasetRequestError(
                f"{self.file}: expected the path of this file, got none: simulate again"
            )
        return _opened(self.path, self.given, self.sha256, self.sensitive)

    def untold(self, truth: KnownTruth) -> Sequence[str]:
        """Return the columns that are null, of an event of deposits of which only so much is known."""
        return ()

    def lacks(self, truth: KnownTruth) -> str | None:
        """Say what an event of deposits is without, and why; None if it is whole."""
        return None

    @abstractmethod
    def transported(self, index: int, interaction: Interaction) -> Any:
        """Simulate what follows on an interaction."""

    def deposited(self, index: int, deposits: Placed) -> Any:
        """Take deposits for an event, where `begins_with` has them."""
        raise NotImplementedError

    def _begun(self, index: int, given: Given, deposits: Placed | None) -> Any:
        if deposits is not None:
            return self.deposited(index, deposits)
        assert isinstance(given, GivenInteraction)
        return self.transported(index, given.interaction)


@lru_cache(maxsize=2)
def _opened(path: Path, given: str, digest: str, sensitive: str | None) -> SourceFile[Any]:
    return recognised(path, given, sensitive.split(SEPARATOR) if sensitive else ())


@dataclass(frozen=True)
class GivenDataset:
    """What became of a file.

    Attributes:
        manifest: Of the dataset.
        left_out: Why events of the file are not in it.
        notes: What was decided about the file, a line each.
    """

    manifest: Mapping[str, Any]
    left_out: Reasons
    notes: tuple[str, ...]


@dataclass(frozen=True)
class GivenSimulator:
    """Simulates a dataset from a file of interactions or deposits.

    Attributes:
        dataset: Its name in `nuzoo.registry.DATASETS`.
        plan_class: Of what decides its events.
        usual_detector: Its detector unless another is asked for.
        finish: See `write_simulation`.
    """

    dataset: str
    plan_class: type[GivenPlan]
    usual_detector: str
    finish: Callable[[Row], Row]

    def __call__(
        self,
        out: Path,
        *,
        interactions: Path | None = None,
        deposits: Path | None = None,
        place: str | None = None,
        sensitive: Sequence[str] = (),
        events: int | None = None,
        seed: int = 0,
        detector: str = "",
        num_proc: int = 1,
        cluster: Workers | None = None,
        shard_size: int = SHARD_SIZE,
    ) -> GivenDataset:
        """Simulate.

        Killed and called again it goes on, and ends with the same bytes whoever does the work.

        Args:
            out: Folder.
            interactions: File of interactions; they happen anywhere in the detector's box of vertices.
            deposits: File of deposits, instead.
            place: Where deposits are put, one of `PLACES`; centred by default.
            sensitive: Sensitive detectors of edep-sim whose deposits are taken; all of them by default.
            events: So many at most, the first that can be used; all of the file by default.
            seed: Of places, transport and noise.
            detector: A name in `DETECTORS`, or the file that describes one.
            num_proc: Processes.
            cluster: Who does it instead, see `nuzoo.datasets_scripts.workers.cluster.cluster_of`.
            shard_size: Events in a file.

        Returns:
            What became of the file.

        Raises:
            DatasetRequestError: Numbers out of range, no or two files, or no event that can be used.
            SourceFileError: The file is broken, or of an unknown format.
            DatasetFolderError: `out` holds another dataset.
        """
        given, path = _the_file(interactions, deposits, place, sensitive)
        source = open_source(path, given, sensitive)
        if not len(source):
            raise DatasetRequestError(f"{path}: expected events, got none: give another file")
        plan = self.plan_class(
            1 if events is None else events,
            seed,
            requested_detector(detector or self.usual_detector).name,
            given,
            one_word(path.name),
            sha256(path),
            source.format,
            len(source),
            (place or PLACES[0]) if given == DEPOSITS else None,
            sensitive=SEPARATOR.join(sorted({*sensitive})) or None,
            path=path.resolve(),
            shard_size=shard_size,
        )
        left_out: list[Omission] = []
        account = _Account()
        usable = [*islice(_usable(plan, left_out, account), events)]
        reasons = Reasons(left_out)
        if not usable:
            told = "\n".join(reasons.told())
            raise DatasetRequestError(f"{path}: expected events that can be used, got none\n{told}")
        plan = replace(plan, events=len(usable))
        manifest = write_simulation(out, self.dataset, plan, self.finish, num_proc, cluster, usable)
        write_omissions(out / LEFT_OUT_FILE, left_out)
        return GivenDataset(manifest, reasons, tuple(_notes(plan, account, events)))


def _the_file(
    interactions: Path | None, deposits: Path | None, place: str | None, sensitive: Sequence[str]
) -> tuple[str, Path]:
    if interactions is not None and deposits is None:
        for name, given in (("place", place), ("sensitive", sensitive)):
            if given:
                raise DatasetRequestError(
                    f"{name}: expected it with deposits, got it with interactions: leave it out"
                )
        return INTERACTIONS, interactions
    if deposits is not None and interactions is None:
        if any(SEPARATOR in name for name in sensitive):
            got = ", ".join(map(repr, sensitive))
            raise DatasetRequestError(f"sensitive: expected names without {SEPARATOR!r}, got {got}")
        return DEPOSITS, deposits
    got = "none" if deposits is None else "both"
    raise DatasetRequestError(f"expected a file of interactions or one of deposits, got {got}")


@dataclass
class _Account:
    """What became of the deposits of a file.

    Attributes:
        deposits: All of them.
        outside: Those outside of the detector altogether.
        energy: Of all of them, MeV.
        inside: Energy inside, MeV.
        lacking: Events that lack something, by what and why.
    """

    deposits: int = 0
    outside: int = 0
    energy: float = 0.0
    inside: float = 0.0
    lacking: Counter[str] = field(default_factory=Counter)

    def add(self, plan: GivenPlan, given: GivenDeposits, deposits: Placed) -> None:
        self.deposits += len(given.segments.energy)
        self.outside += deposits.outside
        self.energy += float(given.segments.energy.sum())
        self.inside += deposits.transported.budget.deposited
        if lacking := plan.lacks(deposits.truth):
            self.lacking[lacking] += 1


def _usable(plan: GivenPlan, left_out: list[Omission], account: _Account) -> Iterator[int]:
    """Give the places of the events that can be used; note the others, and what became of their deposits."""
    for entry in tqdm(range(plan.entries), desc="read", unit="event", leave=False):
        try:
            given, deposits = plan.read(entry)
        except SourceFileError as error:
            left_out.append(Omission.of(plan.source.path, error))
            continue
        if isinstance(given, GivenDeposits) and deposits is not None:
            account.add(plan, given, deposits)
        yield entry


def _notes(plan: GivenPlan, account: _Account, asked: int | None) -> Iterator[str]:
    yield f"{plan.file}: {plan.format}, {counted(plan.entries, 'event')}"
    if asked is not None and plan.events < asked:
        yield f"{counted(plan.events, 'event')} instead of {asked:,}: there are no more that can be used"
    if plan.given == INTERACTIONS:
        yield "interactions happen anywhere in the box of vertices, their neutrinos come along +z"
        return
    yield f"deposits of each event: {_PLACED[str(plan.place)]}"
    if account.outside:
        of_all = f"{counted(account.outside, 'deposit')} of {account.deposits:,}"
        lost = f"{1 - account.inside / account.energy:.1%} of the energy"
        yield f"left out {of_all} outside of {plan.detector}, and cut those at its walls: {lost}"
    for lacking, events in account.lacking.items():
        yield f"{counted(events, 'event')} of {plan.events:,} without {lacking}"


_REMEDIES = {
    True: "give a larger detector, or the sensitive detectors that it stands for with --sensitive",
    False: "give a larger detector, or --place centred",
}
_PLACED = {
    "centred": "the middle of the box around them is moved to the middle of the detector",
    "kept": "they stay where they are in the file",
}
