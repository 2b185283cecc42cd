"""What trained models are worth in other detectors: as they are, and after a few events of them."""
