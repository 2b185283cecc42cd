"""How sure networks are, and whether they are right to be: ensembles, dropped units and evidence."""
