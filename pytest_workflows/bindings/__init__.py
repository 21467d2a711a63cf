"""Bindings of `env`: stand-ins, the proxy that records their calls, and the errors for missing ones.

Code that answers for a binding, or refuses a connection that no binding makes, belongs here. The list of bindings
is read in `project`; the modules that a Worker imports are in `workers`.
"""
