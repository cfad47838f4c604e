"""A process whose clock is wrong, as on a host whose clock is: a library loaded before all others.

It shifts what the C library tells of the time of day, for the process and its children, and leaves
the monotonic clock alone. (libfaketime does the same, but breaks sleeping on the monotonic clock.)
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

SOURCE = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long shift_s(void) {
    const char *text = getenv("CLOCK_SHIFT_S");
    return text ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *moment) {
    int failed = syscall(SYS_clock_gettime, clock, moment);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        moment->tv_sec += shift_s();
    return failed;
}

int gettimeofday(struct timeval *restrict moment, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    moment->tv_sec = exact.tv_sec;
    moment->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *moment) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (moment) *moment = exact.tv_sec;
    return exact.tv_sec;
}
"""


def build_clock(folder: Path) -> Path:
    """Compile the library; return where it is."""
    compiler = shutil.which("cc")
    assert compiler is not None, "this scenario needs a C compiler (cc)"
    source, library = folder / "clock.c", folder / "clock.so"
    source.write_text(SOURCE)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def shifted_by(library: Path, seconds: int) -> dict[str, str]:
    """Return the environment of a process whose clock is wrong by so much; runners included."""
    return {
        "LD_PRELOAD": str(library),
        "CLOCK_SHIFT_S": str(seconds),
        "PENSTOCK_FUNCTION_ENV": "LD_PRELOAD,CLOCK_SHIFT_S",
    }
