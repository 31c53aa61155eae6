/* SPDX-License-Identifier: Apache-2.0 */
#include "roff.h"

#include "base/macros.h"

#define CELLS_MAX 8

/* A backslash, a hyphen that is one, and a line that begins as a request would. */
void roff_text(struct buf *to, struct str text)
{
    bool line_begins = to->len == 0 || to->data[to->len - 1] == '\n';
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (line_begins && (c == '.' || c == '\''))
            buf_append_c(to, "\\&");
        if (c == '\\')
            buf_append_c(to, "\\e");
        else if (c == '-')
            buf_append_c(to, "\\-");
        else
            buf_append_byte(to, c);
        line_begins = c == '\n';
    }
}

/* What comes before `mark`; `rest` is what comes behind it. */
static struct str until(struct str *rest, struct str mark)
{
    for (size_t i = 0; i + mark.len <= rest->len; i++) {
        if (str_eq(str_slice(*rest, i, i + mark.len), mark)) {
            struct str before = str_slice(*rest, 0, i);
            *rest = str_slice(*rest, i + mark.len, rest->len);
            return before;
        }
    }
    struct str all = *rest;
    *rest = (struct str){ NULL, 0 };
    return all;
}

static void add_bold(struct buf *to, struct str text)
{
    buf_append_c(to, "\\fB");
    roff_text(to, text);
    buf_append_c(to, "\\fR");
}

/* `[text](address)` */
static void add_link(struct buf *to, struct str *rest)
{
    struct str text = until(rest, STR("]("));
    struct str address = until(rest, STR(")"));
    roff_text(to, text);
    buf_append_c(to, " (");
    roff_text(to, address);
    buf_append_c(to, ")");
}

static bool take(struct str *rest, struct str mark)
{
    if (!str_starts_with(*rest, mark))
        return false;
    *rest = str_slice(*rest, mark.len, rest->len);
    return true;
}

static void add_inline(struct buf *to, struct str text)
{
    while (text.len > 0) {
        if (take(&text, STR("`"))) {
            add_bold(to, until(&text, STR("`")));
        } else if (take(&text, STR("**"))) {
            add_bold(to, until(&text, STR("**")));
        } else if (take(&text, STR("["))) {
            add_link(to, &text);
        } else {
            roff_text(to, str_slice(text, 0, 1));
            text = str_slice(text, 1, text.len);
        }
    }
}

/* A table's row: `| a | b |`, with `\|` for a bar inside. */
struct row {
    struct str cells[CELLS_MAX];
    size_t n;
};

static void parse_row(struct str line, struct row *ret)
{
    ret->n = 0;
    size_t begin = 1;
    for (size_t i = 1; i < line.len && ret->n < CELLS_MAX; i++) {
        if (line.data[i] != '|' || line.data[i - 1] == '\\')
            continue;
        ret->cells[ret->n++] = str_trim(str_slice(line, begin, i));
        begin = i + 1;
    }
}

static void add_cell(struct buf *to, struct str cell)
{
    while (cell.len > 0) {
        struct str piece = until(&cell, STR("\\|"));
        add_inline(to, piece);
        buf_append_c(to, cell.len > 0 ? "|" : "");
    }
}

/* "type", "–": nothing; else "Type: number." */
static void add_detail(struct buf *to, struct str name, struct str value)
{
    if (str_eq_c(value, "–"))
        return;
    buf_append_c(to, to->data[to->len - 1] == '\n' ? "" : " ");
    buf_append_byte(to, (char)(name.data[0] - 'a' + 'A'));
    roff_text(to, str_slice(name, 1, name.len));
    buf_append_c(to, ": ");
    add_cell(to, value);
    buf_append_byte(to, '.');
}

static void add_row(struct buf *to, const struct row *head, const struct row *row)
{
    buf_append_c(to, ".TP\n");
    add_cell(to, row->cells[0]);
    buf_append_byte(to, '\n');
    add_cell(to, row->cells[row->n - 1]);
    if (row->n > 2)
        buf_append_c(to, "\n.br\n");
    for (size_t i = 1; i + 1 < row->n && i < head->n; i++)
        add_detail(to, head->cells[i], row->cells[i]);
    buf_append_byte(to, '\n');
}

enum block { BLOCK_NONE, BLOCK_TEXT, BLOCK_TABLE, BLOCK_FENCE };

/* A page on its way. */
struct page {
    struct buf *to;
    enum block block;
    struct row head; /* of the table */
};

static void add_heading(struct page *p, struct str line)
{
    bool section = str_starts_with(line, STR("## "));
    p->block = BLOCK_NONE;
    if (str_starts_with(line, STR("# ")))
        return;
    buf_append_c(p->to, section ? ".SH \"" : ".SS \"");
    add_inline(p->to, str_slice(line, section ? 3 : 4, line.len));
    buf_append_c(p->to, "\"\n");
}

static void add_table_line(struct page *p, struct str line)
{
    struct row row;
    parse_row(line, &row);
    if (p->block != BLOCK_TABLE)
        p->head = row;
    else if (!str_starts_with(row.cells[0], STR("---")))
        add_row(p->to, &p->head, &row);
    p->block = BLOCK_TABLE;
}

static void add_fence(struct page *p)
{
    bool ends = p->block == BLOCK_FENCE;
    buf_append_c(p->to, ends ? ".fi\n.RE\n" : ".PP\n.RS 4\n.nf\n");
    p->block = ends ? BLOCK_NONE : BLOCK_FENCE;
}

/* The last line is one, which begins a paragraph by itself. */
static bool is_behind_heading(const struct buf *to)
{
    struct str text = { to->data, to->len > 0 ? to->len - 1 : 0 };
    size_t begin = text.len;
    while (begin > 0 && text.data[begin - 1] != '\n')
        begin--;
    struct str line = str_slice(text, begin, text.len);
    return str_starts_with(line, STR(".SH ")) || str_starts_with(line, STR(".SS "));
}

static void add_prose(struct page *p, struct str line)
{
    bool item = take(&line, STR("- "));
    if (item)
        buf_append_c(p->to, ".IP \\(bu 2\n");
    else if (p->block != BLOCK_TEXT && !is_behind_heading(p->to))
        buf_append_c(p->to, ".PP\n");
    p->block = BLOCK_TEXT;
    add_inline(p->to, str_trim(line));
    buf_append_byte(p->to, '\n');
}

static void add_line(struct page *p, struct str line)
{
    if (str_starts_with(line, STR("```"))) {
        add_fence(p);
    } else if (p->block == BLOCK_FENCE) {
        roff_text(p->to, line);
        buf_append_byte(p->to, '\n');
    } else if (line.len == 0) {
        p->block = BLOCK_NONE;
    } else if (line.data[0] == '#') {
        add_heading(p, line);
    } else if (line.data[0] == '|') {
        add_table_line(p, line);
    } else {
        add_prose(p, line);
    }
}

void roff_markdown(struct buf *to, struct str markdown)
{
    struct page page = { .to = to, .block = BLOCK_NONE };
    while (markdown.len > 0)
        add_line(&page, until(&markdown, STR("\n")));
}
