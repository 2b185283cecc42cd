"""A benchmark on the Hub: its leaderboard as a dataset, and its numbers in the repository of a model."""
