"""The licences that a published dataset or model may state."""

from __future__ import annotations

from collections.abc import Collection

from nuzoo.hub.errors import LicenceError

_SUITABLE = """
apache-2.0 mit bsd-2-clause bsd-3-clause gpl-2.0 gpl-3.0 agpl-3.0 lgpl-3.0 mpl-2.0 ecl-2.0 eupl-1.1 isc
cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nd-4.0
cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0
cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0
cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 c-uda etalab-2.0 gfdl odc-by odbl pddl unlicense
"""
DATA_LICENCES = frozenset(_SUITABLE.split())
"""Identifiers of the Hub's list that suit data. "other" and "unknown" tell a reader nothing."""

_OF_WEIGHTS = """
openrail openrail++ bigscience-openrail-m afl-3.0 artistic-2.0 bsl-1.0 gemma
llama2 llama3 llama3.1 llama3.2 llama3.3 llama4
"""
MODEL_LICENCES = DATA_LICENCES.union(_OF_WEIGHTS.split())
"""Those that suit weights, the licences of base models among them."""


def check_licence(identifier: str, known: Collection[str]) -> None:
    """Refuse what the Hub would not show as a licence.

    Args:
        identifier: As stated by the user.
        known: `DATA_LICENCES` or `MODEL_LICENCES`.

    Raises:
        LicenceError: With the identifiers that are like it, or the usual ones.
    """
    if identifier not in known:
        family = identifier.lower().partition("-")[0]
        alike = sorted(name for name in known if name.partition("-")[0] == family)
        usual = ", ".join(alike or ("cc-by-4.0", "cc0-1.0", "odc-by", "apache-2.0"))
        raise LicenceError(f"licence: expected an identifier of the Hub such as {usual}, got {identifier!r}")
