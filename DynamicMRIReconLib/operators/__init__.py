"""Linear operators on torch tensors: Fourier transforms, coil sensitivities, masks, weights and their composition."""
