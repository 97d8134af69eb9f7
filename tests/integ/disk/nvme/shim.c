/* Replaces ioctl of nvme-cli: records each admin command in NVME_RECORD, and answers Identify and Get Log Page with the
 * files NVME_PAGES/<opcode>-<lowest byte of dword 10>. */
#include <fcntl.h>
#include <linux/ioctl.h>
#include <linux/nvme_ioctl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int ioctl(int fd, unsigned long request, ...)
{
    va_list list;
    va_start(list, request);
    struct nvme_passthru_cmd *command = va_arg(list, struct nvme_passthru_cmd *);
    va_end(list);
    if (request == NVME_IOCTL_ID)
        return 1;
    if (request != NVME_IOCTL_ADMIN_CMD)
        return 0;
    FILE *record = fopen(getenv("NVME_RECORD"), "a");
    fprintf(record, "%lx %x %x %x %x %x\n", request, command->opcode, command->nsid, command->cdw10, command->cdw11,
            command->data_len);
    fclose(record);
    char path[4096];
    snprintf(path, sizeof(path), "%s/%02x-%02x", getenv("NVME_PAGES"), command->opcode, command->cdw10 & 0xFF);
    int page = open(path, O_RDONLY);
    if (page >= 0) {
        if (read(page, (void *)(unsigned long)command->addr, command->data_len) < 0)
            abort();
        close(page);
    }
    return 0;
}
