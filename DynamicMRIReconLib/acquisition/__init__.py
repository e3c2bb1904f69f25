"""How k-space is sampled: trajectories, masks, density compensation, coil sensitivities, noise, simulation."""
