"""A target: a server of the platform's API on which a test's workflows run, in place of the engine in memory.

What a test asks of bindings, handles, introspectors and the Worker is asked there, by HTTP. What pytest asks of a test
does not belong here.
"""
