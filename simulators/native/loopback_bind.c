/* LD_PRELOAD shim for a private pcscd.
 *
 * vpcd listens on INADDR_ANY and has no option for it: bind() here turns that into the loopback address.
 * vpcd also sends length and body in two writes; with Nagle and a delayed ACK that costs 44 ms an APDU, so accepted
 * sockets get TCP_NODELAY. mkdir() of /run/pcscd may fail: the directory is the system pcscd's, ours is handed its
 * socket and needs none. The constructor ties the process's life to its parent's: a killed test leaves no pcscd.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

__attribute__((constructor)) static void die_with_parent(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
    int (*real)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "bind");
    struct sockaddr_in loopback;
    const int on = 1;

    if (address->sa_family != AF_INET || length != sizeof loopback)
        return real(fd, address, length);
    loopback = *(const struct sockaddr_in *)address;
    if (loopback.sin_addr.s_addr == htonl(INADDR_ANY))
        loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    /* a restarted pcscd takes its old ports back at once */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return real(fd, (const struct sockaddr *)&loopback, sizeof loopback);
}

int accept(int fd, struct sockaddr *address, socklen_t *length)
{
    int (*real)(int, struct sockaddr *, socklen_t *) = dlsym(RTLD_NEXT, "accept");
    const int on = 1;
    int accepted = real(fd, address, length);

    if (accepted >= 0)
        setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* fails on UNIX sockets: meant */
    return accepted;
}

int mkdir(const char *path, mode_t mode)
{
    int (*real)(const char *, mode_t) = dlsym(RTLD_NEXT, "mkdir");
    int result = real(path, mode);

    if (result != 0 && errno == EACCES && strcmp(path, "/run/pcscd") == 0)
        errno = EEXIST; /* what pcscd takes for success */
    return result;
}
