/* The filter as the kernel's classic BPF: machine type, then one comparison a refused call. */
#include "executor/syscall_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "core/base/macros.h"

#if defined(__x86_64__)
#define MACHINE   AUDIT_ARCH_X86_64
#define X32_CALLS 0x40000000U /* numbers from here on are another table of the same machine */
#elif defined(__aarch64__)
#define MACHINE   AUDIT_ARCH_AARCH64
#define X32_CALLS 0xffffffffU
#endif

static const unsigned refused[] = {
    /* clang-format off */
    /* the machine */
    SYS_reboot, SYS_kexec_load, SYS_kexec_file_load, SYS_init_module, SYS_finit_module,
    SYS_delete_module, SYS_swapon, SYS_swapoff, SYS_acct, SYS_quotactl, SYS_syslog, SYS_vhangup,
    SYS_sethostname, SYS_setdomainname, SYS_settimeofday, SYS_clock_settime, SYS_adjtimex,
    SYS_clock_adjtime,
    /* mounts and namespaces */
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_open_tree, SYS_move_mount, SYS_fsopen,
    SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr, SYS_setns, SYS_unshare,
    SYS_open_by_handle_at,
    /* other processes */
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp,
    /* parts of the kernel that functions do not need */
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_add_key, SYS_request_key, SYS_keyctl,
    SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
    /* clang-format on */
};

/* load machine, compare, load number, compare with the foreign table; two ends */
#define HEAD 4
#define SIZE (HEAD + ARRAY_LEN(refused) + 2)

static struct sock_filter load(size_t offset)
{
    return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offset);
}

static struct sock_filter end(unsigned verdict)
{
    return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict);
}

/* Jumps lead forward, by at most 255: to `refuse`, the last instruction. */
static void fill(struct sock_filter program[SIZE], unsigned machine, unsigned foreign)
{
    const unsigned refuse = SIZE - 1;

    program[0] = load(offsetof(struct seccomp_data, arch));
    program[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, machine, 0,
                                              (unsigned char)(refuse - 2));
    program[2] = load(offsetof(struct seccomp_data, nr));
    program[3] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, foreign,
                                              (unsigned char)(refuse - 4), 0);
    for (unsigned i = 0; i < ARRAY_LEN(refused); i++)
        program[HEAD + i] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, refused[i], (unsigned char)(refuse - (HEAD + i + 1)), 0);
    program[SIZE - 2] = end(SECCOMP_RET_ALLOW);
    program[SIZE - 1] = end(SECCOMP_RET_ERRNO | EPERM);
}

int syscall_filter_enter(void)
{
#ifdef MACHINE
    struct sock_filter program[SIZE];
    const struct sock_fprog filter = {.len = SIZE, .filter = program};

    _Static_assert(SIZE < 255, "a jump of the filter is one byte long");
    fill(program, MACHINE, X32_CALLS);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) != 0 ? errno : 0;
#else
    return ENOSYS;
#endif
}
