/* For LD_PRELOAD: SG_IO on the file $DRIVE_NODE goes to the socket $DRIVE_SOCKET (tests/integ/erase/preload/server.py),
   with the sense data as the drive returned them. Request: three numbers of 32 bits (sizes of CDB, data from the drive,
   data to the drive), CDB, data. Reply: status, sizes of sense data and data, sense data, data. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <errno.h>
static int node = -1;
static int opened(int fd, const char *path) {
    const char *wanted = getenv("DRIVE_NODE");
    if (fd >= 0 && wanted && !strcmp(path, wanted)) node = fd;
    return fd;
}
int open(const char *path, int flags, ...) {
    va_list a; va_start(a, flags); int mode = va_arg(a, int); va_end(a);
    return opened(openat(AT_FDCWD, path, flags & ~O_DIRECT, mode), path);
}
int open64(const char *path, int flags, ...) {
    va_list a; va_start(a, flags); int mode = va_arg(a, int); va_end(a);
    return opened(openat(AT_FDCWD, path, flags & ~O_DIRECT, mode), path);
}
int __open_2(const char *path, int flags) { return opened(openat(AT_FDCWD, path, flags & ~O_DIRECT), path); }
int __open64_2(const char *path, int flags) { return __open_2(path, flags); }
static int all(int s, void *buf, size_t size, int out) {
    char *at = buf;
    while (size) {
        ssize_t n = out ? write(s, at, size) : read(s, at, size);
        if (n <= 0) return -1;
        at += n; size -= n;
    }
    return 0;
}
static int command(sg_io_hdr_t *h) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    strncpy(name.sun_path, getenv("DRIVE_SOCKET"), sizeof name.sun_path - 1);
    int s = socket(AF_UNIX, SOCK_STREAM, 0), rc = -1;
    int out = h->dxfer_direction == SG_DXFER_TO_DEV, in = h->dxfer_direction == SG_DXFER_FROM_DEV;
    uint32_t ask[3] = {h->cmd_len, in ? h->dxfer_len : 0, out ? h->dxfer_len : 0}, got[3];
    if (s >= 0 && !connect(s, (void *)&name, sizeof name) && !all(s, ask, sizeof ask, 1) &&
        !all(s, h->cmdp, h->cmd_len, 1) && (!out || !all(s, h->dxferp, h->dxfer_len, 1)) && !all(s, got, sizeof got, 0)) {
        unsigned char sense[256] = {0};
        rc = all(s, sense, got[1], 0) || (got[2] && all(s, h->dxferp, got[2], 0));
        h->status = got[0]; h->masked_status = got[0] >> 1 & 0x1f; h->host_status = 0;
        h->driver_status = got[1] ? 8 : 0; h->sb_len_wr = got[1] < h->mx_sb_len ? got[1] : h->mx_sb_len;
        if (h->sbp) memcpy(h->sbp, sense, h->sb_len_wr);
        h->resid = in ? h->dxfer_len - got[2] : 0; h->info = got[0] ? 1 : 0; h->duration = 0;
    }
    if (s >= 0) close(s);
    if (rc) errno = EIO;
    return rc ? -1 : 0;
}
int ioctl(int fd, unsigned long request, ...) {
    static int (*next)(int, unsigned long, void *);
    va_list a; va_start(a, request); void *p = va_arg(a, void *); va_end(a);
    if (fd == node && request == SG_IO) return command(p);
    if (!next) next = dlsym(RTLD_NEXT, "ioctl");
    return next(fd, request, p);
}
