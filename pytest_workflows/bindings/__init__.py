"""What `env` gives to a Worker: stand-ins, the proxy that records their calls, and what says that one is missing.

What answers for a binding, and what refuses a connection that no binding makes, belongs here. Which bindings a Worker
has is read in `project`; the modules that it imports are in `workers`.
"""
