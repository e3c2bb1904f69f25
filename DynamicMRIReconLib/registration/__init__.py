"""Rigid registration of volumes, and the files that hold its transforms. All positions are RAS millimetres."""
