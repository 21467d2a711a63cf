"""Hooks of pytest that are registered where they are wanted: one file a group of hooks.

Hooks that every session needs belong to `plugin.py`.
"""
