"""A Worker's project: its wrangler configuration, its secrets, its sources, and how they are imported.

What is read from files and what makes `import workers` work belongs here. What a binding does belongs to `bindings`,
and what a test makes of a project to `session`.
"""
