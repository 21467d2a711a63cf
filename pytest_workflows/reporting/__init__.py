"""Reports about the tests of a session: the HTML page, graphs, step coverage, and what tracebacks leave out.

What is made of recordings and written to files belongs here. When it is made belongs to `session/hooks`; a single run
as text to `timeline`.
"""
