/* SPDX-License-Identifier: Apache-2.0 */
/* Strings that become base64, and {"$base64": …}, whose text is base64 already. */
#include "codec/xml/encode_inside.h"

#include "codec/json/text.h"

void encode_look(struct encoder *e)
{
    const char *at = e->at;
    bool forbidden = false;
    while (at < e->stop && *at != '"' && !forbidden) {
        if (*at == '\\')
            forbidden = !xml_is_char(json_read_escape(&at));
        else if (utf8_is_noncharacter(at))
            forbidden = true;
        else
            at++;
    }
    e->at = at;
    if (forbidden || *at == '"') {
        e->at = e->begin;
        e->form = forbidden ? FORM_BASE64 : FORM_TEXT;
    }
}

static const char advice[] =
    "Write base64, of the standard or the URL-safe alphabet, as in {\"$base64\": \"AQID\"}.";

/* What stands at e->at is written piece by piece, each a run or an escape: false where the string
 * is at its end, or the step; e->at is there. */
static bool next_piece(struct encoder *e, char bytes[4], struct str *ret)
{
    const char *start = e->at;
    const char *run = json_run_within(start, e->stop);
    e->at = run;
    *ret = (struct str){ start, (size_t)(run - start) };
    if (run > start)
        return true;
    if (run >= e->stop || *run == '"')
        return false;
    *ret = (struct str){ bytes, utf8_write(json_read_escape(&e->at), bytes) };
    return true;
}

/* Moves behind the closing quote, if that is where e->at is. */
static bool at_end(struct encoder *e)
{
    if (*e->at != '"')
        return false;
    e->at++;
    e->open = OPEN_NONE;
    return true;
}

bool encode_as_base64(struct encoder *e)
{
    char bytes[4];
    struct str piece;
    while (next_piece(e, bytes, &piece))
        base64_encode(&e->base64, piece);
    if (!at_end(e))
        return false;
    base64_encode_end(&e->base64);
    e->repaired++;
    return true;
}

bool encode_base64_go_on(struct encoder *e, struct error *err)
{
    char bytes[4];
    struct str piece;
    while (next_piece(e, bytes, &piece))
        if (!base64_copy(&e->base64, piece))
            return encode_refuse(e, err, "%s", advice);
    if (!at_end(e))
        return true;
    if (!base64_copy_end(&e->base64))
        return encode_refuse(e, err, "This base64 is cut off or its padding is wrong. %s", advice);
    chain_append(e->to, STR("</base64></value>"));
    return true;
}

bool encode_base64(struct encoder *e, struct error *err)
{
    if (*e->at != '"')
        return encode_refuse(e, err, "%s", advice);
    e->at++;
    e->open = OPEN_BASE64;
    chain_append(e->to, STR("<value><base64>"));
    base64_begin(&e->base64, e->to, BASE64_LINE);
    return encode_base64_go_on(e, err);
}
