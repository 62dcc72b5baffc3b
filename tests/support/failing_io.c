/* Loaded before libc (LD_PRELOAD): writing or syncing the database fails on order, as a bad disk does.
 *
 * FAIL_NAME   part of the path of the files that are meant
 * FAIL_AT     the number of the one call that fails, in the first process that gets so far
 * FAIL_MARK   a file that is made then, so that it happens once
 * FAIL_EVERY  instead: one of so many calls fails, at random
 * FAIL_ERRNO  how it fails: EIO, unless another number is given
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long calls;

static int meant(int fd) {
    char link[64], path[4096];
    const char *name = getenv("FAIL_NAME");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (!name || length <= 0) return 0;
    path[length] = 0;
    return strstr(path, name) != NULL && strstr(path, "-lock") == NULL;
}

static int fails(int fd) {
    if (!meant(fd)) return 0;
    const char *every = getenv("FAIL_EVERY"), *at = getenv("FAIL_AT"), *mark = getenv("FAIL_MARK");
    if (every) return random() % atol(every) == 0;
    if (!at || !mark || __sync_add_and_fetch(&calls, 1) != atol(at)) return 0;
    int made = open(mark, O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (made < 0) return 0;
    close(made);
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
static int how(void) {
    const char *number = getenv("FAIL_ERRNO");
    return number ? atoi(number) : EIO;
}

#define BAD_DISK(fd) do { if (fails(fd)) { errno = how(); return -1; } } while (0)

ssize_t pwrite(int fd, const void *from, size_t size, off_t at) {
    BAD_DISK(fd);
    return REAL(pwrite)(fd, from, size, at);
}
ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) {
    BAD_DISK(fd);
    return REAL(pwrite64)(fd, from, size, at);
}
int fsync(int fd) {
    BAD_DISK(fd);
    return REAL(fsync)(fd);
}
int fdatasync(int fd) {
    BAD_DISK(fd);
    return REAL(fdatasync)(fd);
}
int ftruncate(int fd, off_t size) {
    BAD_DISK(fd);
    return REAL(ftruncate)(fd, size);
}
int ftruncate64(int fd, off64_t size) {
    BAD_DISK(fd);
    return REAL(ftruncate64)(fd, size);
}
