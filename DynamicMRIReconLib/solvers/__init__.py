"""Solvers as plain functions; each calls ``callback(status)`` every iteration and stops when that returns False."""
