"""Reports about the tests of a session: the HTML page, graphs, step coverage, and shortened tracebacks.

Reports that are made of recordings and written to files belong here. The time of making them belongs to
`session/hooks`; a single run as text to `timeline`.
"""
