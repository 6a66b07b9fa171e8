/*
 * An audience that costs little while it is measured: members who join, and every 10 ms let the kernel
 * throw away what has come. On two cores a crowd that reads needs one of them, and what a second
 * event loop brings cannot be seen.
 *
 *   cc -O2 -o audience audience.c && ./audience PORT MEMBERS
 *
 * Prints a line when all have joined, and on SIGTERM how many bytes came for the one with the fewest and
 * the one with the most. Must be root, for buffers of 8 MiB. Linux only; scripts/performance.sh uses it.
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
#include <time.h>
#include <unistd.h>

/* Kept short: a socket that nobody reads acknowledges late, and what is not acknowledged fills the sender's buffer. */
enum { BUFFER = 8 << 20, PAUSE_NANOS = 10000000, PAUSES_PER_PING = 200 };

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
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigprocmask(SIG_BLOCK, &end, NULL);
    int *fds = calloc(members, sizeof *fds);
    long *bytes = calloc(members, sizeof *bytes);
    for (int i = 0; i < members; i++) fds[i] = join(port, i);
    printf("listening, %d members\n", members);
    fflush(stdout);
    struct timespec pause = {0, PAUSE_NANOS};
    for (long pauses = 0;; pauses++) {
        int ends = sigtimedwait(&end, NULL, &pause) == SIGTERM;
        for (int i = 0; i < members; i++) {
            ssize_t got;
            /* MSG_TRUNC: the kernel throws it away and copies nothing. */
            while ((got = recv(fds[i], NULL, BUFFER, MSG_TRUNC | MSG_DONTWAIT)) > 0) bytes[i] += got;
            if (got == 0 || errno != EAGAIN) die("a member was cut");
            /* A sign of life, section 3.4. */
            if (pauses % PAUSES_PER_PING == 0 && send(fds[i], (char[]){4, 0, 0, 4, 0, 0, 0, 0}, 8, MSG_NOSIGNAL) < 0)
                die("PING");
        }
        if (ends) break;
    }
    long fewest = bytes[0], most = bytes[0];
    for (int i = 0; i < members; i++) {
        if (bytes[i] < fewest) fewest = bytes[i];
        if (bytes[i] > most) most = bytes[i];
    }
    printf("read %ld to %ld bytes a member\n", fewest, most);
    return 0;
}
