/* Prints layout and request number of the kernel's header. */
#include <linux/ioctl.h>
#include <linux/nvme_ioctl.h>
#include <stddef.h>
#include <stdio.h>

#define SHOW(field) printf(#field " %zu %zu\n", offsetof(struct nvme_passthru_cmd, field), \
                           sizeof(((struct nvme_passthru_cmd *)0)->field))

int main(void)
{
    printf("request %lu %zu\n", (unsigned long)NVME_IOCTL_ADMIN_CMD, sizeof(struct nvme_passthru_cmd));
    SHOW(opcode); SHOW(flags); SHOW(rsvd1); SHOW(nsid); SHOW(cdw2); SHOW(cdw3); SHOW(metadata); SHOW(addr);
    SHOW(metadata_len); SHOW(data_len); SHOW(cdw10); SHOW(cdw11); SHOW(cdw12); SHOW(cdw13); SHOW(cdw14); SHOW(cdw15);
    SHOW(timeout_ms); SHOW(result);
    return 0;
}
