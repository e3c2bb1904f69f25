"""Training of the networks: one loop for all of them, tasks that say what differs, clips to learn from."""
