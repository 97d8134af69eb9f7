################################################################################
#
# gprov
#
################################################################################

GPROV_VERSION = 0.1.0.dev0
GPROV_SITE = $(BR2_EXTERNAL_GPROV_PATH)/..
GPROV_SITE_METHOD = local
GPROV_SETUP_TYPE = setuptools
GPROV_LICENSE = MIT
GPROV_LICENSE_FILES = LICENSE

# The builder runs in Buildroot's Python for the host, which has the version of
# the target's: bytecode depends on it.
GPROV_DEPENDENCIES = host-gprov
HOST_GPROV_DEPENDENCIES = host-python-pyelftools host-python-typing-extensions

# What a checkout holds besides sources.
GPROV_OVERRIDE_SRCDIR_RSYNC_EXCLUSIONS = \
	--exclude .venv --exclude /out --exclude /build --exclude /dist \
	--exclude '*.egg-info' --exclude '.*_cache' --exclude __pycache__
HOST_GPROV_OVERRIDE_SRCDIR_RSYNC_EXCLUSIONS = \
	$(GPROV_OVERRIDE_SRCDIR_RSYNC_EXCLUSIONS)

$(eval $(python-package))
$(eval $(host-python-package))
