/* append - what it takes to have one line on disk, as a yardstick.
 *
 * Appends 100 bytes to FILE and calls fdatasync, N times, and prints the CPU
 * time that this took the calling process: median, least and most of the N.
 * What the kernel's own threads and the disk do is not in it, nor is it in
 * what a server is charged with.
 *
 * Build: cc -O2 -Wall -Wextra -o append append.c
 * Use:   append FILE [N]
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double cpu_us(void) {
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    int n = argc > 2 ? atoi(argv[2]) : 400, fd;
    if (argc < 2 || n < 1) return fputs("usage: append FILE [N]\n", stderr), 2;
    if ((fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0) return perror(argv[1]), 1;
    double *took = calloc((size_t)n, sizeof *took);
    char line[100];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (int i = 0; took && i < n; i++) {
        double before = cpu_us();
        if (write(fd, line, sizeof line) != sizeof line || fdatasync(fd)) return perror(argv[1]), 1;
        took[i] = cpu_us() - before;
    }
    if (!took || close(fd)) return perror(argv[1]), 1;
    qsort(took, (size_t)n, sizeof *took, rising);
    printf("{\"appends\":%d,\"append_cpu_us\":%.3f,\"append_least_us\":%.3f,\"append_most_us\":%.3f}\n", n, took[n / 2], took[0], took[n - 1]);
    return 0;
}
