/*
 * An audience that costs nothing while it is measured: members who join and read only between runs.
 * What they are sent waits in their receive buffers, as it would on its way to other machines. On two
 * cores a crowd that reads needs one of them, and what a second event loop brings cannot be seen.
 *
 *   cc -O2 -o audience audience.c && ./audience PORT MEMBERS
 *
 * Prints a line when all have joined; on SIGUSR1 throws away what has come, and prints how many bytes
 * that were for the one with the fewest and the one with the most. Must be root, for buffers of 8 MiB.
 * Linux only; scripts/performance.sh uses it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 8 << 20 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int join(int port, int number)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0), bytes = BUFFER;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes)) die("receive buffer");
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to)) die("connect");
    char name[16];
    int length = snprintf(name, sizeof name, "quiet%d", number);
    /* HELLO, PROTOCOL.md section 3.1: magic, versions, flags, history, name. */
    char hello[64] = {1, 0, 0, 10 + length, 'C', 'H', 'A', 'T', 1, 1, 0, 0, 0, length};
    memcpy(hello + 14, name, length);
    if (send(fd, hello, 14 + length, MSG_NOSIGNAL) < 0) die("HELLO");
    char welcome;
    if (recv(fd, &welcome, 1, 0) != 1) die("WELCOME");
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: audience PORT MEMBERS\n");
        return 2;
    }
    int port = atoi(argv[1]), members = atoi(argv[2]);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    int *fds = calloc(members, sizeof *fds);
    for (int i = 0; i < members; i++) fds[i] = join(port, i);
    printf("listening, %d members\n", members);
    for (;;) {
        fflush(stdout);
        int signal;
        sigwait(&signals, &signal);
        long fewest = -1, most = 0;
        for (int i = 0; i < members; i++) {
            long bytes = 0;
            ssize_t got;
            /* MSG_TRUNC: the kernel throws it away and copies nothing. */
            while ((got = recv(fds[i], NULL, BUFFER, MSG_TRUNC | MSG_DONTWAIT)) > 0) bytes += got;
            if (got == 0 || errno != EAGAIN) die("a member was cut");
            /* A sign of life, section 3.4. */
            if (send(fds[i], (char[]){4, 0, 0, 4, 0, 0, 0, 0}, 8, MSG_NOSIGNAL) < 0) die("PING");
            if (fewest < 0 || bytes < fewest) fewest = bytes;
            if (bytes > most) most = bytes;
        }
        printf("read %ld to %ld bytes a member\n", fewest, most);
    }
}
