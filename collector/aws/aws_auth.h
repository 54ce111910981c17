/* Inside of collector/aws/: where credentials come from, in the order the AWS tools use:
 * environment, assume-role profile, web identity, shared files, credential_process, container,
 * instance metadata (IMDSv2). Kept until shortly before they expire. Secrets never reach a log, an
 * error message or the store. */
#ifndef FNSCOPE_COLLECTOR_AWS_AWS_AUTH_H
#define FNSCOPE_COLLECTOR_AWS_AWS_AUTH_H

#include "collector/aws/aws_endpoint.h"
#include "collector/source.h"
#include "core/base/sigv4.h"

struct aws_auth_options {
    struct str profile;  /* empty: AWS_PROFILE, else "default" */
    struct str role_arn; /* assumed on top of what the chain gives; empty: none */
    struct str external_id, session_name;
};

struct aws_credentials {
    struct sigv4_keys keys;
    int64_t expires_ns; /* wall; 0: never */
    const char *from;   /* "environment", "instance metadata", ... for people */
};

struct aws_auth {
    struct aws_auth_options options;
    struct source_env *env;
    struct str region;
    struct arena arena; /* of what is kept */
    struct aws_credentials kept;
    bool is_kept;
    int64_t got_ns, again_ns; /* wall: when they came, and until when nobody is asked for others */
};

void aws_auth_init(struct aws_auth *a, const struct aws_auth_options *o, struct source_env *env,
                   struct str region);
void aws_auth_clear(struct aws_auth *a); /* wipes the secrets */

/* Valid credentials. New ones are asked for a quarter of an hour before they end, or in the second
 * half of their life where that is short; if nobody gives any, or the same again, those that are
 * there are used to their end, and who was asked has his peace for a while. The views hold until
 * the next call. ERR_AUTH nobody has any, or what was said is wrong; ERR_AGAIN a service is not to
 * be reached. */
MUST_CHECK enum status aws_auth_get(struct aws_auth *a, int64_t now_ns, struct aws_credentials *out,
                                    struct err *e);
/* The service says that they have expired: get new ones the next time. */
void aws_auth_forget(struct aws_auth *a);

/* The region the environment or the profile names; empty: none. */
struct str aws_auth_region(const struct aws_auth_options *o, struct source_env *env,
                           struct arena *mem);

/* Where the profile says that services are. ERR_CONFIG: it names a section that is not there, or no
 * URL. The views are in `mem`. */
MUST_CHECK enum status aws_auth_endpoints(const struct aws_auth_options *o, struct source_env *env,
                                          struct arena *mem, struct aws_profile_endpoints *out,
                                          struct err *e);

/* The role the profile that would be used assumes by keys; empty: none. */
struct str aws_auth_profile_role(const struct aws_auth_options *o, struct source_env *env,
                                 struct arena *mem);

/* --- private to aws_auth*.c --- */

/* One link of the chain: ERR_NOT_FOUND asks the next one. Views into the arena. */
typedef enum status aws_provider_fn(struct aws_auth *a, struct arena *mem,
                                    struct aws_credentials *out, struct err *e);
aws_provider_fn aws_provide_container, aws_provide_instance, aws_provide_web_identity;

struct str aws_variable(const struct aws_auth *a, const char *name); /* empty: not set */
/* The config file's text; empty: there is none. */
MUST_CHECK enum status aws_config_text(const struct aws_auth *a, struct arena *mem, struct str *out,
                                       struct err *e);

struct aws_role {
    struct str role_arn, external_id, session_name;
    struct str duration_s;
    struct str web_token_file; /* then unsigned */
};
enum status aws_assume_role(struct aws_auth *a, const struct aws_role *role,
                            const struct aws_credentials *with, struct arena *mem,
                            struct aws_credentials *out, struct err *e);

/* {"AccessKeyId","SecretAccessKey","Token"|"SessionToken","Expiration"} */
enum status aws_credentials_read(struct str json, struct arena *mem, struct aws_credentials *out,
                                 struct err *e);

/* The profile files. */
struct aws_profile_value {
    struct str key, value;
};
struct aws_profile {
    struct aws_profile_value *rows;
    size_t n;
    bool is_found;
};
/* Sections [name] of the credentials file and [profile name] of the config file, the former first.
 */
enum status aws_profile_read(const struct aws_auth *a, struct str name, struct arena *mem,
                             struct aws_profile *out, struct err *e);
struct str aws_profile_get(const struct aws_profile *p, const char *key);
struct str aws_profile_name(const struct aws_auth *a);
aws_provider_fn aws_provide_profile;

#endif
