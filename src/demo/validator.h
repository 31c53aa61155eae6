/* SPDX-License-Identifier: Apache-2.0 */
/* The eight methods of the `validator1` suite, by which XML-RPC servers have been tested since
 * 1999 (http://xmlrpc.com/validator1). */
#ifndef RPCGATE_DEMO_VALIDATOR_H
#define RPCGATE_DEMO_VALIDATOR_H

#include "demo/methods.h"

#include <cjson/cJSON.h>

#define DEMO_VALIDATOR_LIST(X)                                                                     \
    X(arrayOfStructsTest, "[[\"int\",\"array\"]]", "The sum of the members `curly`.",              \
      demo_array_of_structs)                                                                       \
    X(countTheEntities, "[[\"struct\",\"string\"]]", "How many < > & ' and \\\" a text has.",      \
      demo_count_entities)                                                                         \
    X(easyStructTest, "[[\"int\",\"struct\"]]", "The sum of moe, larry and curly.",                \
      demo_easy_struct)                                                                            \
    X(echoStructTest, "[[\"struct\",\"struct\"]]", "Gives back the struct.", demo_echo_struct)     \
    X(manyTypesTest,                                                                               \
      "[[\"array\",\"int\",\"boolean\",\"string\",\"double\",\"dateTime.iso8601\",\"base64\"]]",   \
      "An array of the six params.", demo_many_types)                                              \
    X(moderateSizeArrayCheck, "[[\"string\",\"array\"]]", "The first and the last text together.", \
      demo_moderate_array)                                                                         \
    X(nestedStructTest, "[[\"int\",\"struct\"]]",                                                  \
      "The sum of moe, larry and curly of April 1, 2000.", demo_nested_struct)                     \
    X(simpleStructReturnTest, "[[\"struct\",\"int\"]]", "A number times 10, 100 and 1000.",        \
      demo_simple_struct)

#define X(name, signature, help, run)                                                              \
    enum demo_answer run(struct demo_call *call, const cJSON *params);
DEMO_VALIDATOR_LIST(X)
#undef X

#endif
