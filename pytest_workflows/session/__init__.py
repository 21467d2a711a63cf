"""A pytest session and its tests: options, fixtures, each test with its engine, and what workers of xdist hand over.

What knows pytest belongs here. What a test sees of an instance belongs to `introspection`, and what is written at the
end to `reporting`.
"""
