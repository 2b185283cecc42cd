"""How what is wrong falls with training events and parameters."""
