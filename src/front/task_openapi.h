/* SPDX-License-Identifier: Apache-2.0 */
/* A request for an OpenAPI document: GET /openapi.json and GET /openapi/{upstream}.json, or of the
 * routes alone, which asks nobody: GET /-/routes.json. */
#ifndef RPCGATE_FRONT_TASK_OPENAPI_H
#define RPCGATE_FRONT_TASK_OPENAPI_H

#include "front/openapi_writer.h"
#include "work/turn.h"

struct openapi_work {
    struct openapi_writer writer;
    struct turn turn;
};

#endif
