"""The named errors of events that a simulation cannot begin with."""

from __future__ import annotations

from nuzoo.datasets_scripts.readers.source_errors import SourceFileError


class UnknownSourceError(SourceFileError):
    """A file of a format that is not known, or that gives something else than is asked for."""


class NotANeutrinoError(SourceFileError):
    """An event whose beam is no neutrino."""


class UnknownTargetError(SourceFileError):
    """A target that is neither a nucleus nor a nucleon."""


class NoVertexError(SourceFileError):
    """An event without an interaction."""


class NoParticlesError(SourceFileError):
    """An event in which nothing is left of what happened."""


class NoLeptonError(SourceFileError):
    """An event without the lepton that its neutrino became."""


class ImpossibleEnergyError(SourceFileError):
    """Energies that are negative, no numbers, or more than there is."""


class OtherUnitsError(SourceFileError):
    """Numbers in other units than those of the format."""


class UntransportedParticleError(SourceFileError):
    """Particles that the transport does not know."""


class OutsideError(SourceFileError):
    """An event all of whose deposits are outside of the detector."""
