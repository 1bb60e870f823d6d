"""effkit: build the techniques of efficient NLP from scratch, and have every step checked.

A lesson imports two rooms, ``effkit.check`` and ``effkit.lab``; instructors use the ``effkit`` command. Nothing that a
lesson asks for can be imported from here.
"""

__version__ = "0.1.0"
