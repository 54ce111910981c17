/* Files and folders: the only writer of ordinary files. Errors name the path and the remedy. */
#ifndef FNSCOPE_CORE_BASE_FILE_H
#define FNSCOPE_CORE_BASE_FILE_H

#include <sys/types.h>

#include "core/base/arena.h"
#include "core/base/buf.h"

MUST_CHECK enum status file_read(const char *path, struct buf *out,
                                 struct err *e); /* to out->max */
/* Writes a temporary file beside path, syncs it, renames it over path. mode e.g. 0600. It is handed
 * over (below). */
MUST_CHECK enum status file_write(const char *path, struct str data, mode_t mode, struct err *e);
MUST_CHECK enum status file_make_dir(const char *path, mode_t mode,
                                     struct err *e); /* with parents */
/* Makes path a symbolic link to target, in one step; what was there is replaced. */
MUST_CHECK enum status file_point(const char *path, const char *target, struct err *e);
/* One that is not there is removed already. */
MUST_CHECK enum status file_remove(const char *path, struct err *e);
/* What the superuser makes in another user's folder would lock that user out of it: it is made
 * theirs, owner and group of the folder. For everyone else, in a folder of one's own, and where
 * the file system refuses, nothing happens. */
void file_hand_over(int fd, const char *path); /* fd: open at path, made by this process */
/* For what is made by its name, a folder or a socket: nothing that was linked or put there. */
void file_hand_over_name(const char *path);
/* Opens a file that nobody may have put there before, handed over; -1 and errno else. */
int file_create(const char *path, mode_t mode);

/* The path as another process finds it, whatever folder it is in. */
struct str file_absolute(struct arena *a, struct str path);
bool file_exists(const char *path);
bool file_is_dir(const char *path);
/* Whether somebody has the file open for writing. Not known: true; it is of another user, or of a
 * file system that cannot say. fd: open for reading only. */
bool file_is_being_written(int fd, bool *is_known);

/* All regular files below path, sorted bytewise, hidden ones left out; a file gives itself. A
 * folder that links lead to again is listed once. What below path cannot be looked at (a link to
 * nowhere, a closed folder) is listed too, so that whoever reads it says why. */
struct file_list {
    char **paths; /* in the arena */
    size_t count;
};
MUST_CHECK enum status file_list(struct arena *a, const char *path, struct file_list *out,
                                 struct err *e);

/* What lies at `relative` from the folder of the running program, e.g. "../share/fnscope/prices":
 * an installation finds its data wherever it was put. Empty where nothing is there. */
struct str file_beside_program(struct arena *a, const char *relative);

/* XDG folder with "/fnscope" appended: kind is "CONFIG", "DATA", "STATE", "CACHE". */
struct str file_xdg(struct arena *a, const char *kind);

#endif
