/* What is typed behind / in the dashboard, key by key: any text leaves a table that can be drawn,
 * with rows that exist, each once. */
#include <assert.h>

#include "tests/fuzz/fuzz.h"
#include "tests/support/view_twin.h"

static const struct twin_row rows[] = {
    {"checkout-api", "0.5", "0.000000000900", STYLE_PLAIN},
    {"mail \xe6\xbc\xa2", NULL, "2", STYLE_BAD},
    {"a.b(c", "-12.25", "99999999999999", STYLE_PLAIN},
    {"", "0", NULL, STYLE_PLAIN},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view_twin w;
    bool is_seen[ARRAY_LEN(rows)] = {false};

    view_twin_open(&w, rows, ARRAY_LEN(rows));
    app_key(&w.app, '/');
    for (size_t i = 0; i < size && i < 600 && w.app.prompt.kind != PROMPT_NONE; i++)
        app_key(&w.app, data[i]);
    app_place(&w.app)->sort_column = size % 4 == 3 ? -1 : (int)(size % 4);
    app_arrange(&w.app);
    assert(w.app.n_shown <= ARRAY_LEN(rows));
    for (size_t i = 0; i < w.app.n_shown; i++) {
        assert(w.app.order[i] < ARRAY_LEN(rows) && !is_seen[w.app.order[i]]);
        is_seen[w.app.order[i]] = true;
    }
    app_search(&w.app, 1);
    app_draw(&w.app, 60 + (unsigned)(size % 90), 16 + (unsigned)(size % 30));
    app_clear(&w.app);
    return 0;
}
