"""Units in virtual machines: real firmware, real kernels, real tools, on the developer's machine."""
