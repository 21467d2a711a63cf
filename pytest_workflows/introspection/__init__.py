"""How a test sees and steers instances: introspectors, the modifier, the clock, fault plans.

What a test calls on an instance or a workflow belongs here. How its waits and modifications work belongs to the engine;
what is printed of an instance to `timeline`.
"""
