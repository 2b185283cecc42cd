"""The columns of an event of a detector with several sub-detectors: what each recorded, and the truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nuzoo.files.events.event_schema import Bound, Column
from nuzoo.files.events.event_truth import IDENTITY_COLUMNS, ORIGIN_COLUMNS

FLAVOURS = ("nue_cc", "numu_cc", "nutau_cc_e", "nutau_cc_mu", "nutau_cc_had", "nc")
"""What the neutrino did; charged currents of tau neutrinos by the decay of the tau."""

CHARM_CLASSES = ("none", "charm_e", "charm_mu", "charm_had")
"""Whether charm was made, and how it decayed."""

CAL_STATUS = ("matched", "ghost", "unmatched")
"""A hit of the 3DCal with true hits, one of the reconstruction alone, and one of light without a true hit."""
MATCHED, GHOST, UNMATCHED = range(3)

PARTICLE_LISTS = ("interaction", "tau_decay", "charm_decay")
"""Which list of the generator a particle stands in."""

TAU_DECAY_MODES = ("none", "e", "mu", "one_prong", "rho", "three_prong", "other")
"""Decays of the tau in the order of `tau_decay_mode`."""

DATA_VERSION = 7
"""Version of the files of FASERCal whose layout the columns have."""

OTHER_VERSION = f"columns have the meaning of version {DATA_VERSION}: convert the files to it"
"""What to do about files of another one."""

MAX_ENERGY_MEV = 1e8
"""100 TeV in one cell: more than the LHC's neutrinos bring."""

MAX_MUON_GEV = 1e5
"""Of a component of a fitted momentum; a proton of the LHC has 6,800."""

DISPLAY_FULL_SCALE_MEV = 200.0
"""What is white in the picture `display`; grey grows as log(1 + E / MeV)."""

CAL, LINK, TRUE, AHCAL, MUON, PARTICLE = "cal hit", "link", "true hit", "ahcal hit", "muon track", "particle"
_AXES = ("x", "y", "z")


@dataclass(frozen=True)
class DetectorEventGeometry:
    """What decides the columns of an event.

    Attributes:
        detector: its name; None of events that any detector of this shape may have made.
        cal_shape: cubes of the 3DCal along x, y and z, without the gaps between its modules.
        layers_per_module: layers of cubes along z of one module.
        ecal_shape: towers along x and y.
        ahcal_shape: cells along x, y and z.
        muon_tracks: the most tracks that are stored.
    """

    detector: str | None
    cal_shape: tuple[int, int, int]
    layers_per_module: int
    ecal_shape: tuple[int, int]
    ahcal_shape: tuple[int, int, int]
    muon_tracks: int

    @classmethod
    def of(cls, geometry: Mapping[str, Any]) -> "DetectorEventGeometry":
        """Take from a detector's geometry what decides the columns of its events.

        Args:
            geometry: with the attributes of this class by name.
        """
        return cls(
            geometry["detector"],
            tuple(geometry["cal_shape"]),
            geometry["layers_per_module"],
            tuple(geometry["ecal_shape"]),
            tuple(geometry["ahcal_shape"]),
            geometry["muon_tracks"],
        )

    @property
    def modules(self) -> int:
        """Modules of the 3DCal."""
        return self.cal_shape[2] // self.layers_per_module


def detector_event_columns(layout: DetectorEventGeometry) -> tuple[Column, ...]:
    """Return all columns in their order."""
    return (
        *IDENTITY_COLUMNS,
        Column(
            *("data_version", "int16", "version of the layout of the files"),
            low=Bound(DATA_VERSION, OTHER_VERSION),
            high=Bound(DATA_VERSION, OTHER_VERSION),
            recorded=True,
        ),
        *_cal(layout),
        *_calorimeters(layout),
        *_muons(layout),
        Column("flavour", "int64", "what the neutrino did", classes=FLAVOURS),
        Column("charm", "int64", "whether charm was made, and its decay", classes=CHARM_CLASSES),
        Column(
            "display",
            "picture",
            "8-bit PNG of the 3DCal from above and from the side, for people: log(1 + E / MeV), white at "
            f"{DISPLAY_FULL_SCALE_MEV:g} MeV",
        ),
        *_event_truth(),
        *_links_and_true_hits(layout),
        *_particles(),
        *ORIGIN_COLUMNS,
    )


def _column(name: str, dtype: str, text: str, unit: str = "", **more: Any) -> Column:
    return Column(name, dtype, text, unit, **more)


def _cell(name: str, per: str, axis: str, size: int, of: str, required: bool = True) -> Column:
    beyond = "the event is of another detector, or its positions are in mm: give the numbers of cells"
    return _column(
        f"{name}_{axis}",
        "int16",
        f"number along {axis} of {of}",
        per=per,
        low=Bound(0, beyond),
        high=Bound(size - 1, beyond),
        required=required,
    )


def _energy(name: str, text: str, **more: Any) -> Column:
    low = Bound(0, "subtract the pedestal; noise below zero is no energy")
    high = Bound(MAX_ENERGY_MEV, "convert to MeV, or look for an overflow upstream")
    return _column(name, "float32", text, "MeV", low=low, high=high, **more)


def _flag(name: str, text: str, **more: Any) -> Column:
    return _column(name, "int8", f"1 if {text}, else 0", low=Bound(0), high=Bound(1), **more)


def _cal(layout: DetectorEventGeometry) -> tuple[Column, ...]:
    axes = zip(_AXES, layout.cal_shape, strict=True)
    return (
        *(_cell("cal", CAL, axis, size, "a reconstructed cube of the 3DCal") for axis, size in axes),
        _column("cal_module", "int8", "its module", per=CAL, low=Bound(0), high=Bound(layout.modules - 1)),
        _energy("cal_energy", "its energy", per=CAL, required=True),
        _column("cal_status", "int64", "whether true hits stand behind it", per=CAL, classes=CAL_STATUS),
        _column("cal_link_count", "int32", "its links to true hits", per=CAL, low=Bound(0)),
    )


def _calorimeters(layout: DetectorEventGeometry) -> tuple[Column, ...]:
    axes = zip(_AXES, layout.ahcal_shape, strict=True)
    return (
        _energy(
            "ecal_energy",
            "energy of each ECAL tower, row after row of x",
            length=layout.ecal_shape[0] * layout.ecal_shape[1],
            recorded=True,
        ),
        *(_cell("ahcal", AHCAL, axis, size, "an AHCAL cell") for axis, size in axes),
        _energy("ahcal_energy", "its energy", per=AHCAL, required=True),
    )


def _muons(layout: DetectorEventGeometry) -> tuple[Column, ...]:
    def column(name: str, text: str, unit: str = "", **more: Any) -> Column:
        return _column(f"muon_{name}", more.pop("dtype", "float32"), text, unit, per=MUON, **more)

    in_mev = "convert from MeV/c to GeV/c, or leave a fit that failed out"
    momentum = {"low": Bound(-MAX_MUON_GEV, in_mev), "high": Bound(MAX_MUON_GEV, in_mev)}
    return (
        _column(
            "muon_count", "int16", "tracks found, of which the first are stored", low=Bound(0), recorded=True
        ),
        column("charge", "fitted charge of a track in the muon spectrometer", required=True),
        *(
            column(f"p{axis}", f"its momentum along {axis}", "GeV/c", required=True, **momentum)
            for axis in _AXES
        ),
        column("chi2", "chi2 of its fit", required=True),
        column("n_points", "points on it", dtype="int16", low=Bound(0), recorded=True),
        column("p", "size of its momentum", "GeV/c", low=Bound(0)),
        column("ndof", "degrees of freedom of its fit", dtype="int16"),
        column("p_value", "p-value of its fit"),
        column("p_error", "error of the momentum", "GeV/c"),
        column("inverse_p_error", "error of 1 / momentum", "c/GeV"),
    )


def _event_truth() -> tuple[Column, ...]:
    def energy(name: str, text: str) -> Column:
        return _column(name, "float32", text, "GeV", low=Bound(0))

    def vector(name: str, text: str, unit: str = "GeV/c") -> Column:
        return _column(name, "float32", f"{text} (x, y, z)", unit, length=3)

    modes = f"how the tau decays, {', '.join(f'{i} {name}' for i, name in enumerate(TAU_DECAY_MODES))}"
    return (
        _column("run_number", "int64", "number of the run"),
        _column("event_number", "int64", "number of the event in its run"),
        _column("weight", "float32", "events of the nominal sample that it stands for", low=Bound(0)),
        _column("neutrino_pdg", "int16", "PDG code of the neutrino"),
        energy("neutrino_energy", "energy of the neutrino"),
        vector("neutrino_momentum", "momentum of the neutrino"),
        _column("lepton_pdg", "int16", "PDG code of the outgoing lepton"),
        energy("lepton_energy", "its energy"),
        vector("lepton_momentum", "its momentum"),
        _flag("is_cc", "a charged current"),
        _flag("is_es", "elastic scattering off an electron"),
        _flag("is_tau", "a charged current of a tau neutrino"),
        _flag("is_charmed", "charm is made"),
        _column("tau_decay_mode", "int8", modes, low=Bound(0), high=Bound(len(TAU_DECAY_MODES) - 1)),
        vector("tau_vis_momentum", "momentum of the tau's daughters but neutrinos"),
        _column("tau_decay_length", "float32", "path of the tau", "mm"),
        _column("tau_kink_angle", "float32", "angle of its charged daughter", "rad"),
        vector("primary_vertex", "position of the interaction", "mm"),
        energy("e_vis", "visible energy"),
        _column("pt_miss", "float32", "missing transverse momentum", "GeV/c", low=Bound(0)),
        vector("momentum", "momentum of all outgoing particles"),
        vector("vis_momentum", "momentum of all visible particles"),
        vector("jet_momentum", "momentum of all visible particles but the lepton"),
    )


def _links_and_true_hits(layout: DetectorEventGeometry) -> tuple[Column, ...]:
    def column(name: str, dtype: str, text: str) -> Column:
        return _column(f"true_{name}", dtype, text, per=TRUE)

    axes = zip(_AXES, layout.cal_shape, strict=True)
    cells = (_cell("true", TRUE, axis, size, "the cube of a true hit", required=False) for axis, size in axes)
    return (
        _column("link_true", "int32", "row of a true hit", per=LINK, low=Bound(0), refers=TRUE),
        _column(
            "link_weight",
            "float32",
            "its share of the true energy",
            per=LINK,
            low=Bound(0),
            high=Bound(1.001),
        ),
        column("track", "int32", "track of a true hit"),
        column("parent", "int32", "track that this one comes from, 0 for none"),
        column("primary", "int32", "track of the generator's particle that it goes back to"),
        column("pdg", "int32", "PDG code of the track"),
        *cells,
        _energy("true_energy", "energy of the track in the cube", per=TRUE),
        *(
            _flag(f"true_is_{name}", f"of {text}", per=TRUE)
            for name, text in (
                ("primary", "a particle of the generator"),
                ("secondary", "a daughter of one"),
                ("tau_decay", "the decay of a tau"),
                ("charm_decay", "the decay of charm"),
            )
        ),
    )


def _particles() -> tuple[Column, ...]:
    def column(name: str, dtype: str, text: str, unit: str = "", **more: Any) -> Column:
        return _column(f"particle_{name}", dtype, text, unit, per=PARTICLE, **more)

    return (
        column("list", "int64", "where a particle of the generator comes from", classes=PARTICLE_LISTS),
        column("track", "int32", "its track"),
        column("parent", "int32", "number of its parent, -1 for none"),
        column("pdg", "int32", "its PDG code"),
        *(column(f"p{axis}", "float32", f"its momentum along {axis}", "GeV/c") for axis in _AXES),
    )


VOXEL_COLUMNS = (
    "cal_status",
    "cal_link_count",
    "link_true",
    "link_weight",
    "true_pdg",
    "true_is_primary",
    "true_is_secondary",
)
"""What says what made each hit of the 3DCal."""

VOXEL_TRUTH = (*VOXEL_COLUMNS, "tau_decay_mode")
"""The same with what events that have it add."""
