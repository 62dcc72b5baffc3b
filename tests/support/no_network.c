/* Loaded before libc (LD_PRELOAD): there is no network but this machine itself. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

int connect(int fd, const struct sockaddr *to, socklen_t size) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)to;
    if (to->sa_family == AF_INET6 || (to->sa_family == AF_INET && ntohl(in->sin_addr.s_addr) >> 24 != 127)) {
        errno = ENETUNREACH;
        return -1;
    }
    return ((__typeof__(&connect))dlsym(RTLD_NEXT, "connect"))(fd, to, size);
}

int getaddrinfo(const char *name, const char *port, const struct addrinfo *how, struct addrinfo **found) {
    if (name && strncmp(name, "127.", 4) != 0) return EAI_AGAIN;
    return ((__typeof__(&getaddrinfo))dlsym(RTLD_NEXT, "getaddrinfo"))(name, port, how, found);
}
