"""Pre-training by masked modelling of events of a detector of several parts."""
