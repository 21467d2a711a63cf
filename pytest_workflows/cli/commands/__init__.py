"""The commands: one file each, whose `register(app)` adds it to the application.

What a user types and what comes out belongs here. What several commands share, and what does the work, belongs beside
this room.
"""
