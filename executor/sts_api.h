/* Security Token Service, as much as a client asks before it works: who am I. Every caller is the
 * root of the manifest's account. STS speaks the Query protocol only
 * (AWS STS API reference, GetCallerIdentity, version 2011-06-15). */
#ifndef FNSCOPE_EXECUTOR_STS_API_H
#define FNSCOPE_EXECUTOR_STS_API_H

#include "executor/api_route.h"

extern const struct api_service sts_service;

#endif
