"""What events are counted by, in the order of the numbers: stated here and nowhere else."""

EVENT_CLASSES = ("nue_cc", "numu_cc", "nc")
"""The classes of event classification."""

INTERACTION_MODES = ("qe", "mec", "res", "dis", "coh")
"""How a neutrino met the nucleus: quasi-elastic, two nucleons, resonance, deep inelastic, coherent."""
