"""Kernels and initramfs from the distribution's packages, content-addressed and reproducible."""
