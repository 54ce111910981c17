/* The filter as the kernel's classic BPF: machine type, then one comparison a refused call. */
#include "executor/syscall_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
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

#define NAMESPACES                                                                                 \
    (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |     \
     CLONE_NEWCGROUP)

/* load machine, compare, load number, compare with the foreign table */
#define HEAD 4
#define TAIL (HEAD + ARRAY_LEN(refused))
/* clone3 or clone, its flags, and the ends */
enum { IS_CLONE3 = TAIL, IS_CLONE, LOAD_FLAGS, HAS_NAMESPACES, ALLOW, REFUSE, LACK, SIZE };

static struct sock_filter load(size_t offset)
{
    return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offset);
}

/* Jumps lead forward, by at most 255. */
static struct sock_filter jump(unsigned from, unsigned test, unsigned value, unsigned then)
{
    return (struct sock_filter)BPF_JUMP(BPF_JMP | test | BPF_K, value,
                                        (unsigned char)(then - from - 1), 0);
}

static struct sock_filter end(unsigned verdict)
{
    return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict);
}

static void fill(struct sock_filter program[SIZE], unsigned machine, unsigned foreign)
{
    program[0] = load(offsetof(struct seccomp_data, arch));
    program[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, machine, 0, REFUSE - 2);
    program[2] = load(offsetof(struct seccomp_data, nr));
    program[3] = jump(3, BPF_JGE, foreign, REFUSE);
    for (unsigned i = 0; i < ARRAY_LEN(refused); i++)
        program[HEAD + i] = jump(HEAD + i, BPF_JEQ, refused[i], REFUSE);
    program[IS_CLONE3] = jump(IS_CLONE3, BPF_JEQ, SYS_clone3, LACK);
    program[IS_CLONE] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, ALLOW - LOAD_FLAGS);
    program[LOAD_FLAGS] =
        load(offsetof(struct seccomp_data, args)); /* the lower half of the first */
    program[HAS_NAMESPACES] = jump(HAS_NAMESPACES, BPF_JSET, NAMESPACES, REFUSE);
    program[ALLOW] = end(SECCOMP_RET_ALLOW);
    program[REFUSE] = end(SECCOMP_RET_ERRNO | EPERM);
    program[LACK] = end(SECCOMP_RET_ERRNO | ENOSYS);
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
