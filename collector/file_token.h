/* Inside of collector/: what a file is called in the store's cursors, and what stands in one. */
#ifndef FNSCOPE_COLLECTOR_FILE_TOKEN_H
#define FNSCOPE_COLLECTOR_FILE_TOKEN_H

#include "collector/decode.h"
#include "collector/file_days.h"
#include "collector/stand_in.h"

/* "6 <decoder> <offset> <mode> <chain> <line> <raw> <hash> <done> <stand-ins> <days>": where the
 * decoder goes on in the plain stream; how much of the file was read then, and the hash of all
 * that; which times stood in for its lines; which days it fed. Version 2 hashed the last bytes
 * only: another file could pass for this one; 3 hashed more slowly; 4 had no chain, 5 no stand-ins.
 */
struct file_token {
    struct str decoder;
    struct decode_mark mark;
    uint64_t raw, hash, is_done;
    struct str stand_ins; /* as stand_ins_read takes it */
    struct file_days days;
};

bool file_token_read(struct str text, struct file_token *t);
void file_token_write(const struct file_token *t, struct buf *out);

/* Names of a file by its head, whatever its path, and of what it was when it was shorter: one for
 * each line's end in the head. A last line that has no end yet counts where it is all there is, or
 * where the head is no whole file. Options that change what is stored are part of the name. */
struct file_names {
    uint64_t *hashes; /* of longer and longer beginnings, the head's last */
    size_t n;
    uint64_t options;
};
void file_names_make(struct file_names *names, struct str head, bool is_whole,
                     const struct import_defaults *d, struct arena *a);
struct str file_name(const struct file_names *names, size_t i, struct arena *a);

#endif
