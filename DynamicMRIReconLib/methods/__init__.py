"""The methods a user can pick, one file each, and their registry. A new method is one new file here."""
