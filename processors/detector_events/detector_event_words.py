"""What a processor of detector events says of itself, and how its tensors are made without it."""

from collections.abc import Mapping
from typing import Any

from nuzoo.processors.detector_events.event_quantities import ENERGIES, WITH_FACTOR

SCALED = "(transform(factor * value / k) - mu) / sigma, with the factor, transform, k, mu and sigma of {}"


def detector_event_facts(settings: Mapping[str, Any]) -> dict[str, str]:
    """Give meaning and value of its settings, with units.

    Args:
        settings: of the processor.
    """
    cal, ecal, ahcal = (" × ".join(map(str, settings[f"{part}_shape"])) for part in ("cal", "ecal", "ahcal"))
    facts = {
        "unit of energy": "MeV per cell",
        "detector": settings["detector"],
        "3DCal": f"{cal} cubes in modules of {settings['layers_per_module']} layers",
        "ECAL": f"{ecal} towers",
        "AHCAL": f"{ahcal} cells",
        "muon tracks": f"up to {settings['muon_tracks']}, of 3 points or more and a chi2 above 0",
        "scale of energies": f"robust, {settings['energy_transform']}; 3DCal and AHCAL times "
        f"{settings['charge_factor']:g}",
        "scale of muon tracks": f"robust, momenta {', '.join(settings['muon_transforms'])}, chi2 log1p; "
        "charge as it is",
        "vertex": f"mean and standard deviation {settings['vertex']}",
        "ghosts": {"status": "hits of the reconstruction alone", "unmatched": "all hits without true ones"}[
            settings["ghosts"]
        ],
        "what the network takes": "`cal_coordinates` and `ahcal_coordinates` (hits, 3), int64; "
        "`cal_energy` and `ahcal_energy` (hits, 1), `ecal_energy` (events, towers), `muon_tracks` "
        "(tracks, 5) and `muon_count` (events, 1), float32; `cal_offset`, `ahcal_offset` and "
        "`muon_offset` (events,), int64",
    }
    return {meaning: value for meaning, value in facts.items() if value is not None}


def detector_event_instructions(settings: Mapping[str, Any], transforms: Mapping[str, str]) -> dict[str, Any]:
    """Give `constants` and `steps`; see `EventProcessor.instructions`.

    Args:
        settings: of the processor.
        transforms: by quantity.
    """
    measured = settings["input_statistics"] or {}
    constants = {
        "energy_unit": "MeV",
        **{name: settings[name] for name in ("detector", "cal_shape", "ecal_shape", "ahcal_shape")},
        **{
            name: {
                "factor": settings["charge_factor"] if name in WITH_FACTOR else 1.0,
                "transform": transform,
                **measured.get(name, {}),
            }
            for name, transform in transforms.items()
        },
        "vertex_mean_mm": settings["vertex_mean_mm"],
        "vertex_std_mm": settings["vertex_std_mm"],
        "momentum_statistics": settings["momentum_statistics"],
    }
    energies = ", ".join(ENERGIES)
    steps = [
        "cal_coordinates[hit] and ahcal_coordinates[hit] are the numbers of the cell along x, y and z, from "
        "0 and without gaps between modules, in the order of the hits",
        f"replace each of {energies} by {SCALED.format('its column')}; ecal_energy[event] are its towers row "
        "after row of x",
        "leave out muon tracks of less than 3 points, where these are known, or of a chi2 of 0 or less",
        "muon_tracks[track] are the charge, and px, py, pz and chi2 as "
        f"{SCALED.format('muon_px, muon_py, muon_pz and muon_chi2')}",
        "muon_count[event] is how many tracks were found",
        "hits and tracks are those of one event after the other; cal_offset[event], ahcal_offset[event] and "
        "muon_offset[event] are where its own end",
    ]
    return {"constants": constants, "steps": steps}
