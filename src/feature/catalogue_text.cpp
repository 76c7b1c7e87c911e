#include "feature/catalogue_text.hpp"

#include <fmt/format.h>

#include "feature/resolve.hpp"

namespace everlearn {
namespace {

constexpr std::string_view kIntroduction = R"text(# Features

Written by the program from its catalogue (`catalogue_markdown()`); a test compares this file with it.

A feature is a family and a window: `ret_20`. The window counts steps, from 1 to 5000 unless the table says
otherwise, or it is a time that is a whole number of steps: `ret_1h`. On a session calendar a time counts the time
that the market is open, and a step of a day is a session. The tables list the windows of the catalogue (what a
pattern such as `ret_*` matches); any other window can be asked for by its name. At step lengths under a day the
catalogue also has the windows 5m, 15m, 1h, 4h, 24h and 7d where they are whole numbers of steps and not shorter
than the family's first window.

A column is `name@hash`; the hash stands for the computation itself. Values are computed in double and stored as
float32.

**Unknown (NaN).** A value is known when all values it needs are known: a window, and the way back to `x[k]`, counts
only values that follow each other without a break. Warm-up is the number of earlier steps a feature needs; an
instrument that appears later starts its own. A step without news keeps the price, adds a flat bar without volume
and no trades. What is made of quotes and depth is unknown without a trusted book (after a lost connection or a
contradiction, until the next snapshot), and windows over it begin anew then. Everything about an instrument is unknown
before its first price, while its market does not trade, after it is resolved, and once more than five sessions have
closed since its last price; after that it starts anew.

**Symbols.** `p` price; `x[k]` the value k steps ago; `r` = ln(p / p[1]); `r_k` = ln(p / p[k]); `o h l c v` the
step's bar; `a b` best ask and bid, mid = (a + b) / 2; `mean_W`, `std_W`, `Var_W` (divided by W), `cov_W`, `corr_W`,
`sum_W`, `min_W`, `max_W` over the last W values; `mad_W` mean absolute deviation from the mean; `ema_W` exponential
mean with weight 2 / (W + 1), `wilder_W` with weight 1 / W, weights normalised from the first value on. x / 0 is
unknown unless said. Means over instruments need two known ones, and leave the context instruments out. A rank's
ties are equal to nine digits.

**A row** has four kinds of columns, in this order; no two may have one name:

1. `features.use`: stepped each cycle (`cycle.every`), of prices, trades and books;
2. `features.dense`: stepped on the grid of dense prices (`prices.every`, 15 minutes say) from those prices alone. They
   reach further back than a cycle's windows can (`vol_7d` is 672 steps of 15 minutes, and would be 60,480 of ten
   seconds), and after a pause they are there again as soon as the prices that were missed have been asked for. Where a
   hole could not be filled their windows begin anew;
3. `[features.define]`: expressions over the other columns of the row;
4. `source.fields`: what the source itself says (`x_NAME`).

**Expressions.** `[features.define]` holds `name = "expression"`, and the result is a column like any other:

```toml
[features.define]
log_volume = "log1p(volume_24h)"
calm_pull  = "where(regime_7d < 1, reversion_1d, 0) / (1 + 100 * relative_spread)"
```

An expression may name the columns of `use` and `dense`, fields (as `rsi` or `x_rsi`), and other definitions as long as
none needs itself. It sees this row only, so it knows no future and can be computed for rows that are stored
(`features rebuild`). From loose to tight: `< <= > >= == !=`, `+ -`, `* /`, unary `-`, `^`; `abs log log1p sqrt exp sign`
of one value, `min max` of two or more, `where(condition, then, otherwise)`. Comparisons are 1 or 0. Missing in, missing
out; x / 0 and what is no finite number is missing; `where` needs its condition and the branch it takes. It is computed in
double from the columns as stored and stored as float32. Its hash covers what it says (spaces and spare brackets do not
count) and the columns it reads.

**Other features for what is stored.** A directory is bound to its columns; a start with others is refused.
`everlearn features rebuild --data DIR --to DIR2 --set 'features.define.mine=...'` (or `--profile FILE`) makes a directory
with the new ones: columns that examples have are copied; expressions are computed of their rows; dense features of the
dense prices known then; features of the cycles of stored bars, trades, books and prices, and are missing where those are
not stored (`source.store_events`). It says of each column which of these it was. DIR stays as it is, with its models;
those whose columns are all in DIR2 serve there too, until a better one is trained. The engine must not run meanwhile.
[Why so](decisions/0013-rows-again-with-other-features.md).

**A family of your own in C++** is one entry in one file: `src/feature/families_price.cpp` for what prices feed,
`families_flow.cpp` for trades and books, `families_bar.cpp`, `families_clock.cpp`. It says stem, formula, unit, what it
reads, and builds its graph; stepping, history, checkpoints, windows, this table and the hash follow from that. Its plain
twin in `src/feature/testing/plain_features.cpp` is what the tests compare it with.
)text";

std::string in_table(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::int64_t warm_up(const Family& family, int window) {
  Graph graph;
  return graph.needs(family.build(graph, window).id) - 1;
}

/// "W + 3" where the warm-up is a straight line in the window.
std::string warm_up_text(const Family& family) {
  if (family.steps.empty()) return fmt::format("{}", warm_up(family, 0));
  const int w = family.steps.back();
  const std::int64_t at = warm_up(family, w);
  const std::int64_t slope = warm_up(family, w + 1) - at;
  const std::int64_t rest = at - slope * w;
  std::string text = slope == 0 ? "" : slope == 1 ? "W" : fmt::format("{} W", slope);
  if (text.empty()) return fmt::format("{}", rest);
  if (rest != 0) text += fmt::format(" {} {}", rest > 0 ? '+' : '-', rest > 0 ? rest : -rest);
  return text;
}

std::string windows_text(const Family& family) {
  if (family.steps.empty()) return "";
  std::string text = fmt::format("{}", fmt::join(family.steps, " "));
  if (family.least > 1 || family.most < 5000) text += fmt::format(" ({} to {})", family.least, family.most);
  return text;
}

}  // namespace

std::string catalogue_markdown() {
  std::string text{kIntroduction};
  const Resolver daily{Duration::days(1)};
  const Resolver quarter_hour{Duration::minutes(15)};
  const Resolver minute{Duration::minutes(1)};
  text += fmt::format(
      "\n**Size.** {} families; {} features at a step of a day, {} at 15 minutes, {} at one minute, and any other "
      "window.\n",
      daily.families().size(), daily.listed().size(), quarter_hour.listed().size(), minute.listed().size());

  std::string group;
  for (const Family& family : daily.families()) {
    if (family.group != group) {
      group = family.group;
      text += fmt::format("\n## {}\n\n", group);
      text += "| feature | windows | formula | unit | reads | warm-up | reference |\n|---|---|---|---|---|---|---|\n";
    }
    const std::string name = family.steps.empty() ? family.stem : family.stem + "_W";
    text += fmt::format("| `{}` | {} | {} | {} | {} | {} | {} |\n", name, windows_text(family),
                        in_table(with_window(family.formula, "W")), family.unit, family.source, warm_up_text(family),
                        family.reference);
  }
  return text;
}

}  // namespace everlearn
