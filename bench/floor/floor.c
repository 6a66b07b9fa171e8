/*
 * The floor: the least that a server can do for a room on this machine.
 *
 * One thread, epoll, one log in memory, and a place in it for each connection: what came in one
 * turn is appended as MSG frames, and then each connection gets what it lacks with one system call,
 * its own messages left out. It speaks as much of the protocol as a load generator needs (HELLO,
 * WELCOME, SEND, MSG), so that the bytes are those that the real server sends. It checks nothing,
 * bounds nothing, acknowledges nothing and says no good-bye: do not let anybody near it.
 *
 *   cc -O2 -o floor floor.c && ./floor PORT
 *
 * Linux only. docs/PERFORMANCE.md says what is measured beside it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 1024, READ = 1 << 16, PIECES = 64, OWN = 4096, FRAME_MAX = READ, NAME_MAX_BYTES = 64 };
enum { HELLO = 0x01, SEND = 0x02, WELCOME = 0x81, MSG = 0xA1 };
static const uint64_t LOG = 64 << 20;

struct range {
    uint64_t from, to;
};

struct connection {
    int fd, index, waiting;
    uint64_t at;                /* the next byte of the log that it lacks, once it has joined */
    struct range *own;          /* what it wrote itself and has not been passed, a ring of OWN */
    unsigned first_own, end_own;
    uint8_t *partial;           /* a frame that is not whole */
    int partial_bytes, joined;
    uint8_t name[1 + NAME_MAX_BYTES];
};

static struct connection **all;
static int count, poller;
static uint8_t *log_bytes; /* mapped twice in a row: no frame is ever in two pieces */
static uint64_t head;
static uint32_t position;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void put32(uint8_t *to, uint32_t value)
{
    value = htonl(value);
    memcpy(to, &value, 4);
}

static void map_log(void)
{
    int file = memfd_create("log", 0);
    if (file < 0 || ftruncate(file, LOG)) die("log");
    log_bytes = mmap(NULL, 2 * LOG, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int half = 0; half < 2; half++)
        if (mmap(log_bytes + half * LOG, LOG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0)
            == MAP_FAILED)
            die("log");
}

static void drop(struct connection *c)
{
    close(c->fd);
    all[c->index] = all[--count];
    all[c->index]->index = c->index;
    free(c->own);
    free(c->partial);
    free(c);
}

static void wait_for(struct connection *c, int writable)
{
    struct epoll_event e = {.events = EPOLLIN | (writable ? EPOLLOUT : 0), .data.ptr = c};
    c->waiting = writable;
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &e);
}

/* Returns false if the connection has failed. */
static int deliver(struct connection *c)
{
    while (c->at < head) {
        struct iovec pieces[PIECES];
        int n = 0;
        uint64_t from = c->at, wanted = 0;
        for (unsigned own = c->first_own; n < PIECES && from < head;) {
            uint64_t to = own == c->end_own ? head : c->own[own % OWN].from;
            if (from < to) {
                pieces[n++] = (struct iovec){log_bytes + from % LOG, to - from};
                wanted += to - from;
            }
            from = own == c->end_own ? head : c->own[own++ % OWN].to;
        }
        if (from - c->at > LOG / 2) return 0;
        ssize_t took = 0;
        if (n == 1)
            took = send(c->fd, pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
        else if (n > 1)
            took = sendmsg(c->fd, &(struct msghdr){.msg_iov = pieces, .msg_iovlen = n},
                           MSG_NOSIGNAL | MSG_DONTWAIT);
        if (took < 0 && errno != EAGAIN) return 0;
        for (uint64_t left = took < 0 ? 0 : took;;) {
            uint64_t to = c->first_own == c->end_own ? from : c->own[c->first_own % OWN].from;
            uint64_t step = left < to - c->at ? left : to - c->at;
            c->at += step;
            left -= step;
            if (c->at < to || c->first_own == c->end_own) break;
            c->at = c->own[c->first_own++ % OWN].to;
        }
        if (took < (ssize_t)wanted) {
            if (!c->waiting) wait_for(c, 1);
            return 1;
        }
    }
    if (c->waiting) wait_for(c, 0);
    return 1;
}

static void append(struct connection *c, const uint8_t *text, uint32_t bytes)
{
    uint8_t *to = log_bytes + head % LOG;
    uint32_t body = 8 + 1 + c->name[0] + bytes;
    put32(to, (uint32_t)MSG << 24 | body);
    put32(to + 4, position++);
    put32(to + 8, time(NULL));
    memcpy(to + 12, c->name, 1 + c->name[0]);
    memcpy(to + 13 + c->name[0], text, bytes);
    if (c->first_own != c->end_own && c->own[(c->end_own - 1) % OWN].to == head)
        c->own[(c->end_own - 1) % OWN].to += 4 + body;
    else if (c->end_own - c->first_own < OWN)
        c->own[c->end_own++ % OWN] = (struct range){head, head + 4 + body};
    head += 4 + body;
}

static int welcome(struct connection *c, const uint8_t *hello, uint32_t bytes)
{
    uint8_t name_bytes = bytes > 9 ? hello[9] : 0;
    if (name_bytes > NAME_MAX_BYTES || 10u + name_bytes > bytes) return 0;
    memcpy(c->name, hello + 9, 1 + name_bytes);
    uint8_t frame[4 + 56 + 1 + NAME_MAX_BYTES] = {0};
    uint8_t *body = frame + 4;
    put32(frame, (uint32_t)WELCOME << 24 | (57 + name_bytes));
    body[0] = 1;
    put32(body + 30, position); /* next, of which the upper half is 0 */
    put32(body + 38, position); /* head */
    put32(body + 46, count);
    put32(body + 50, FRAME_MAX);
    body[55] = 30; /* heartbeat */
    memcpy(body + 56, c->name, 1 + name_bytes);
    c->own = malloc(OWN * sizeof *c->own);
    c->at = head;
    c->joined = 1;
    return send(c->fd, frame, 61 + name_bytes, MSG_NOSIGNAL) == 61 + name_bytes;
}

static int hear(struct connection *c, const uint8_t *in, int bytes)
{
    while (bytes >= 4) {
        int body = in[1] << 16 | in[2] << 8 | in[3];
        if (body > FRAME_MAX) return 0;
        if (bytes < 4 + body) break;
        if (in[0] == HELLO && !c->joined && !welcome(c, in + 4, body)) return 0;
        if (in[0] == SEND && c->joined) append(c, in + 4, body);
        in += 4 + body;
        bytes -= 4 + body;
    }
    if (bytes) {
        if (!c->partial) c->partial = malloc(4 + FRAME_MAX + READ);
        memmove(c->partial, in, bytes);
    }
    c->partial_bytes = bytes;
    return 1;
}

/* Returns false if the connection has ended. */
static int receive(struct connection *c)
{
    static uint8_t in[READ];
    if (!c->partial_bytes) {
        ssize_t got = recv(c->fd, in, READ, MSG_DONTWAIT);
        return got > 0 ? hear(c, in, got) : got < 0 && errno == EAGAIN;
    }
    ssize_t got = recv(c->fd, c->partial + c->partial_bytes, READ, MSG_DONTWAIT);
    return got > 0 ? hear(c, c->partial, c->partial_bytes + got) : got < 0 && errno == EAGAIN;
}

static void accept_all(int listener)
{
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        struct connection *c = calloc(1, sizeof *c);
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        c->fd = fd;
        c->index = count;
        all[count++] = c;
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e);
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct rlimit files;
    socklen_t length = sizeof address;
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (argc != 2) {
        fprintf(stderr, "usage: floor PORT (0 for any)\n");
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    all = calloc(files.rlim_max, sizeof *all);
    address.sin_port = htons(atoi(argv[1]));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) die("listen");
    getsockname(listener, (struct sockaddr *)&address, &length);
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    map_log();
    poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(poller, events, EVENTS, -1);
        uint64_t before = head;
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (!c)
                accept_all(listener);
            else if (((events[i].events & EPOLLOUT) && !deliver(c))
                     || ((events[i].events & ~EPOLLOUT) && !receive(c)))
                drop(c);
        }
        if (head != before)
            for (int i = count - 1; i >= 0; i--)
                if (all[i]->joined && !all[i]->waiting && !deliver(all[i])) drop(all[i]);
    }
}
