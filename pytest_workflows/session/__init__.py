"""A pytest session and its tests: options, fixtures, each test with its engine, and the channel to xdist's workers.

Code that knows pytest belongs here. A test's view of an instance belongs to `introspection`, and reports at the
end to `reporting`.
"""
