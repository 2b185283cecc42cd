"""Files that a simulation begins with: interactions of others' generators, energy deposits of others' transport.

One format a file; `formats.open_source` knows them by their content.
"""
