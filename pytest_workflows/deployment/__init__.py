"""What a deploy brings to the platform: the Worker's own modules and the packages that its project declares.

Readers of `pyproject.toml`, of lock files and of what is installed here belong here, and the check of a Worker's
imports against them. How an import is noticed belongs to `project`, and what becomes of a finding to `session`.
"""
