################################################################################
#
# python-dependency-injector
#
################################################################################

PYTHON_DEPENDENCY_INJECTOR_VERSION = 4.48.2
PYTHON_DEPENDENCY_INJECTOR_SITE = https://github.com/ets-labs/python-dependency-injector.git
PYTHON_DEPENDENCY_INJECTOR_SITE_METHOD = git
PYTHON_DEPENDENCY_INJECTOR_SETUP_TYPE = setuptools
PYTHON_DEPENDENCY_INJECTOR_LICENSE = BSD-3-Clause
PYTHON_DEPENDENCY_INJECTOR_LICENSE_FILES = LICENSE.rst
PYTHON_DEPENDENCY_INJECTOR_DEPENDENCIES = host-python-cython
# It asks for Cython >= 3.1.4; Buildroot has 3.1.3.
PYTHON_DEPENDENCY_INJECTOR_BUILD_OPTS = --skip-dependency-check

$(eval $(python-package))
