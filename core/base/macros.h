/* The macros of the whole tree. A new one needs a reason that a function cannot meet. */
#ifndef FNSCOPE_CORE_BASE_MACROS_H
#define FNSCOPE_CORE_BASE_MACROS_H

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Runs fn(&variable) when the variable leaves its scope: AUTO(buf_clear) struct buf b = { 0 }; */
#define AUTO(fn) __attribute__((cleanup(fn)))

#define MUST_CHECK              __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define UNUSED(x)               ((void)(x))

#endif
