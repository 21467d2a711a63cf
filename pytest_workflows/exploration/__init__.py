"""Which runs of a test there are: where the engine dies, in which order things go, with which values.

What plans runs and counts them belongs here, without pytest. The hooks that make pytest run a test again belong to
`session/hooks`.
"""
