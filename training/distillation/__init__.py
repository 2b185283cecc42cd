"""Training a network by the answers of another one, beside the truth."""
