"""The columns that every simulated or converted event has, whatever its detector records of it."""

from nuzoo.files.events.event_classes import EVENT_CLASSES, INTERACTION_MODES
from nuzoo.files.events.event_schema import Bound, Column

_NONE_BELOW_ZERO = Bound(0)


def _energy(name: str, text: str, unit: str = "GeV") -> Column:
    return Column(name=name, dtype="float32", text=text, unit=unit, low=_NONE_BELOW_ZERO)


def _number(particles: str) -> Column:
    name = f"n_{particles.replace(' ', '_')}"
    return Column(name=name, dtype="int16", text=f"{particles} that left the nucleus", low=_NONE_BELOW_ZERO)


IDENTITY_COLUMNS = (
    Column("event_id", "text", "name of the event, unique; decides its split", required=True),
    Column("detector", "text", "identifier of the detector that saw it", required=True),
)

LABEL_COLUMN = Column("label", "int64", "class of the event", classes=EVENT_CLASSES)

TRUTH_COLUMNS = (
    _energy("neutrino_energy", "true energy of the neutrino"),
    Column("neutrino_pdg", "int16", "its PDG code"),
    Column("interaction_mode", "int64", "channel of the interaction", classes=INTERACTION_MODES),
    Column("lepton_pdg", "int16", "PDG code of the outgoing lepton"),
    _energy("lepton_energy", "its total energy"),
    Column("inelasticity", "float32", "y = 1 - lepton energy / neutrino energy, dimensionless"),
    Column("vertex", "float32", "position of the interaction (x, y, z)", unit="cm", length=3),
    _number("protons"),
    _number("neutrons"),
    _number("charged pions"),
    _number("neutral pions"),
    _energy("deposited_energy", "energy deposited in the active volume", "MeV"),
)

ORIGIN_COLUMNS = (
    Column(
        "source",
        "text",
        "where the row comes from: simulation version, seed and event, or file and index",
        required=True,
    ),
)

SIMULATED_PREFIX = "nuzoo-simulation "
"""The column `source` of an event of our own simulation begins with this."""

TRANSPORTED_PREFIX = "nuzoo-transport "
"""Of an event of another generator, in our transport and response."""

RECORDED_PREFIX = "nuzoo-response "
"""Of an event of another generator and transport, in our response."""
