"""Small files of edep-sim: trees `EDepSimEvents` of `TG4Event` objects, written from its class headers."""

from dataclasses import dataclass
from pathlib import Path

from .root_files import (
    COLLECTION,
    DOUBLE,
    FLOAT,
    INT,
    MEMBERWISE,
    OBJECT,
    OF_COLLECTION,
    STL,
    STREAMER_INFO,
    STRING,
    TOBJECT,
    UINT,
    Branch,
    Class,
    Member,
    Writer,
    write_tree,
)

BASE_CLASS = Member("TObject", TOBJECT, "BASE")


def _numbers(kind: int, of: str, *names: str) -> tuple[Member, ...]:
    return tuple(Member(name, kind, of) for name in names)


def _objects(of: str, *names: str) -> tuple[Member, ...]:
    return _numbers(OBJECT, of, *names)


VECTOR3 = Class("TVector3", 3, (BASE_CLASS, *_numbers(DOUBLE, "double", "fX", "fY", "fZ")))
FOUR_VECTOR = Class(
    "TLorentzVector", 4, (BASE_CLASS, *_objects("TVector3", "fP"), Member("fE", DOUBLE, "double"))
)
HIT = Class(
    "TG4HitSegment",
    1,
    (
        BASE_CLASS,
        Member("Contrib", STL, "vector<int>"),
        Member("PrimaryId", INT, "int"),
        *_numbers(FLOAT, "float", "EnergyDeposit", "SecondaryDeposit", "TrackLength"),
        *_objects("TLorentzVector", "Start", "Stop"),
    ),
)
PARTICLE = Class(
    "TG4PrimaryParticle",
    1,
    (
        BASE_CLASS,
        Member("TrackId", INT, "int"),
        Member("Name", STRING, "string"),
        Member("PDGCode", INT, "int"),
        *_objects("TLorentzVector", "Momentum"),
    ),
)
VERTEX = Class(
    "TG4PrimaryVertex",
    2,
    (
        BASE_CLASS,
        Member("Particles", STL, "vector<TG4PrimaryParticle>"),
        Member("Informational", STL, "vector<TG4PrimaryVertex>"),
        *_objects("TLorentzVector", "Position"),
        *_numbers(STRING, "string", "GeneratorName", "Reaction", "Filename"),
        Member("InteractionNumber", INT, "int"),
        *_numbers(FLOAT, "float", "CrossSection", "DiffCrossSection", "Weight", "Probability"),
    ),
)
POINT = Class(
    "TG4TrajectoryPoint",
    1,
    (
        BASE_CLASS,
        *_objects("TLorentzVector", "Position"),
        *_objects("TVector3", "Momentum"),
        *_numbers(INT, "int", "Process", "Subprocess"),
    ),
)
TRAJECTORY = Class(
    "TG4Trajectory",
    1,
    (
        BASE_CLASS,
        Member("Points", STL, "vector<TG4TrajectoryPoint>"),
        *_numbers(INT, "int", "TrackId", "ParentId"),
        Member("Name", STRING, "string"),
        Member("PDGCode", INT, "int"),
        *_objects("TLorentzVector", "InitialMomentum"),
    ),
)
EVENT = Class(
    "TG4Event",
    2,
    (
        BASE_CLASS,
        *_numbers(INT, "int", "RunId", "EventId"),
        Member("Primaries", STL, "vector<TG4PrimaryVertex>"),
        Member("Trajectories", STL, "vector<TG4Trajectory>"),
        Member("SegmentDetectors", STL, "map<string,vector<TG4HitSegment> >"),
    ),
)
PAIR = Class(
    "pair<string,vector<TG4HitSegment> >",
    1,
    (Member("first", STRING, "string"), Member("second", STL, "vector<TG4HitSegment>")),
)
TOBJECT_CLASS = Class("TObject", 1, _numbers(UINT, "unsigned int", "fUniqueID", "fBits"))
CLASSES = (TOBJECT_CLASS, VECTOR3, FOUR_VECTOR, HIT, PARTICLE, VERTEX, POINT, TRAJECTORY, PAIR, EVENT)


@dataclass(frozen=True)
class Hit:
    """A `TG4HitSegment`, mm and MeV."""

    start: tuple[float, float, float]
    stop: tuple[float, float, float]
    energy: float
    contributors: tuple[int, ...] = (0,)
    primary: int = 0


@dataclass(frozen=True)
class Particle:
    """A `TG4PrimaryParticle`, MeV."""

    pdg: int
    momentum: tuple[float, float, float]
    energy: float
    track: int = 0


@dataclass(frozen=True)
class Vertex:
    """A `TG4PrimaryVertex`, mm."""

    position: tuple[float, float, float]
    particles: tuple[Particle, ...]
    name: str = ""
    reaction: str = ""
    informational: tuple["Vertex", ...] = ()


@dataclass(frozen=True)
class Trajectory:
    """A `TG4Trajectory`, mm and MeV; its number is its place, its parent the number of another."""

    pdg: int
    parent: int = -1
    process: tuple[int, int] = (0, 0)
    start: tuple[float, float, float] = (0.0, 0.0, 0.0)
    momentum: tuple[float, float, float] = (0.0, 0.0, 100.0)
    points: int = 2


IONISATION = (2, 2)
TRAJECTORIES = (Trajectory(13), Trajectory(11, 0, IONISATION), Trajectory(2212))


@dataclass(frozen=True)
class Event:
    """A `TG4Event`."""

    number: int
    detectors: dict[str, tuple[Hit, ...]]
    trajectories: tuple[Trajectory, ...] = TRAJECTORIES
    vertices: tuple[Vertex, ...] = ()
    run: int = 5


def write_edep_sim(
    file: Path, events: list[Event], *, classes=CLASSES, scale: float = 1.0, is_split: bool = False
) -> Path:
    """Write a file.

    `scale` makes other units of the mm of its hits. Genuine files have one branch for the detectors and
    one for the positions of vertices; ROOT makes several where it can, `is_split`.
    """
    count = [len(each.vertices).to_bytes(4, "big") for each in events]
    primaries = Branch("Primaries", "TG4Event", 3, STL, count, COLLECTION, "TG4PrimaryVertex")
    for number, (name, kind, write) in enumerate(_vertex_branches(is_split)):
        entries = [_column(each.vertices, write) for each in events]
        primaries.branches.append(
            Branch(f"Primaries.{name}", "TG4PrimaryVertex", number, kind, entries, OF_COLLECTION)
        )
    trajectories = _collection(
        "Trajectories", "TG4Trajectory", 4, [len(each.trajectories) for each in events]
    )
    for number, name, kind, write in _TRAJECTORY_BRANCHES:
        entries = [_column(each.trajectories, write) for each in events]
        branch = Branch(f"Trajectories.{name}", "TG4Trajectory", number, kind, entries, OF_COLLECTION)
        trajectories.branches.append(branch)
    if is_split:
        names = [_column(tuple(each.detectors), _texts) for each in events]
        hits = [
            _column(tuple(each.detectors.values()), lambda out, of: _hits(out, of, scale)) for each in events
        ]
        detectors = _collection("SegmentDetectors", PAIR.name, 5, [len(each.detectors) for each in events])
        detectors.branches = [
            Branch("SegmentDetectors.first", PAIR.name, 0, STL, names, OF_COLLECTION),
            Branch("SegmentDetectors.second", PAIR.name, 1, STL, hits, OF_COLLECTION),
        ]
    else:
        maps = [_map(each.detectors, scale) for each in events]
        detectors = Branch("SegmentDetectors", "TG4Event", 5, STL, maps)
    numbers = [
        Branch(name, "TG4Event", number, INT, [value.to_bytes(4, "big") for value in values])
        for number, name, values in (
            (1, "RunId", [each.run for each in events]),
            (2, "EventId", [each.number for each in events]),
        )
    ]
    top = Branch("Event", "TG4Event", -1, -1, [], branches=[*numbers, primaries, trajectories, detectors])
    return write_tree(file, "EDepSimEvents", top, classes)


def _collection(name: str, objects: str, number: int, counts: list[int]) -> Branch:
    return Branch(
        name, "TG4Event", number, STL, [each.to_bytes(4, "big") for each in counts], COLLECTION, objects
    )


def _column(values: tuple, write) -> bytes:
    """Return what a member of the objects of a collection is in its branch: nothing of no objects."""
    out = Writer()
    if values:
        write(out, values)
    return bytes(out.content)


def _map(detectors: dict[str, tuple[Hit, ...]], scale: float) -> bytes:
    """Return a map of names to vectors, object by object."""
    out = Writer()
    with out.part(STREAMER_INFO):
        out.put("i", len(detectors))
        for name, hits in detectors.items():
            out.text(name)
            out.put("i", len(hits))
            for hit in hits:
                with out.part(HIT.version):
                    out.tobject()
                    _hit_members(out, (hit,), scale)
    return bytes(out.content)


def _texts(out: Writer, texts) -> None:
    with out.part(STREAMER_INFO):
        for text in texts:
            out.text(text)


def _four_vectors(out: Writer, vectors) -> None:
    for *spatial, last in vectors:
        with out.part(4):
            out.tobject()
            with out.part(3):
                out.tobject()
                out.put("3d", *spatial)
            out.put("d", last)


def _vectors(out: Writer, version: int, of_each, write) -> None:
    """Write vectors member by member: of each its length, then what `write` makes of it."""
    with out.part(STREAMER_INFO | MEMBERWISE):
        out.put("h", version)
        for objects in of_each:
            out.put("i", len(objects))
            if objects:
                for _ in objects:
                    out.tobject()
                write(out, objects)


def _hits(out: Writer, of_each, scale: float) -> None:
    _vectors(out, HIT.version, of_each, lambda out, hits: _hit_members(out, hits, scale))


def _hit_members(out: Writer, hits, scale: float) -> None:
    with out.part(STREAMER_INFO):
        for hit in hits:
            out.put(f"i{len(hit.contributors)}i", len(hit.contributors), *hit.contributors)
    out.put(f"{len(hits)}i", *(hit.primary for hit in hits))
    for value in (lambda hit: hit.energy, lambda hit: 0.0, lambda hit: 1.0):
        out.put(f"{len(hits)}f", *map(value, hits))
    for end in ("start", "stop"):
        _four_vectors(out, [(*(scale * x for x in getattr(hit, end)), 7.0) for hit in hits])


def _particles(out: Writer, of_each) -> None:
    def write(out: Writer, particles) -> None:
        out.put(f"{len(particles)}i", *(each.track for each in particles))
        _texts(out, ["name"] * len(particles))
        out.put(f"{len(particles)}i", *(each.pdg for each in particles))
        _four_vectors(out, [(*each.momentum, each.energy) for each in particles])

    _vectors(out, PARTICLE.version, of_each, write)


def _informational(out: Writer, of_each) -> None:
    def write(out: Writer, vertices) -> None:
        for _, _, write_member in _VERTEX_BRANCHES:
            write_member(out, vertices)

    _vectors(out, VERTEX.version, of_each, write)


def _floats(out: Writer, vertices) -> None:
    out.put(f"{len(vertices)}f", *[1.0] * len(vertices))


def _points(out: Writer, of_each) -> None:
    def write(out: Writer, points) -> None:
        _four_vectors(out, [(*each.start, 0.0) for each in points])
        for each in points:
            with out.part(3):
                out.tobject()
                out.put("3d", *each.momentum)
        for place in (0, 1):
            out.put(f"{len(points)}i", *(each.process[place] for each in points))

    _vectors(out, POINT.version, [[each] * each.points for each in of_each], write)


def _integers_of(value):
    return lambda out, of: out.put(f"{len(of)}i", *map(value, range(len(of)), of))


def _coordinates(axis: int):
    return lambda out, of: out.put(f"{len(of)}d", *(each.position[axis] for each in of))


def _vertex_branches(is_split: bool) -> tuple:
    if not is_split:
        return _VERTEX_BRANCHES
    axes = enumerate(("fX", "fY", "fZ"))
    split = [(f"Position.fP.{name}", DOUBLE, _coordinates(axis)) for axis, name in axes]
    return (*(each for each in _VERTEX_BRANCHES if each[0] != "Position"), *split)


_TRAJECTORY_BRANCHES = (
    (1, "Points", STL, _points),
    (2, "TrackId", INT, _integers_of(lambda place, each: place)),
    (3, "ParentId", INT, _integers_of(lambda place, each: each.parent)),
    (5, "PDGCode", INT, _integers_of(lambda place, each: each.pdg)),
)
_VERTEX_BRANCHES = (
    ("Particles", STL, lambda out, of: _particles(out, [each.particles for each in of])),
    ("Informational", STL, lambda out, of: _informational(out, [each.informational for each in of])),
    ("Position", OBJECT, lambda out, of: _four_vectors(out, [(*each.position, 0.0) for each in of])),
    ("GeneratorName", STL, lambda out, of: _texts(out, [each.name for each in of])),
    ("Reaction", STL, lambda out, of: _texts(out, [each.reaction for each in of])),
    ("Filename", STL, lambda out, of: _texts(out, [""] * len(of))),
    ("InteractionNumber", INT, lambda out, of: out.put(f"{len(of)}i", *range(len(of)))),
    *((name, FLOAT, _floats) for name in ("CrossSection", "DiffCrossSection", "Weight", "Probability")),
)
