include $(sort $(wildcard $(BR2_EXTERNAL_GPROV_PATH)/package/*/*.mk))

ifeq ($(BR2_PACKAGE_GPROV),y)

GPROV_FOR_BUILDROOT = $(HOST_DIR)/bin/python3 -m \
	gprov.apps.host.initramfs.for_buildroot

# Replaces the tree that Buildroot installed by gprov's initramfs, which has a
# /init and a /dev/console of its own.
define GPROV_FREEZE
	$(GPROV_FOR_BUILDROOT) freeze \
		--root $(TARGET_DIR) \
		--grub $(GRUB2_DIR)/build-i386-pc/grub-core \
		--names $(BR2_EXTERNAL_GPROV_PATH)/names.toml \
		--spec $(call qstrip,$(BR2_PACKAGE_GPROV_SPEC)) \
		--flavor $(call qstrip,$(BR2_PACKAGE_GPROV_FLAVOR)) \
		--output $(ROOTFS_CPIO_DIR)/gprov.cpio
	rm -rf $(TARGET_DIR)
	mkdir $(TARGET_DIR)
	cd $(TARGET_DIR) && cpio --extract --quiet < $(ROOTFS_CPIO_DIR)/gprov.cpio
endef
ROOTFS_CPIO_PRE_GEN_HOOKS = GPROV_FREEZE

GPROV_KERNEL = $(call qstrip,$(BR2_PACKAGE_GPROV_KERNEL))
ifneq ($(GPROV_KERNEL),)

# As "gprov build kernel" does: on top of allnoconfig, and with a complaint
# about each symbol that Kconfig did not apply.
GPROV_KERNEL_CONFIG = $(BUILD_DIR)/gprov-kernel.config
$(GPROV_KERNEL_CONFIG): $(wildcard $(GPROV_KERNEL)/*) | host-gprov
	$(GPROV_FOR_BUILDROOT) write-config --kernel $(GPROV_KERNEL) --output $@

$(LINUX_DIR)/.stamp_dotconfig: $(GPROV_KERNEL_CONFIG)
LINUX_KCONFIG_DEFCONFIG = KCONFIG_ALLCONFIG=$(GPROV_KERNEL_CONFIG) allnoconfig

define GPROV_CHECK_KERNEL_CONFIG
	$(GPROV_FOR_BUILDROOT) check-config --kernel $(GPROV_KERNEL) \
		--config $(LINUX_DIR)/.config --source $(LINUX_DIR)
endef
LINUX_PRE_BUILD_HOOKS += GPROV_CHECK_KERNEL_CONFIG

endif

# The number of the build orders the kernels of a unit.
LINUX_MAKE_ENV += KBUILD_BUILD_VERSION=$(or $(BUILD_NUMBER),1)

endif
