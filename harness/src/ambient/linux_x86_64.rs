//! Intercepts the C library's clock and entropy on Linux, x86-64, by defining its symbols in our binary.
//!
//! The linker resolves `clock_gettime`, `getrandom` and `syscall` to the definitions here before it looks
//! into the C library. `std` and `getrandom` 0.3 and later use the first two; `getrandom` 0.2 (which `ring`
//! uses) makes the raw call through `syscall`, as `std` does for futexes: everything but the call
//! for random bytes is forwarded with the instruction itself. A thread outside a run gets the kernel's answer.

use std::slice;

use super::{Ambient, with_current};

/// The suffix of error messages: this platform is supported, so something else is wrong.
pub(super) const ADVICE: &str = " (something in the process resolves the C library's symbols another way)";

/// Requests random bytes from the C library.
pub(super) fn ask_getrandom() {
    let mut byte = 0u8;
    // SAFETY: one byte may be written to `byte`.
    unsafe { libc::getrandom((&raw mut byte).cast(), 1, 0) };
}

/// Requests random bytes by the raw system call.
pub(super) fn ask_syscall() {
    let mut byte = 0u8;
    // SAFETY: the arguments are those of getrandom(2); one byte may be written to `byte`.
    unsafe { libc::syscall(libc::SYS_getrandom, &raw mut byte, 1usize, 0u32) };
}

/// Fills `buf` from the run that this thread is in; returns whether it is in one.
///
/// # Safety
/// `len` bytes may be written to `buf`.
unsafe fn fill_from_run(buf: *mut libc::c_void, len: usize) -> bool {
    with_current(|ambient| {
        if len > 0 {
            // SAFETY: the caller's promise.
            ambient.fill(unsafe { slice::from_raw_parts_mut(buf.cast::<u8>(), len) });
        }
    })
    .is_some()
}

/// Replaces getrandom(2) of the C library.
///
/// # Safety
/// As getrandom(2): `len` bytes may be written to `buf`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getrandom(
    buf: *mut libc::c_void,
    len: libc::size_t,
    flags: libc::c_uint,
) -> libc::ssize_t {
    // SAFETY: the caller's promise.
    if unsafe { fill_from_run(buf, len) } {
        return len as libc::ssize_t;
    }
    let args = [buf as i64, len as i64, i64::from(flags), 0, 0, 0];
    // SAFETY: the arguments are those of getrandom(2).
    unsafe { forward(libc::SYS_getrandom, args) as libc::ssize_t }
}

/// Replaces clock_gettime(2) of the C library.
///
/// # Safety
/// As clock_gettime(2): a `timespec` may be written to `out`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, out: *mut libc::timespec) -> libc::c_int {
    let ns = with_current(|ambient| match clock {
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE | libc::CLOCK_TAI => {
            Some(ambient.clock.calendar_ns())
        }
        libc::CLOCK_MONOTONIC
        | libc::CLOCK_MONOTONIC_RAW
        | libc::CLOCK_MONOTONIC_COARSE
        | libc::CLOCK_BOOTTIME => Some(ambient.clock.monotonic_ns()),
        // The processor time of a thread is not simulated.
        _ => None,
    });
    match ns.flatten() {
        Some(ns) => {
            // SAFETY: the caller's promise.
            unsafe {
                out.write(libc::timespec {
                    tv_sec: (ns / 1_000_000_000) as libc::time_t,
                    tv_nsec: (ns % 1_000_000_000) as libc::c_long,
                });
            }
            0
        }
        // SAFETY: the arguments are those of clock_gettime(2).
        None => unsafe {
            forward(
                libc::SYS_clock_gettime,
                [i64::from(clock), out as i64, 0, 0, 0, 0],
            ) as libc::c_int
        },
    }
}

/// Replaces syscall(2) of the C library.
///
/// It is declared with six arguments where the C library's is variadic: both pass them in the same
/// registers.
///
/// # Safety
/// As syscall(2): the arguments are those of the call `number`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn syscall(
    number: libc::c_long,
    a: libc::c_long,
    b: libc::c_long,
    c: libc::c_long,
    d: libc::c_long,
    e: libc::c_long,
    f: libc::c_long,
) -> libc::c_long {
    // SAFETY: for getrandom, `a` is its buffer and `b` its length, by the caller's promise.
    if number == libc::SYS_getrandom && unsafe { fill_from_run(a as *mut libc::c_void, b as usize) } {
        return b;
    }
    // SAFETY: the caller's promise.
    let result = unsafe { forward(number, [a, b, c, d, e, f]) };
    if number == libc::SYS_futex && is_futex_wait(b) {
        with_current(Ambient::stand_still);
    }
    result
}

/// Reports whether a futex operation waits: this is how a thread of the standard library waits for work or for a lock.
fn is_futex_wait(operation: libc::c_long) -> bool {
    let command = operation as libc::c_int & !(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME);
    matches!(command, libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET)
}

/// Makes a system call and reports its error as the C library does.
///
/// # Safety
/// `args` are those of the call `number`.
unsafe fn forward(number: libc::c_long, args: [i64; 6]) -> libc::c_long {
    let result: i64;
    // SAFETY: the kernel's convention on x86-64: number and result in rax, six arguments in these
    // registers; the instruction overwrites rcx and r11 and leaves the stack alone.
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") args[0],
            in("rsi") args[1],
            in("rdx") args[2],
            in("r10") args[3],
            in("r8") args[4],
            in("r9") args[5],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    if (-4095..0).contains(&result) {
        // SAFETY: errno is this thread's.
        unsafe { *libc::__errno_location() = -result as i32 };
        return -1;
    }
    result
}
