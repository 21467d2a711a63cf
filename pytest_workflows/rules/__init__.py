"""The Rules of Workflows as checks: one file a rule, named as the rule is called.

A rule's file registers the rule with what is said of it, and holds the observer that notices where it is broken, unless
the engine notices that itself. `base` has what observers of rules share, `registry` finds the files. What a rule needs
to find out of a source or a value belongs to `analysis/`; how findings become warnings, errors and reports does not
belong here but to `session`.
"""
