"""nuzoo: a Hugging Face Hub-native model zoo for neutrino detectors."""

__version__ = "0.1.0"
