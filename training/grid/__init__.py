"""Studies that are grids of trainings: ways to train, numbers of events, seeds."""
