"""Jobs: a folder that says what to reconstruct, the worker that does it, and what it tells while it runs.

``events``, ``files`` and ``local`` need nothing but the standard library, so that a program that only starts and
watches workers stays light; ``job`` needs pydantic; ``worker`` is what runs in the process of its own.
"""
