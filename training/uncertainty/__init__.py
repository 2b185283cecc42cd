"""How sure networks are by ensembles, dropped units and evidence, side by side."""
