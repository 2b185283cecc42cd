"""How well a network reconstructs hidden parts of events of a detector, and what it knows of whole events."""
