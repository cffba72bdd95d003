/* chatload - a load generator and checker for chat servers.
 *
 * One thread, one epoll loop, no dependencies beyond libc on Linux.
 * Speaks IRC or a plain "name line, then text lines" dialect, so that very
 * different servers can be given the same work.  Every message carries its
 * sender, a sequence number and a timestamp; every receiver checks every
 * sender's sequence, so loss, duplication and reordering are counted, not
 * assumed absent.  CPU time and memory of the server come from /proc.
 *
 * Build: cc -O2 -Wall -Wextra -o chatload chatload.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MARK_LEN = 3, STAMP_LEN = MARK_LEN + 6 + 8 + 16, READ_SIZE = 256 * 1024 };
static const char MARK[] = "~%~"; /* starts the stamp inside a message's text */

enum mode { MODE_FANOUT, MODE_IDLE, MODE_JOIN, MODE_STAY };
enum state { S_CONNECTING, S_ASKING, S_REGISTERING, S_JOINING, S_READY, S_DEAD };

struct track {            /* what one receiver has seen of one sender */
    uint32_t expect;      /* next sequence number */
    uint64_t seen;        /* bit i: number expect-1-i has arrived */
};

struct conn {
    int fd, id, room, sender; /* sender: index within the room, or -1 */
    enum state state;
    bool stalled, want_write;
    bool moved;               /* sender: messages came back since its window was last looked at */
    char *carry;              /* incomplete last line */
    uint32_t carry_len, carry_cap;
    char *out;                /* bytes not yet accepted by the kernel */
    uint32_t out_len, out_cap;
    uint32_t sent, oldest;    /* sender: messages sent, and the oldest not seen back */
    uint32_t *seen_by;        /* sender: ring of arrivals per message */
    struct track *tracks;     /* receiver: one per sender of its room */
    int64_t missed;           /* stalled client: messages it has not seen among those around them */
    uint64_t asked_ns;        /* join mode: when its JOIN was sent */
    uint8_t *joins;           /* join mode: bit i: saw client i come in */
};

static struct {
    const char *host, *dialect, *hello, *say, *label, *caps;
    int port, clients, rooms, senders, bytes, window, stalled, connect_window, ring;
    double rate, seconds, settle, stall, hold;
    long messages;
    long server_pid;
    enum mode mode;
    bool irc, ack_all, echo;
} opt = {.host = "127.0.0.1", .dialect = "irc", .port = 6667, .clients = 10, .rooms = 1, .senders = 1,
         .bytes = 64, .window = 16, .connect_window = 64, .seconds = 5, .settle = 0.3, .stall = 3,
         .hold = 1, .say = "%t\\n", .hello = "%n\\n", .label = "", .caps = "", .ack_all = true};

static struct conn *conns;
static int epfd, ready, dead;
static bool running, told_to_go;
static int *room_members;     /* receivers that count, per room */
static uint64_t deliveries, expected, duplicated, reordered, echoes, bytes_in, reads, join_lines;
static int64_t lost;
static uint64_t first_ns, last_ns;
static char *pad, readbuf[READ_SIZE];

/* ---- small things ------------------------------------------------------ */

static void die(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fputs("chatload: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

static void *xrealloc(void *p, size_t n) {
    if (!(p = realloc(p, n))) die("out of memory");
    return p;
}

static uint64_t now_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* one per client, and some to spare: what the hard limit allows, or more where that may be raised */
static void enough_descriptors(void) {
    struct rlimit has;
    rlim_t want = (rlim_t)opt.clients + 64;
    if (getrlimit(RLIMIT_NOFILE, &has) || has.rlim_cur >= want) return;
    struct rlimit more = {want, has.rlim_max > want ? has.rlim_max : want};
    if (setrlimit(RLIMIT_NOFILE, &more)) die("%d clients are more than the %lu descriptors allowed", opt.clients, (unsigned long)has.rlim_max);
}

static void put_hex(char *dst, uint64_t v, int digits) {
    while (digits--) { dst[digits] = "0123456789abcdef"[v & 15]; v >>= 4; }
}

static bool get_hex(const char *src, int digits, uint64_t *out) {
    uint64_t v = 0;
    for (int i = 0; i < digits; i++) {
        int c = src[i];
        if (c >= '0' && c <= '9') c -= '0';
        else if (c >= 'a' && c <= 'f') c -= 'a' - 10;
        else return false;
        v = v << 4 | (uint64_t)c;
    }
    *out = v;
    return true;
}

/* ---- latency histogram: 64 steps per power of two, in nanoseconds ------- */

static uint64_t hist[64 * 64], hist_n, hist_max;

static void hist_add(uint64_t v) {
    int shift = v < 128 ? 0 : 63 - __builtin_clzll(v) - 6;
    hist[shift * 64 + (int)(v >> shift)]++;
    hist_n++;
    if (v > hist_max) hist_max = v;
}

static double hist_us(double q) {
    uint64_t want = (uint64_t)(q * (double)hist_n), sum = 0;
    for (int i = 0; i < 64 * 64; i++) {
        sum += hist[i];
        if (hist[i] && sum > want) {
            int shift = i < 128 ? 0 : i / 64 - 1;
            return (double)((uint64_t)(i - shift * 64) << shift) / 1e3;
        }
    }
    return (double)hist_max / 1e3;
}

/* ---- the server's CPU and memory, from /proc ---------------------------- */

struct usage { double cpu, user, sys; long rss_kb, hwm_kb; };

static long proc_field_kb(long pid, const char *key) {
    char path[64], line[256];
    long v = 0;
    snprintf(path, sizeof path, "/proc/%ld/status", pid);
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    while (fgets(line, sizeof line, f))
        if (!strncmp(line, key, strlen(key))) { v = atol(line + strlen(key)); break; }
    fclose(f);
    return v;
}

/* utime, stime and parent of one process; false when it is gone */
static bool proc_stat(long pid, double *user, double *sys, long *ppid) {
    char path[64], buf[1024];
    unsigned long ut = 0, st = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "r");
    if (!f) return false;
    size_t n = fread(buf, 1, sizeof buf - 1, f);
    fclose(f);
    buf[n] = 0;
    char *p = strrchr(buf, ')');
    if (!p || sscanf(p + 2, "%*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", ppid, &ut, &st) != 3) return false;
    double hz = (double)sysconf(_SC_CLK_TCK);
    *user = (double)ut / hz;
    *sys = (double)st / hz;
    return true;
}

/* CPU time of all threads, ended ones too, in nanoseconds: much finer than the clock ticks of stat */
static double proc_cpu(long pid) {
    clockid_t clock;
    struct timespec ts;
    if (clock_getcpuclockid((pid_t)pid, &clock) || clock_gettime(clock, &ts)) return -1;
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void usage_add(struct usage *u, long pid, int depth) {
    double user = 0, sys = 0;
    long ppid;
    if (!proc_stat(pid, &user, &sys, &ppid)) return;
    double fine = proc_cpu(pid);
    u->cpu += fine >= 0 ? fine : user + sys;
    u->user += user;
    u->sys += sys;
    u->rss_kb += proc_field_kb(pid, "VmRSS:");
    u->hwm_kb += proc_field_kb(pid, "VmHWM:");
    DIR *d = depth < 4 ? opendir("/proc") : NULL;
    if (!d) return;
    for (struct dirent *e; (e = readdir(d));) {
        long child = atol(e->d_name), parent;
        double a, b;
        if (child > 0 && child != pid && proc_stat(child, &a, &b, &parent) && parent == pid)
            usage_add(u, child, depth + 1);
    }
    closedir(d);
}

static struct usage server_usage(void) {
    struct usage u = {0};
    if (opt.server_pid) usage_add(&u, opt.server_pid, 0);
    return u;
}

/* ---- connections -------------------------------------------------------- */

static void watch(struct conn *c, bool write, bool add) {
    struct epoll_event ev = {.events = (c->stalled && running ? 0 : EPOLLIN) | (write ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(epfd, add ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, c->fd, &ev);
    c->want_write = write;
}

static void kill_conn(struct conn *c, const char *why) {
    if (c->state == S_DEAD) return;
    if (dead < 3) fprintf(stderr, "chatload: client %d closed in state %d: %s\n", c->id, c->state, why);
    if (c->state == S_READY) ready--;
    if (c->carry_len && dead < 3) fprintf(stderr, "chatload: last bytes: %.*s\n", (int)c->carry_len, c->carry);
    c->state = S_DEAD;
    dead++;
    close(c->fd);
    c->fd = -1;
}

static void flush_conn(struct conn *c) {
    uint32_t off = 0;
    while (off < c->out_len) {
        ssize_t n = send(c->fd, c->out + off, c->out_len - off, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0) {
            if (errno == EAGAIN) break;
            if (errno == EINTR) continue;
            kill_conn(c, strerror(errno));
            return;
        }
        off += (uint32_t)n;
    }
    memmove(c->out, c->out + off, c->out_len - off);
    c->out_len -= off;
    if ((c->out_len > 0) != c->want_write) watch(c, c->out_len > 0, false);
}

static void put(struct conn *c, const char *data, size_t n) {
    if (c->out_len + n > c->out_cap) {
        c->out_cap = (uint32_t)(c->out_len + n) * 2;
        c->out = xrealloc(c->out, c->out_cap);
    }
    memcpy(c->out + c->out_len, data, n);
    c->out_len += (uint32_t)n;
}

static void putf(struct conn *c, const char *fmt, ...) {
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    put(c, line, (size_t)n);
}

/* expand %n (name), %r (room), %t (text), \n and \r of a --hello or --say template */
static void put_template(struct conn *c, const char *t, const char *text, size_t text_len) {
    for (; *t; t++) {
        if (*t == '\\' && t[1]) { t++; put(c, *t == 'n' ? "\n" : *t == 'r' ? "\r" : t, 1); }
        else if (*t == '%' && t[1] == 'n') { t++; putf(c, "u%d", c->id); }
        else if (*t == '%' && t[1] == 'r') { t++; putf(c, "#r%d", c->room); }
        else if (*t == '%' && t[1] == 't') { t++; put(c, text, text_len); }
        else put(c, t, 1);
    }
}

static void become_ready(struct conn *c) {
    c->state = S_READY;
    ready++;
}

static void start_connect(struct conn *c) {
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)opt.port)};
    inet_pton(AF_INET, opt.host, &sa.sin_addr);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) die("socket: %s (raise ulimit -n?)", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (c->stalled) { /* so that the server's queue fills, not the kernel's: the loopback's 64 KB segments make for send buffers of megabytes */
        setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int));
        setsockopt(c->fd, IPPROTO_TCP, TCP_MAXSEG, &(int){1460}, sizeof(int));
    }
    if (connect(c->fd, (struct sockaddr *)&sa, sizeof sa) < 0 && errno != EINPROGRESS)
        die("connect: %s", strerror(errno));
    c->state = S_CONNECTING;
    watch(c, true, true);
}

static void on_connected(struct conn *c) {
    int err = 0;
    socklen_t len = sizeof err;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);
    if (err) { kill_conn(c, strerror(err)); return; }
    if (opt.irc && *opt.caps) { /* registration waits for CAP END, which the answer brings */
        c->state = S_ASKING;
        putf(c, "CAP REQ :%s\r\nNICK u%d\r\nUSER u%d 0 * :load\r\n", opt.caps, c->id, c->id);
    } else if (opt.irc) {
        c->state = S_REGISTERING;
        putf(c, "NICK u%d\r\nUSER u%d 0 * :load\r\n", c->id, c->id);
    } else {
        put_template(c, opt.hello, "", 0);
        become_ready(c);
    }
    watch(c, false, false);
    flush_conn(c);
}

/* ---- messages ----------------------------------------------------------- */

static void say(struct conn *c, uint64_t stamp_ns) {
    memcpy(pad, MARK, MARK_LEN);
    put_hex(pad + MARK_LEN, (uint64_t)c->id, 6);
    put_hex(pad + MARK_LEN + 6, c->sent, 8);
    put_hex(pad + MARK_LEN + 14, stamp_ns, 16);
    if (opt.irc) {
        putf(c, "PRIVMSG #r%d :", c->room);
        put(c, pad, (size_t)opt.bytes);
        put(c, "\r\n", 2);
    } else put_template(c, opt.say, pad, (size_t)opt.bytes);
    c->seen_by[c->sent++ & (uint32_t)(opt.ring - 1)] = 0;
    expected += (uint64_t)room_members[c->room];
}

static bool may_send(const struct conn *c) {
    return c->state == S_READY && (!opt.messages || (long)c->sent < opt.messages);
}

static void fill_window(struct conn *c) {
    bool any = false;
    while (may_send(c) && c->sent - c->oldest < (uint32_t)opt.window) { say(c, now_ns()); any = true; }
    if (any) flush_conn(c);
}

static void on_delivery(struct conn *c, const char *stamp, uint64_t t) {
    uint64_t id, seq, sent_ns;
    if (!get_hex(stamp, 6, &id) || !get_hex(stamp + 6, 8, &seq) || !get_hex(stamp + 14, 16, &sent_ns)) return;
    if (id >= (uint64_t)opt.clients) return;
    struct conn *s = &conns[id];
    if (s->sender < 0 || s->room != c->room) { duplicated++; return; }
    if (s == c && !opt.echo) { echoes++; return; }
    struct track *k = &c->tracks[s->sender];
    if (seq >= k->expect) {
        uint64_t gap = seq - k->expect;
        *(c->stalled ? &c->missed : &lost) += (int64_t)gap;
        k->seen = gap >= 63 ? 1 : k->seen << (gap + 1) | 1;
        k->expect = (uint32_t)seq + 1;
    } else {
        uint64_t back = k->expect - 1 - seq;
        if (back < 64 && k->seen >> back & 1) { duplicated++; return; }
        if (back < 64) k->seen |= 1ull << back;
        reordered++;
        --*(c->stalled ? &c->missed : &lost);
    }
    if (c->stalled) return; /* checked for order, not counted */
    deliveries++;
    last_ns = t;
    hist_add(t > sent_ns ? t - sent_ns : 0);
    uint32_t need = opt.ack_all ? (uint32_t)room_members[c->room] : 1;
    uint32_t *seen = &s->seen_by[seq & (uint32_t)(opt.ring - 1)];
    if (++*seen != need) return;
    while (s->oldest < s->sent && s->seen_by[s->oldest & (uint32_t)(opt.ring - 1)] >= need) s->oldest++;
    s->moved = true;
}

/* ":u12!user@host JOIN #r0": which client came in */
static void on_join(struct conn *c, const char *p) {
    int id = p[1] == 'u' ? atoi(p + 2) : -1;
    join_lines++;
    if (id < 0 || id >= opt.clients || (c->joins[id / 8] >> id % 8 & 1)) duplicated++;
    else c->joins[id / 8] |= (uint8_t)(1 << id % 8);
}

static void ask_to_join(struct conn *c) {
    c->state = S_JOINING;
    c->asked_ns = now_ns();
    putf(c, "JOIN #r%d\r\n", c->room);
    flush_conn(c);
}

/* the line behind its tags */
static const char *behind_tags(const char *p, size_t *n) {
    const char *end = p + *n;
    if (*n && *p == '@') {
        const char *sp = memchr(p, ' ', *n);
        for (p = sp ? sp : end; p < end && *p == ' ';) p++;
    }
    *n = (size_t)(end - p);
    return p;
}

/* ":server CAP * ACK :...": all that was asked for, or nothing */
static void on_capabilities(struct conn *c, const char *p, size_t n) {
    if (!memmem(p, n, " ACK ", 5)) die("the server does not take --caps \"%s\": %.*s", opt.caps, (int)n, p);
    c->state = S_REGISTERING;
    put(c, "CAP END\r\n", 9);
    flush_conn(c);
}

/* one line, without its end; parameters of IRC commands that matter while connecting */
static void on_line(struct conn *c, const char *p, size_t n, uint64_t t) {
    const char *m = n >= STAMP_LEN ? memmem(p, n, MARK, MARK_LEN) : NULL;
    if (m && p + n - m >= STAMP_LEN) { on_delivery(c, m + MARK_LEN, t); return; }
    if (!opt.irc) return;
    p = behind_tags(p, &n);
    if (n > 5 && !memcmp(p, "PING ", 5)) {
        put(c, "PONG ", 5);
        put(c, p + 5, n - 5);
        put(c, "\r\n", 2);
        flush_conn(c);
        return;
    }
    if ((c->state == S_READY && !c->joins) || !n || *p != ':') return;
    const char *sp = memchr(p, ' ', n);
    if (!sp || (size_t)(p + n - sp) < 5) return;
    if (c->joins && !memcmp(sp, " JOIN", 5)) { on_join(c, p); return; }
    if (c->state == S_ASKING && (!memcmp(sp, " CAP ", 5) || !memcmp(sp, " 421 ", 5))) { on_capabilities(c, p, n); return; }
    if (c->state == S_REGISTERING && !memcmp(sp, " 001 ", 5)) {
        if (opt.mode == MODE_FANOUT || opt.mode == MODE_STAY) ask_to_join(c);
        else become_ready(c);
    } else if (c->state == S_JOINING && !memcmp(sp, " 366 ", 5)) {
        become_ready(c);
        if (c->joins) hist_add(t - c->asked_ns);
    }
    else if (sp[1] == '4' && isdigit((unsigned char)sp[2]) && memcmp(sp, " 422 ", 5))
        fprintf(stderr, "chatload: client %d got: %.*s\n", c->id, (int)n, p);
}

static void on_readable(struct conn *c) {
    /* the incomplete line goes in front, so that lines are always whole in readbuf */
    if (c->carry_len) memcpy(readbuf, c->carry, c->carry_len);
    ssize_t n = recv(c->fd, readbuf + c->carry_len, READ_SIZE - c->carry_len, 0);
    if (n <= 0) {
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
        kill_conn(c, n ? strerror(errno) : "end of stream");
        return;
    }
    uint64_t t = now_ns(), before = deliveries;
    bytes_in += (uint64_t)n;
    char *p = readbuf, *end = readbuf + c->carry_len + n, *nl;
    c->carry_len = 0;
    while ((nl = memchr(p, '\n', (size_t)(end - p)))) {
        size_t len = (size_t)(nl - p);
        on_line(c, p, len && nl[-1] == '\r' ? len - 1 : len, t);
        if (c->state == S_DEAD) return;
        p = nl + 1;
    }
    reads += deliveries != before;
    uint32_t rest = (uint32_t)(end - p);
    if (rest > 65536) die("a line longer than 64 KiB");
    if (rest > c->carry_cap) c->carry = xrealloc(c->carry, c->carry_cap = rest * 2);
    if (rest) memcpy(c->carry, p, rest);
    c->carry_len = rest;
}

/* one round of the loop; returns how many events there were */
static int step(int timeout_ms) {
    struct epoll_event evs[512];
    int n = epoll_wait(epfd, evs, 512, timeout_ms);
    for (int i = 0; i < n; i++) {
        struct conn *c = evs[i].data.ptr;
        if (!c) { told_to_go = read(STDIN_FILENO, readbuf, sizeof readbuf) <= 0; continue; }
        if (c->state == S_DEAD) continue;
        if (c->state == S_CONNECTING) { on_connected(c); continue; }
        if (evs[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) on_readable(c);
        if (c->state != S_DEAD && evs[i].events & EPOLLOUT) flush_conn(c);
    }
    return n;
}

/* ---- phases ------------------------------------------------------------- */

static double connect_all(void) {
    uint64_t t0 = now_ns(), last = t0;
    int started = 0, seen = 0;
    while (ready + dead < opt.clients) {
        while (started < opt.clients && started - ready - dead < opt.connect_window) start_connect(&conns[started++]);
        if (step(100) > 0 && ready + dead != seen) { seen = ready + dead; last = now_ns(); }
        if (now_ns() - last > 20e9) { fprintf(stderr, "chatload: stuck with %d of %d clients\n", ready, opt.clients); break; }
    }
    return (double)(now_ns() - t0) / 1e9;
}

/* until nothing has arrived for quiet_s seconds and the server has stopped working, a minute at most */
static void settle(double quiet_s) {
    uint64_t begin = now_ns(), last = begin;
    while ((double)(now_ns() - last) < quiet_s * 1e9 && (double)(now_ns() - begin) < 60e9)
        if (step(20) > 0) last = now_ns();
    for (int i = 0; i < 50 && opt.server_pid; i++) {
        double cpu = server_usage().cpu;
        for (uint64_t t = now_ns(); now_ns() - t < 100000000;) step(20);
        if (server_usage().cpu - cpu < 0.01) break;
    }
}

static void run_closed_loop(uint64_t stop_ns, struct conn **who, int n) {
    for (int i = 0; i < n; i++) fill_window(who[i]);
    uint64_t quiet = now_ns();
    while (now_ns() < stop_ns) {
        uint64_t before = deliveries;
        step(50);
        for (int i = 0; i < n; i++)
            if (who[i]->moved) { who[i]->moved = false; fill_window(who[i]); }
        if (deliveries != before) quiet = now_ns();
        else if ((double)(now_ns() - quiet) > opt.stall * 1e9) break;
        if (opt.messages && deliveries >= expected) {
            bool more = false;
            for (int i = 0; i < n; i++) more |= may_send(who[i]);
            if (!more) break;
        }
    }
}

/* open loop: message k is due at start + k/rate; latency counts from when it was due */
static void run_at_rate(uint64_t start, uint64_t stop_ns, struct conn **who, int n) {
    double gap = 1e9 / opt.rate;
    for (uint64_t k = 0;;) {
        uint64_t t = now_ns();
        if (t >= stop_ns) return;
        uint64_t due = start + (uint64_t)((double)k * gap);
        if (due > t) { step(due - t > 2000000 ? (int)((due - t) / 1000000) - 1 : 0); continue; }
        struct conn *c = who[k++ % (uint64_t)n];
        if (opt.messages && k > (uint64_t)opt.messages * (uint64_t)n) return;
        if (c->state != S_READY) continue;
        say(c, due);
        flush_conn(c);
    }
}

static void drain(void) {
    uint64_t quiet = now_ns(), before = deliveries;
    while (deliveries < expected && (double)(now_ns() - quiet) < opt.stall * 1e9) {
        step(50);
        if (deliveries != before) { before = deliveries; quiet = now_ns(); }
    }
}

static void count_tail_loss(void) {
    for (int i = 0; i < opt.clients; i++)
        for (int j = i % opt.rooms, s = 0; s < opt.senders && !conns[i].stalled; s++, j += opt.rooms)
            if ((i != j || opt.echo) && conns[j].sent > conns[i].tracks[s].expect)
                lost += (int64_t)(conns[j].sent - conns[i].tracks[s].expect);
}

static void fanout(struct usage before_connect, struct usage connected, double connect_s) {
    int n = 0, total = opt.rooms * opt.senders;
    struct conn **who = xrealloc(NULL, sizeof *who * (size_t)total);
    for (int i = 0; i < opt.clients && n < total; i++)
        if (conns[i].sender >= 0) who[n++] = &conns[i];
    running = true;
    for (int i = 0; i < opt.clients; i++)
        if (conns[i].stalled && conns[i].fd >= 0) watch(&conns[i], false, false);
    int dead_before = dead;
    bytes_in = reads = 0;
    struct usage a = server_usage();
    struct rusage ra, rb;
    getrusage(RUSAGE_SELF, &ra);
    first_ns = now_ns();
    uint64_t stop = first_ns + (uint64_t)(opt.seconds * 1e9);
    if (opt.rate > 0) run_at_rate(first_ns, stop, who, n);
    else run_closed_loop(stop, who, n);
    drain();
    struct usage b = server_usage();
    getrusage(RUSAGE_SELF, &rb);
    uint64_t bytes_during = bytes_in;
    count_tail_loss();
    int stalled_closed = 0;
    int64_t missed = 0;
    running = false;
    if (opt.stalled) {
        int d = dead;
        for (int i = 0; i < opt.clients; i++)
            if (conns[i].stalled && conns[i].fd >= 0) watch(&conns[i], false, false);
        settle(1);
        stalled_closed = dead - d;
        for (int i = opt.clients - opt.stalled; i < opt.clients; i++) {
            if (conns[i].fd < 0) continue;
            missed += conns[i].missed;
            for (int j = i % opt.rooms, k = 0; k < opt.senders; k++, j += opt.rooms) missed += conns[j].sent - conns[i].tracks[k].expect;
        }
    }
    uint64_t sent = 0;
    for (int i = 0; i < n; i++) sent += who[i]->sent;
    double s = last_ns > first_ns ? (double)(last_ns - first_ns) / 1e9 : 0, d = deliveries ? (double)deliveries : 1;
    double own = (double)(rb.ru_utime.tv_sec - ra.ru_utime.tv_sec + rb.ru_stime.tv_sec - ra.ru_stime.tv_sec) +
                 (double)(rb.ru_utime.tv_usec - ra.ru_utime.tv_usec + rb.ru_stime.tv_usec - ra.ru_stime.tv_usec) / 1e6;
    printf("{\"label\":\"%s\",\"mode\":\"fanout\",\"caps\":\"%s\",\"clients\":%d,\"rooms\":%d,\"senders\":%d,\"bytes\":%d,\"window\":%d,"
           "\"rate\":%.0f,\"sent\":%lu,\"deliveries\":%lu,\"seconds\":%.3f,\"deliveries_per_s\":%.0f,"
           "\"cpu_us_per_delivery\":%.3f,\"server_cpu_s\":%.3f,\"server_user_s\":%.2f,\"server_sys_s\":%.2f,"
           "\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,\"lost\":%ld,\"duplicated\":%lu,\"reordered\":%lu,\"echoes\":%lu,"
           "\"closed_by_server\":%d,\"stalled\":%d,\"stalled_closed\":%d,\"stalled_missed\":%ld,\"bytes_per_delivery\":%.1f,\"lines_per_read\":%.2f,"
           "\"rss_start_kb\":%ld,\"rss_connected_kb\":%ld,\"rss_end_kb\":%ld,\"rss_peak_kb\":%ld,\"rss_per_conn_b\":%.0f,"
           "\"connects_per_s\":%.0f,\"connect_cpu_us\":%.1f,\"own_cpu_s\":%.3f,\"began_s\":%.6f,\"ended_s\":%.6f}\n",
           opt.label, opt.caps, opt.clients, opt.rooms, opt.senders, opt.bytes, opt.rate > 0 ? 0 : opt.window, opt.rate, sent, deliveries, s,
           s > 0 ? d / s : 0, (b.cpu - a.cpu) * 1e6 / d, b.cpu - a.cpu, b.user - a.user, b.sys - a.sys, hist_us(.5), hist_us(.99),
           (double)hist_max / 1e3, (long)lost, duplicated, reordered, echoes, dead - dead_before - stalled_closed, opt.stalled,
           stalled_closed, (long)missed, (double)bytes_during / d, d / (double)(reads ? reads : 1), before_connect.rss_kb, connected.rss_kb, b.rss_kb, b.hwm_kb,
           (double)(connected.rss_kb - before_connect.rss_kb) * 1024 / opt.clients, opt.clients / connect_s,
           (connected.cpu - before_connect.cpu) * 1e6 / opt.clients, own, (double)first_ns / 1e9, (double)last_ns / 1e9);
}

/* connected and silent: what a connection costs to make, to keep and to end */
static void idle(struct usage start, struct usage connected, double connect_s) {
    int n = ready ? ready : 1, closed = dead;
    uint64_t t0 = now_ns();
    bytes_in = 0;
    while ((double)(now_ns() - t0) < opt.hold * 1e9) step(20);
    struct usage held = server_usage();
    double hold_s = (double)(now_ns() - t0) / 1e9;
    uint64_t bytes = bytes_in;
    for (int i = 0; i < opt.clients; i++)
        if (conns[i].fd >= 0) { close(conns[i].fd); conns[i].fd = -1; conns[i].state = S_DEAD; }
    settle(0.2);
    struct usage gone = server_usage();
    printf("{\"label\":\"%s\",\"mode\":\"idle\",\"clients\":%d,\"ready\":%d,\"closed_by_server\":%d,\"connects_per_s\":%.0f,"
           "\"connect_cpu_us\":%.1f,\"close_cpu_us\":%.1f,\"idle_cpu_ms_per_s\":%.2f,\"idle_bytes\":%lu,\"rss_start_kb\":%ld,"
           "\"rss_connected_kb\":%ld,\"rss_end_kb\":%ld,\"rss_peak_kb\":%ld,\"rss_per_conn_b\":%.0f}\n",
           opt.label, opt.clients, ready, closed, ready / connect_s, (connected.cpu - start.cpu) * 1e6 / n, (gone.cpu - held.cpu) * 1e6 / n,
           (held.cpu - connected.cpu) * 1e3 / hold_s, bytes, start.rss_kb, held.rss_kb, gone.rss_kb, held.hwm_kb,
           (double)(held.rss_kb - start.rss_kb) * 1024 / n);
}

/* all clients enter one room; of every two, exactly one sees the other come in, and each sees itself */
static void join(void) {
    int n = opt.clients, asked = 0;
    ready = 0;
    bytes_in = 0;
    for (int i = 0; i < n; i++) conns[i].joins = xrealloc(NULL, (size_t)n / 8 + 1), memset(conns[i].joins, 0, (size_t)n / 8 + 1);
    struct usage a = server_usage();
    uint64_t t0 = now_ns(), last = t0;
    for (int seen = 0; ready + dead < n;) {
        while (asked < n && asked - ready - dead < opt.window) {
            if (conns[asked].state == S_READY) ask_to_join(&conns[asked]);
            asked++;
        }
        if (step(100) > 0 && ready + dead != seen) { seen = ready + dead; last = now_ns(); }
        if (now_ns() - last > 20e9) die("stuck with %d of %d clients in the room", ready, n);
    }
    double s = (double)(now_ns() - t0) / 1e9;
    settle(opt.settle);
    struct usage b = server_usage();
    for (int i = 0; i < n; i++)
        for (int j = i; j < n; j++) {
            int saw = (conns[i].joins[j / 8] >> j % 8 & 1) + (i != j && (conns[j].joins[i / 8] >> i % 8 & 1));
            if (!saw) lost++;
            if (saw > 1) duplicated++;
        }
    printf("{\"label\":\"%s\",\"mode\":\"join\",\"clients\":%d,\"ready\":%d,\"closed_by_server\":%d,\"joins_per_s\":%.0f,"
           "\"join_cpu_us\":%.1f,\"join_lines\":%lu,\"cpu_us_per_line\":%.3f,\"bytes_per_join\":%.0f,\"p50_us\":%.1f,"
           "\"p99_us\":%.1f,\"max_us\":%.1f,\"lost\":%ld,\"duplicated\":%lu,\"reordered\":0,\"rss_end_kb\":%ld,\"rss_peak_kb\":%ld}\n",
           opt.label, n, ready, dead, n / s, (b.cpu - a.cpu) * 1e6 / n, join_lines, (b.cpu - a.cpu) * 1e6 / (double)(join_lines ? join_lines : 1),
           (double)bytes_in / n, hist_us(.5), hist_us(.99), (double)hist_max / 1e3, (long)lost, duplicated, b.rss_kb, b.hwm_kb);
}

/* all clients are in their rooms; they read and answer PINGs until standard input ends */
static void stay(double connect_s) {
    printf("{\"label\":\"%s\",\"mode\":\"stay\",\"clients\":%d,\"ready\":%d,\"connect_s\":%.3f}\n", opt.label, opt.clients, ready, connect_s);
    fflush(stdout);
    struct epoll_event in = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(epfd, EPOLL_CTL_ADD, STDIN_FILENO, &in)) die("standard input: %s", strerror(errno));
    while (!told_to_go) step(1000);
    fprintf(stderr, "chatload: the server closed %d\n", dead);
}

/* ---- command line ------------------------------------------------------- */

static const char USAGE[] =
"Usage: chatload [options]\n"
"Connects clients to a chat server on the loopback, sends messages in rooms, checks every\n"
"delivery (loss, duplication, order per sender) and prints one JSON line.\n\n"
"  --host A            IPv4 address (127.0.0.1)      --port N            port (6667)\n"
"  --mode M            fanout: send messages; idle: only connect, hold and close; join: connect, then\n"
"                      all enter one room, --window of them at once, and every JOIN line is checked; stay:\n"
"                      enter the rooms, print a line, and read until standard input ends (fanout)\n"
"  --clients N         connections (10)              --rooms N           client i is in room i mod N (1)\n"
"  --senders N         senders per room (1)          --bytes N           text of a message, 40 or more (64)\n"
"  --window N          closed loop: unacknowledged messages per sender (16)\n"
"  --ack all|one       a message counts as seen when all receivers have it, or when the first has it (all)\n"
"  --rate N            open loop instead: messages per second in all; latency from the due time\n"
"  --seconds S         how long to send (5)          --messages N        or stop after N per sender\n"
"  --stalled N         the last N clients stop reading while the run lasts; not counted (0)\n"
"  --dialect irc|lines IRC, or --hello once and then --say per message (irc)\n"
"  --hello T --say T   lines dialect: %n name, %r room, %t text, \\n \\r  (\"%n\\n\", \"%t\\n\")\n"
"  --caps C            IRC: ask for these capabilities, parted by spaces; echo-message implies --echo\n"
"  --echo              the server sends a message back to its sender too\n"
"  --connect-window N  connections being set up at once (64)\n"
"  --settle S          quiet time before the run (0.3)   --stall S       give up after S s of silence (3)\n"
"  --hold S            idle mode: how long the connections stay idle (1)\n"
"  --server-pid P      read the CPU time and memory of P and its children from /proc\n"
"  --label T           copied to the output\n\n"
"cpu_us_per_delivery is the server's CPU time over messages delivered: the figure that other\n"
"load on the machine disturbs least.  own_cpu_s is chatload's; near 'seconds' means it was the limit.\n"
"lines_per_read tells how much the server batches: messages that arrived together at one receiver.\n";

int main(int argc, char **argv) {
    enum { O_HOST = 256, O_PORT, O_MODE, O_CLIENTS, O_ROOMS, O_SENDERS, O_BYTES, O_WINDOW, O_ACK, O_RATE, O_SECONDS, O_MESSAGES,
           O_STALLED, O_DIALECT, O_HELLO, O_SAY, O_ECHO, O_CWIN, O_SETTLE, O_STALL, O_HOLD, O_PID, O_LABEL, O_CAPS, O_HELP };
    static const struct option longs[] = {
        {"host", 1, 0, O_HOST}, {"port", 1, 0, O_PORT}, {"mode", 1, 0, O_MODE}, {"clients", 1, 0, O_CLIENTS}, {"rooms", 1, 0, O_ROOMS},
        {"senders", 1, 0, O_SENDERS}, {"bytes", 1, 0, O_BYTES}, {"window", 1, 0, O_WINDOW}, {"ack", 1, 0, O_ACK}, {"rate", 1, 0, O_RATE},
        {"seconds", 1, 0, O_SECONDS}, {"messages", 1, 0, O_MESSAGES}, {"stalled", 1, 0, O_STALLED}, {"dialect", 1, 0, O_DIALECT},
        {"hello", 1, 0, O_HELLO}, {"say", 1, 0, O_SAY}, {"echo", 0, 0, O_ECHO}, {"connect-window", 1, 0, O_CWIN},
        {"settle", 1, 0, O_SETTLE}, {"stall", 1, 0, O_STALL}, {"hold", 1, 0, O_HOLD}, {"server-pid", 1, 0, O_PID},
        {"label", 1, 0, O_LABEL}, {"caps", 1, 0, O_CAPS}, {"help", 0, 0, O_HELP}, {0, 0, 0, 0}};
    for (int o; (o = getopt_long(argc, argv, "", longs, NULL)) != -1;) switch (o) {
        case O_HOST: opt.host = optarg; break;
        case O_PORT: opt.port = atoi(optarg); break;
        case O_MODE: opt.mode = !strcmp(optarg, "idle") ? MODE_IDLE : !strcmp(optarg, "join") ? MODE_JOIN : !strcmp(optarg, "stay") ? MODE_STAY : MODE_FANOUT; break;
        case O_CLIENTS: opt.clients = atoi(optarg); break;
        case O_ROOMS: opt.rooms = atoi(optarg); break;
        case O_SENDERS: opt.senders = atoi(optarg); break;
        case O_BYTES: opt.bytes = atoi(optarg); break;
        case O_WINDOW: opt.window = atoi(optarg); break;
        case O_ACK: opt.ack_all = strcmp(optarg, "one") != 0; break;
        case O_RATE: opt.rate = atof(optarg); break;
        case O_SECONDS: opt.seconds = atof(optarg); break;
        case O_MESSAGES: opt.messages = atol(optarg); break;
        case O_STALLED: opt.stalled = atoi(optarg); break;
        case O_DIALECT: opt.dialect = optarg; break;
        case O_HELLO: opt.hello = optarg; break;
        case O_SAY: opt.say = optarg; break;
        case O_ECHO: opt.echo = true; break;
        case O_CWIN: opt.connect_window = atoi(optarg); break;
        case O_SETTLE: opt.settle = atof(optarg); break;
        case O_STALL: opt.stall = atof(optarg); break;
        case O_HOLD: opt.hold = atof(optarg); break;
        case O_PID: opt.server_pid = atol(optarg); break;
        case O_LABEL: opt.label = optarg; break;
        case O_CAPS: opt.caps = optarg; break;
        case O_HELP: fputs(USAGE, stdout); return 0;
        default: fputs(USAGE, stderr); return 2;
    }
    opt.irc = !strcmp(opt.dialect, "irc");
    if (opt.mode == MODE_JOIN && !opt.irc) die("join mode needs --dialect irc");
    if (*opt.caps && !opt.irc) die("--caps needs --dialect irc");
    if (strstr(opt.caps, "echo-message")) opt.echo = true;
    if (opt.mode == MODE_STAY) opt.senders = 0;
    else if (opt.mode != MODE_FANOUT) opt.rooms = 0, opt.senders = 0;
    else if (opt.rooms < 1 || opt.senders < 1 || opt.clients < opt.rooms * (opt.senders + 1) || opt.bytes < STAMP_LEN + 1)
        die("need rooms >= 1, senders >= 1, a receiver besides them in each room, and bytes > %d", STAMP_LEN);
    for (opt.ring = 1; opt.ring < 2 * opt.window || opt.ring < 1024;) opt.ring *= 2;
    enough_descriptors();
    epfd = epoll_create1(EPOLL_CLOEXEC);
    pad = xrealloc(NULL, (size_t)opt.bytes + STAMP_LEN + 1);
    memset(pad, 'x', (size_t)opt.bytes + STAMP_LEN);
    conns = calloc((size_t)opt.clients, sizeof *conns);
    room_members = calloc((size_t)opt.rooms + 1, sizeof *room_members);
    if (!conns || !room_members) die("out of memory");
    for (int i = 0; i < opt.clients; i++) {
        struct conn *c = &conns[i];
        c->id = i;
        c->room = opt.rooms ? i % opt.rooms : 0;
        c->sender = opt.rooms && i / opt.rooms < opt.senders ? i / opt.rooms : -1;
        c->stalled = i >= opt.clients - opt.stalled;
        if (!c->stalled) room_members[c->room]++;
        if (c->sender >= 0) c->seen_by = calloc((size_t)opt.ring, sizeof *c->seen_by);
        if (opt.senders) c->tracks = calloc((size_t)opt.senders, sizeof *c->tracks);
    }
    for (int r = 0; r < opt.rooms && !opt.echo; r++) room_members[r]--; /* a sender does not hear itself */

    struct usage start = server_usage();
    double connect_s = connect_all();
    settle(opt.settle);
    struct usage connected = server_usage();
    if (opt.mode == MODE_IDLE) idle(start, connected, connect_s);
    else if (opt.mode == MODE_STAY) stay(connect_s);
    else if (ready < opt.clients) die("only %d of %d clients are ready", ready, opt.clients);
    else if (opt.mode == MODE_JOIN) join();
    else fanout(start, connected, connect_s);
    return 0;
}
