include $(sort $(wildcard $(BR2_EXTERNAL_GPROV_PATH)/package/*/*.mk))

ifeq ($(BR2_PACKAGE_GPROV),y)

# Replaces the tree that Buildroot installed by gprov's initramfs, which has a
# /init and a /dev/console of its own.
define GPROV_FREEZE
	$(HOST_DIR)/bin/python3 -m gprov.apps.host.initramfs.from_tree \
		--root $(TARGET_DIR) --grub $(HOST_DIR)/lib/grub/i386-pc \
		--names $(BR2_EXTERNAL_GPROV_PATH)/names.toml \
		--spec $(call qstrip,$(BR2_PACKAGE_GPROV_SPEC)) \
		--flavor $(call qstrip,$(BR2_PACKAGE_GPROV_FLAVOR)) \
		--output $(ROOTFS_CPIO_DIR)/gprov.cpio
	rm -rf $(TARGET_DIR)
	mkdir $(TARGET_DIR)
	cd $(TARGET_DIR) && cpio --extract --quiet < $(ROOTFS_CPIO_DIR)/gprov.cpio
endef
ROOTFS_CPIO_PRE_GEN_HOOKS = GPROV_FREEZE

# As "gprov build kernel" does: symbols that are not named are off. The number
# of the build orders the kernels of a unit.
ifneq ($(BR2_PACKAGE_GPROV_KERNEL_CONFIG),)
LINUX_KCONFIG_DEFCONFIG = \
	KCONFIG_ALLCONFIG=$(call qstrip,$(BR2_PACKAGE_GPROV_KERNEL_CONFIG)) \
	allnoconfig
endif
LINUX_MAKE_ENV += KBUILD_BUILD_VERSION=$(or $(BUILD_NUMBER),1)

endif
