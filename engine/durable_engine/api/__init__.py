"""The API that code of a Worker calls: the binding `env.X`, the handle of an instance, its subscription.

Only names that the platform has are public here. Code that carries a call out does not belong here.
"""
