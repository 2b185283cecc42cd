"""The classes of event classification, in the order of their numbers: stated here and nowhere else."""

EVENT_CLASSES = ("nue_cc", "numu_cc", "nc")
