"""Files that a simulation begins with: interactions of other generators, deposits of other transports.

One format a file; `formats.open_source` knows them by their content.
"""
