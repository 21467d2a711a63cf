"""A Worker's project: its wrangler configuration, its secrets, its sources, and how they are imported.

Readers of files and the import hook of `import workers` belong here. The work of a binding belongs to `bindings`,
and a test's use of a project to `session`.
"""
