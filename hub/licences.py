"""The licences that a published dataset may state."""

from __future__ import annotations

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


def check_data_licence(identifier: str) -> None:
    """Refuse what the Hub would not show as a licence.

    Raises:
        LicenceError: With the identifiers that are like it, or the usual ones.
    """
    if identifier not in DATA_LICENCES:
        family = identifier.lower().partition("-")[0]
        alike = sorted(name for name in DATA_LICENCES if name.partition("-")[0] == family)
        known = ", ".join(alike or ("cc-by-4.0", "cc0-1.0", "odc-by", "apache-2.0"))
        raise LicenceError(f"licence: expected an identifier of the Hub such as {known}, got {identifier!r}")
