"""Updates over the air: bundles of images, and the agent of the running system."""
