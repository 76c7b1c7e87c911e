#include "venue/recording_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "core/hash.hpp"
#include "io/byte_stream.hpp"
#include "io/csv.hpp"
#include "io/lines.hpp"
#include "venue/json_members.hpp"
#include "venue/made_book.hpp"
#include "venue/signing.hpp"

namespace everlearn::venue {
namespace {

constexpr Price kCent = Price::from_nanos(10'000'000);
constexpr Price kMill = Price::from_nanos(1'000'000);
constexpr Price kLowBand = Price::from_nanos(40'000'000);    // nearer to the ends of the scale than that, a tick of
constexpr Price kHighBand = Price::from_nanos(960'000'000);  // a cent becomes one of a mill

/// A CSV file with a header, read row by row; rows that do not fit it are left out, as the recordings' README tells.
class Table {
 public:
  static Result<Table> open(Fs& fs, const std::string& path) {
    EL_TRY(std::unique_ptr<ByteStream> bytes, open_bytes(fs, path));
    Table table{path, std::make_unique<CsvReader>(std::move(bytes))};
    EL_TRY(const bool any, table.reader_->next(table.record_));
    if (!any || table.record_.refusal) return fail(Code::BadData, path + ": no header");
    for (std::size_t i = 0; i < table.record_.fields.size(); ++i)
      table.columns_.emplace(std::string{table.record_.fields[i]}, i);
    return table;
  }

  Result<bool> next() {
    for (;;) {
      EL_TRY(const bool any, reader_->next(record_));
      if (!any) return false;
      if (!record_.refusal && record_.fields.size() == columns_.size()) return true;
    }
  }
  /// Empty for a column that the file has not.
  std::string_view operator[](std::string_view column) const {
    const auto found = columns_.find(column);
    return found == columns_.end() ? std::string_view{} : record_.fields[found->second];
  }

 private:
  Table(std::string path, std::unique_ptr<CsvReader> reader) : path_{std::move(path)}, reader_{std::move(reader)} {}

  std::string path_;
  std::unique_ptr<CsvReader> reader_;
  CsvRecord record_;
  std::map<std::string, std::size_t, std::less<>> columns_;
};

Result<std::vector<std::string>> files_of(Fs& fs, const std::string& folder, std::string_view start = "") {
  EL_TRY(const std::vector<DirectoryEntry> entries, fs.list(folder));
  std::vector<std::string> names;
  for (const DirectoryEntry& entry : entries)
    if (!entry.is_directory && entry.name.ends_with(".gz") && entry.name.starts_with(start))
      names.push_back(entry.name);
  if (names.empty()) return fail(Code::NotFound, fmt::format("{}: no recording {}*.gz", folder, start));
  return names;
}

std::optional<Timestamp> time_in(std::string_view text, std::string_view zone) {
  auto at = Timestamp::parse(std::string{text} + std::string{zone});
  return at ? std::optional{*at} : std::nullopt;
}

/// Strictly inside the scale.
std::optional<Price> inner_price(std::string_view text) {
  auto price = Price::parse(text);
  if (!price || price->nanos() <= 0 || price->nanos() >= Price::kScale) return std::nullopt;
  return *price;
}

Price on_grid(Price price, std::int64_t grid) { return Price::from_nanos((price.nanos() + grid / 2) / grid * grid); }

double number_in(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::isfinite(value) ? value : 0;
}

std::string slug_of(std::string_view text) {
  std::string slug;
  for (const char c : text) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (word)
      slug.push_back(c);
    else if (c >= 'A' && c <= 'Z')
      slug.push_back(static_cast<char>(c - 'A' + 'a'));
    else if (!slug.empty() && slug.back() != '-')
      slug.push_back('-');
  }
  while (slug.ends_with('-')) slug.pop_back();
  return slug;
}

Timestamp next_midnight(Timestamp at) {
  const std::int64_t day = Duration::days(1).us();
  return Timestamp{(at.us() / day + 1) * day};
}

Word derived(std::string_view what, std::string_view of) {
  const Sha256 digest = sha256(fmt::format("{}:{}", what, of));
  Word word{};
  std::copy(digest.begin(), digest.end(), word.begin());
  return word;
}

struct FeeClass {
  std::string_view name;
  double rate;
  std::vector<std::string_view> words;
};

/// The rates of mid 2026. The category of a market that has none recorded is the first with a word of its slug.
const std::vector<FeeClass>& fee_classes() {
  static const std::vector<FeeClass> kClasses{
      {"crypto", 0.07, {"btc", "bitcoin", "eth", "ethereum", "solana", "xrp", "crypto", "updown", "token", "fdv"}},
      {"sports",
       0.05,
       {"nfl", "nba", "mlb", "nhl", "wta", "atp", "bowl", "match", "crint", "epl", "ucl", "cs2", "lol"}},
      {"politics", 0.04, {"trump", "election", "president", "senate", "house", "governor", "nomination", "assembly"}},
      {"weather", 0.05, {"temperature", "hurricane", "rain", "snow"}},
  };
  return kClasses;
}

void classify(RecordedMarket& market) {
  const std::string dashed = "-" + market.slug + "-";
  for (const FeeClass& fee : fee_classes()) {
    for (const std::string_view word : fee.words) {
      if (dashed.find(fmt::format("-{}-", word)) == std::string::npos) continue;
      market.category = fee.name;
      market.fee_rate = fee.rate;
      return;
    }
  }
  market.category = "other";
  market.fee_rate = 0.05;
}

/// Prices, volumes and so on are in; whatever is missing is derived.
void complete(RecordedMarket& market) {
  market.key = mixed(crc32(market.slug), market.slug.size());
  if (market.question.empty()) market.question = market.slug;
  if (market.id.empty()) market.id = std::to_string(1'000'000'000 + mixed(market.key, 77) % 8'999'999'999);
  if (market.condition.empty()) market.condition = hex_text(derived("condition", market.slug));
  if (market.question_id.empty()) market.question_id = hex_text(derived("question", market.slug));
  for (int i = 0; i < 2; ++i)
    if (market.tokens[i].empty()) market.tokens[i] = decimal_text(derived(fmt::format("token {}", i), market.slug));
  if (market.event_slug.empty())
    market.event_slug = market.event_title.empty() ? market.slug : slug_of(market.event_title);
  if (market.event_title.empty()) market.event_title = market.question;
  if (market.event_id.empty()) market.event_id = std::to_string(100'000'000 + crc32(market.event_slug) % 899'999'999);
  if (market.category.empty()) classify(market);
  market.begin = std::min(market.begin == Timestamp{} ? Timestamp::max() : market.begin, market.points.front().at);
  if (market.closes == Timestamp{}) market.closes = market.points.back().at;
  if (market.end == Timestamp{}) market.end = next_midnight(market.closes);
  if (market.volumes.empty()) {
    // Nothing recorded: a liquidity and a daily volume of its own, the same in every run.
    const double liquidity = 4'000 * std::pow(25.0, share_of(mixed(market.key, 78)));
    market.volume_24h = 2'000 * std::pow(50.0, share_of(mixed(market.key, 79)));
    market.volumes.push_back(
        {.at = market.points.front().at, .volume = market.volume_24h * 12, .liquidity = liquidity});
  }
  if (market.volume_24h == 0) market.volume_24h = market.volumes.front().volume / 20;
  if (market.ticks.empty()) {
    // A cent, where every price in the middle of the scale is one of a cent's tick (or halfway between two).
    const auto of_cents = [](Price p) { return p.nanos() % (kCent.nanos() / 2) == 0; };
    const auto middle_one = [](Price p) { return p >= kLowBand && p <= kHighBand; };
    const bool cents = std::all_of(market.points.begin(), market.points.end(),
                                   [&](const PricePointAt& p) { return !middle_one(p.price) || of_cents(p.price); });
    market.ticks.push_back({.from = market.begin, .tick = cents ? kCent : kMill});
    const auto out = std::find_if(market.points.begin(), market.points.end(),
                                  [&](const PricePointAt& p) { return !middle_one(p.price); });
    if (cents && out != market.points.end() && out->at == market.begin)
      market.ticks.front().tick = kMill;
    else if (cents && out != market.points.end())
      market.ticks.push_back({.from = out->at, .tick = kMill});
  }
}

template <class T>
void in_order(std::vector<T>& items) {
  std::stable_sort(items.begin(), items.end(), [](const T& a, const T& b) { return a.at < b.at; });
}

/// Ascending, the last of equal times, no price twice in a row within its hold.
void tidy(std::vector<PricePointAt>& points) {
  in_order(points);
  std::vector<PricePointAt> kept;
  for (const PricePointAt& point : points) {
    if (!kept.empty() && kept.back().at == point.at)
      kept.back() = point;
    else
      kept.push_back(point);
  }
  points = std::move(kept);
}

std::vector<RecordedMarket> completed(std::map<std::string, RecordedMarket> by_slug, const std::string& recording) {
  std::vector<RecordedMarket> markets;
  for (auto& [slug, market] : by_slug) {
    tidy(market.points);
    in_order(market.trades);
    if (market.points.empty()) continue;
    market.recording = recording;
    market.slug = slug;
    complete(market);
    markets.push_back(std::move(market));
  }
  return markets;
}

/// What a recorded Gamma object says about a market that has one.
void take_gamma(RecordedMarket& market, const JsonMembers& gamma, std::string raw) {
  const auto text = [&](std::string_view key) { return gamma.text(key).value_or(""); };
  market.raw = std::move(raw);
  market.id = text("id");
  market.slug = text("slug");
  market.question = text("question");
  market.description = text("description");
  market.condition = text("conditionId");
  market.question_id = text("questionID");
  const auto tokens = gamma.texts("clobTokenIds"), outcomes = gamma.texts("outcomes");
  for (std::size_t i = 0; i < 2 && i < tokens.size(); ++i) market.tokens[i] = tokens[i];
  for (std::size_t i = 0; i < 2 && i < outcomes.size(); ++i) market.outcomes[i] = outcomes[i];
  if (const auto end = time_in(text("endDate"), "")) market.end = *end;
  market.neg_risk = gamma.json("negRisk").value_or("false") == "true";
  if (const auto size = gamma.number("orderMinSize")) market.min_size = Price::from(*size).value_or(market.min_size);
  market.volume_24h = gamma.number("volume24hr").value_or(0);
  const std::string fees = text("feeType");
  if (gamma.json("feesEnabled").value_or("false") != "true") {
    market.category = "none";
    market.fee_rate = 0;
  } else if (fees.starts_with("crypto")) {
    market.category = "crypto";
    market.fee_rate = 0.07;
  } else if (fees.starts_with("sports")) {
    market.category = "sports";
    market.fee_rate = 0.05;
  }
  // A list of one reduced event.
  const auto events = gamma.objects("events");
  if (events.empty()) return;
  market.event_id = events.front().text("id").value_or("");
  market.event_slug = events.front().text("slug").value_or("");
  market.event_title = events.front().text("title").value_or("");
}

struct GammaObject {
  JsonMembers members;
  std::string raw;
};

Result<std::map<std::string, GammaObject>> gamma_objects(Fs& fs, const std::string& data) {
  const std::string path = data + "/gamma_markets/markets_2026-03-11.jsonl.gz";
  EL_TRY(std::unique_ptr<ByteStream> bytes, open_bytes(fs, path));
  LineSplitter lines{std::move(bytes)};
  TextLine line;
  std::map<std::string, GammaObject> objects;
  for (;;) {
    EL_TRY(const bool any, lines.next(line));
    if (!any) return objects;
    if (line.refusal) return fail(Code::BadData, fmt::format("{}:{}: {}", path, line.number, "line too long"));
    auto members = JsonMembers::parse(line.text);
    if (!members) return fail(members.error(), fmt::format("{}:{}", path, line.number));
    const std::string slug = members->text("slug").value_or("");
    objects[slug] = {.members = std::move(*members), .raw = std::string{line.text}};
  }
}

Result<std::vector<RecordedMarket>> price_history(Fs& fs, const std::string& data, const std::string& name) {
  EL_TRY(Table rows, Table::open(fs, fmt::format("{}/{}/resolved_markets.csv.gz", data, name)));
  std::map<std::string, RecordedMarket> markets;
  for (;;) {
    EL_TRY(const bool any, rows.next());
    if (!any) break;
    const auto at = time_in(rows["timestamp"], "");
    const auto price = inner_price(rows["price"]);
    if (!at || !price) continue;
    RecordedMarket& market = markets[std::string{rows["market_slug"]}];
    if (market.question.empty()) market.question = std::string{rows["question"]};
    market.hold = Duration::minutes(25);
    market.points.push_back({.at = *at, .price = *price});
    if (!rows["outcome"].empty())
      market.payout = number_in(rows["outcome"]) > 0.5 ? Price::from_nanos(Price::kScale) : Price{};
  }
  return completed(std::move(markets), name);
}

Result<std::vector<RecordedMarket>> live_scan(Fs& fs, const std::string& data, const std::string& name) {
  EL_TRY(auto gamma, gamma_objects(fs, data));
  EL_TRY(Table rows, Table::open(fs, fmt::format("{}/{}/markets_2026-02-03.csv.gz", data, name)));
  std::map<std::string, RecordedMarket> markets;
  for (;;) {
    EL_TRY(const bool any, rows.next());
    if (!any) break;
    const auto at = time_in(rows["timestamp"], "+01:00");  // the recorder's local time
    const auto price = inner_price(rows["yes_price"]);
    if (!at || !price) continue;
    const auto [place, first] = markets.try_emplace(std::string{rows["market_slug"]});
    RecordedMarket& market = place->second;
    if (first) {
      if (const auto known = gamma.find(place->first); known != gamma.end()) {
        take_gamma(market, known->second.members, known->second.raw);
      } else {
        market.question = std::string{rows["question"]};
        market.event_title = std::string{rows["event_title"]};
        if (const auto end = time_in(rows["end_date"], "")) market.end = *end;
      }
      market.hold = Duration::minutes(10);
    }
    market.points.push_back({.at = *at, .price = *price});
    market.volumes.push_back(
        {.at = *at, .volume = number_in(rows["volume"]), .liquidity = number_in(rows["liquidity"])});
  }
  return completed(std::move(markets), name);
}

std::optional<Price> price_of(std::optional<double> number) {
  if (!number || !(*number > 0 && *number < 1)) return std::nullopt;
  auto price = Price::from(*number);
  return price ? std::optional{*price} : std::nullopt;
}

/// The full books of the same day's snapshot, by token.
Result<std::map<std::string, BookWordAt>> snapshots(Fs& fs, const std::string& data) {
  const std::string folder = data + "/book_snapshots";
  std::map<std::string, BookWordAt> books;
  if (!fs.exists(folder)) return books;
  EL_TRY(const auto names, files_of(fs, folder));
  for (const std::string& name : names) {
    EL_TRY(std::unique_ptr<ByteStream> bytes, open_bytes(fs, folder + "/" + name));
    LineSplitter lines{std::move(bytes)};
    TextLine line;
    for (;;) {
      EL_TRY(const bool any, lines.next(line));
      if (!any) break;
      EL_TRY(const JsonMembers batch, JsonMembers::parse(line.text));
      const auto at = time_in(batch.text("collector_ts").value_or(""), "");
      if (!at) return fail(Code::BadData, fmt::format("{}:{}: no collector_ts", name, line.number));
      for (const JsonMembers& book : batch.objects("books")) {
        BookWordAt word{.at = *at, .snapshot = true, .levels = {}, .changed = {}};
        for (const bool bid : {true, false}) {
          for (const JsonMembers& level : book.objects(bid ? "bids" : "asks")) {
            const auto price = inner_price(level.text("price").value_or(""));
            const auto size = Quantity::parse(level.text("size").value_or(""));
            if (price && size) word.levels.set(bid, *price, *size);
          }
        }
        books[book.text("asset_id").value_or("")] = std::move(word);
      }
    }
  }
  return books;
}

Result<std::vector<RecordedMarket>> gamma_markets(Fs& fs, const std::string& data, const std::string& name) {
  EL_TRY(auto objects, gamma_objects(fs, data));
  EL_TRY(auto books, snapshots(fs, data));
  const Timestamp at = *Timestamp::parse("2026-03-11T20:30:50.743359Z");
  std::map<std::string, RecordedMarket> markets;
  for (auto& [slug, object] : objects) {
    RecordedMarket market;
    const JsonMembers& gamma = object.members;
    const auto prices = gamma.texts("outcomePrices");
    const auto price = prices.empty() ? std::nullopt : inner_price(prices.front());
    take_gamma(market, gamma, object.raw);
    // A price at an end of the scale: nothing is traded there, but the market is listed.
    market.points.push_back(
        {.at = at, .price = price.value_or(prices.empty() || prices.front() == "0" ? kMill : complement(kMill))});
    market.hold = Duration::days(36'500);
    const TopAt top{.at = at,
                    .bid = price_of(gamma.number("bestBid")),
                    .ask = price_of(gamma.number("bestAsk")),
                    .bid_size = {},
                    .ask_size = {}};
    if (top.bid || top.ask) market.tops.push_back(top);
    market.volumes.push_back({.at = at,
                              .volume = gamma.number("volumeNum").value_or(0),
                              .liquidity = gamma.number("liquidityNum").value_or(0)});
    const double tick = gamma.number("orderPriceMinTickSize").value_or(0.01);
    market.ticks.push_back({.from = at, .tick = Price::from(tick).value_or(kCent)});
    if (const auto book = books.find(market.tokens[0]); book != books.end())
      market.words.push_back(std::move(book->second));
    markets[slug] = std::move(market);
  }
  return completed(std::move(markets), name);
}

std::string quarter_slug(Timestamp start) { return fmt::format("btc-updown-15m-{}", start.us() / 1'000'000); }

Result<std::vector<RecordedMarket>> updown_tops(Fs& fs, const std::string& data, const std::string& name) {
  const std::string folder = data + "/" + name;
  std::map<std::string, RecordedMarket> markets;
  EL_TRY(const auto top_files, files_of(fs, folder, "market_data_"));
  for (const std::string& file : top_files) {
    EL_TRY(Table rows, Table::open(fs, folder + "/" + file));
    for (;;) {
      EL_TRY(const bool any, rows.next());
      if (!any) break;
      const auto at = time_in(rows["Timestamp"], "Z"), start = time_in(rows["TargetTime"], "Z"),
                 end = time_in(rows["Expiration"], "Z");
      if (!at || !start || !end || *at > *end) continue;
      // An empty side is written 0. A crossed row was polled while the book moved.
      TopAt top{.at = *at,
                .bid = inner_price(rows["UpBid"]),
                .ask = inner_price(rows["UpAsk"]),
                .bid_size = {},
                .ask_size = {}};
      if ((!top.bid && !top.ask) || (top.bid && top.ask && *top.bid >= *top.ask)) continue;
      if (top.bid) top.bid_size = Quantity::from(number_in(rows["UpBidLiquidity"])).value_or(Quantity{});
      if (top.ask) top.ask_size = Quantity::from(number_in(rows["UpAskLiquidity"])).value_or(Quantity{});
      RecordedMarket& market = markets[quarter_slug(*start)];
      market.question = fmt::format("Bitcoin Up or Down - {} UTC, 15 minutes", start->iso().substr(0, 16));
      market.event_title = market.question;
      market.outcomes[0] = "Up";
      market.outcomes[1] = "Down";
      market.end = market.closes = *end;
      market.hold = Duration::minutes(1);
      market.tops.push_back(top);
    }
  }
  for (auto& [slug, market] : markets) {
    in_order(market.tops);
    const auto same = [](const TopAt& a, const TopAt& b) { return a.at == b.at; };
    // Of rows with one time the last is kept: reversed, then unique, then back.
    std::reverse(market.tops.begin(), market.tops.end());
    market.tops.erase(std::unique(market.tops.begin(), market.tops.end(), same), market.tops.end());
    std::reverse(market.tops.begin(), market.tops.end());
    for (const TopAt& top : market.tops) {
      const std::int64_t bid = top.bid ? top.bid->nanos() : 0, ask = top.ask ? top.ask->nanos() : Price::kScale;
      market.points.push_back({.at = top.at, .price = Price::from_nanos((bid + ask) / 2)});
    }
    // No outcome is recorded. The last quotes tell it where they are near the end and say it clearly.
    const PricePointAt& last = market.points.back();
    if (market.end - last.at > Duration::seconds(30)) continue;
    if (last.price >= Price::from_nanos(900'000'000)) market.payout = Price::from_nanos(Price::kScale);
    if (last.price <= Price::from_nanos(100'000'000)) market.payout = Price{};
  }
  EL_TRY(const auto fill_files, files_of(fs, folder, "user_data_"));
  for (const std::string& file : fill_files) {
    EL_TRY(Table rows, Table::open(fs, folder + "/" + file));
    for (;;) {
      EL_TRY(const bool any, rows.next());
      if (!any) break;
      const auto at = time_in(rows["timestamp"], "Z"), start = time_in(rows["TargetTime"], "Z");
      const auto price = inner_price(rows["price"]);
      const auto size = Quantity::parse(rows["quantity"]);
      if (!at || !start || !price || !size) continue;
      const auto market = markets.find(quarter_slug(*start));
      if (market == markets.end()) continue;
      market->second.trades_recorded = true;
      market->second.trades.push_back({.at = *at,
                                       .second = rows["trade_side"] == "Down",
                                       .buy = true,
                                       .price = on_grid(*price, kCent.nanos()),
                                       .size = *size,
                                       .wallet = {},
                                       .transaction = {}});
    }
  }
  return completed(std::move(markets), name);
}

Result<std::vector<RecordedMarket>> book_events(Fs& fs, const std::string& data, const std::string& name) {
  const std::string folder = data + "/" + name;
  EL_TRY(const auto files, files_of(fs, folder));
  std::map<std::string, std::string> names;  // token -> outcome
  if (fs.exists(folder + "/metadata")) {
    EL_TRY(const auto lists, files_of(fs, folder + "/metadata"));
    for (const std::string& list : lists) {
      EL_TRY(Table rows, Table::open(fs, folder + "/metadata/" + list));
      for (;;) {
        EL_TRY(const bool any, rows.next());
        if (!any) break;
        names[std::string{rows["asset_id"]}] = std::string{rows["outcome_name"]};
      }
    }
  }
  std::map<std::string, RecordedMarket> markets;
  for (const std::string& file : files) {
    EL_TRY(Table rows, Table::open(fs, folder + "/" + file));
    const std::string slug = file.substr(0, file.find(".csv"));
    RecordedMarket market;
    market.question = slug;
    market.hold = Duration::hours(1);
    std::string hash;  // of the snapshot that is being read
    bool open = false;
    Timestamp last = Timestamp::min();
    for (;;) {
      EL_TRY(const bool any, rows.next());
      if (!any) break;
      const std::string token{rows["asset_id"]};
      if (!word_from_decimal(token) || token.size() < 20) continue;  // two rows run together
      if (market.tokens[0].empty())
        market.tokens[0] = token;
      else if (token != market.tokens[0] && market.tokens[1].empty())
        market.tokens[1] = token;
      const auto price = inner_price(rows["price"]);
      const auto size = Quantity::parse(rows["size"]);
      const bool bid = rows["side"] == "bid" || rows["side"] == "BUY";
      const std::int64_t ms = static_cast<std::int64_t>(number_in(rows["timestamp"]));
      // One token is enough: the other's book is its mirror.
      if (token != market.tokens[0] || !price || !size || ms <= 0) continue;
      last = std::max(last, Timestamp{ms * 1'000});
      const bool snapshot = rows["event_type"] == "book";
      if (!snapshot && rows["event_type"] != "price_change") continue;
      if (market.id.empty() && !rows["market_id"].empty() && rows["market_id"].size() < 12)
        market.id = std::string{rows["market_id"]};
      if (snapshot && !(open && hash == rows["hash"] && market.words.back().at == last)) {
        market.words.push_back({.at = last, .snapshot = true, .levels = {}, .changed = {}});
        hash = std::string{rows["hash"]};
      } else if (!snapshot &&
                 (market.words.empty() || market.words.back().snapshot || market.words.back().at != last)) {
        market.words.push_back({.at = last, .snapshot = false, .levels = {}, .changed = {}});
      }
      open = snapshot;
      if (snapshot)
        market.words.back().levels.set(bid, *price, *size);
      else
        market.words.back().changed.push_back({.bid = bid, .price = *price, .size = *size});
    }
    while (!market.words.empty() && !market.words.front().snapshot) market.words.erase(market.words.begin());
    if (market.words.empty()) continue;
    bool mills = false;
    for (const BookWordAt& word : market.words)
      for (const Level& level : word.levels.bids) mills = mills || level.price.nanos() % kCent.nanos() != 0;
    market.ticks.push_back({.from = market.words.front().at, .tick = mills ? kMill : kCent});
    for (const BookWordAt& word : market.words)
      if (const auto book = market.recorded_book(word.at))
        if (const auto mid = middle(*book)) market.points.push_back({.at = word.at, .price = *mid});
    market.outcomes[0] = "First";
    market.outcomes[1] = "Second";
    for (int i = 0; i < 2; ++i)
      if (const auto found = names.find(market.tokens[i]); found != names.end()) market.outcomes[i] = found->second;
    markets[slug] = std::move(market);
  }
  return completed(std::move(markets), name);
}

/// Trades are the prices.
void price_from_trades(RecordedMarket& market, Duration hold) {
  market.trades_recorded = true;
  market.hold = hold;
  market.ticks.push_back({.from = Timestamp::min(), .tick = kMill});
  for (const TradeAt& trade : market.trades)
    market.points.push_back({.at = trade.at, .price = trade.second ? complement(trade.price) : trade.price});
}

Result<std::vector<RecordedMarket>> onchain_fills(Fs& fs, const std::string& data, const std::string& name) {
  EL_TRY(Table rows, Table::open(fs, fmt::format("{}/{}/trades.csv.gz", data, name)));
  RecordedMarket market;
  // Maker and taker of one match are rows of one transaction: the largest is the whole.
  std::string transaction;
  for (;;) {
    EL_TRY(const bool any, rows.next());
    if (!any) break;
    const auto price = inner_price(rows["price"]);
    const auto size = Quantity::parse(rows["size"]);
    const auto seconds = static_cast<std::int64_t>(number_in(rows["timestamp"]));
    if (!price || !size || seconds <= 0) continue;
    market.tokens[0] = std::string{rows["asset_id"]};
    const TradeAt trade{.at = Timestamp{seconds * 1'000'000},
                        .second = rows["outcome"] != "YES",
                        .buy = rows["side"] == "BUY",
                        .price = on_grid(*price, kMill.nanos()),
                        .size = *size,
                        .wallet = {},
                        .transaction = std::string{rows["tx_hash"]}};
    if (trade.transaction == transaction) {
      if (trade.size > market.trades.back().size) market.trades.back() = trade;
      continue;
    }
    transaction = trade.transaction;
    market.trades.push_back(trade);
  }
  EL_TRY(Table known, Table::open(fs, fmt::format("{}/{}/markets.csv.gz", data, name)));
  std::string slug = "onchain-fills";
  for (;;) {
    EL_TRY(const bool any, known.next());
    if (!any) break;
    if (known["yes_token_id"] != market.tokens[0]) continue;
    slug = std::string{known["slug"]};
    market.condition = std::string{known["condition_id"]};
    const auto other = hex_bytes(std::string{known["no_token_id"]}.insert(2, known["no_token_id"].size() % 2, '0'));
    Word word{};
    if (other && other->size() <= word.size()) {
      std::copy(other->begin(), other->end(), word.end() - static_cast<std::ptrdiff_t>(other->size()));
      market.tokens[1] = decimal_text(word);
    }
  }
  market.question = slug;
  price_from_trades(market, Duration::hours(1));
  std::map<std::string, RecordedMarket> markets;
  markets[slug] = std::move(market);
  return completed(std::move(markets), name);
}

Result<std::vector<RecordedMarket>> midterm_trades(Fs& fs, const std::string& data, const std::string& name) {
  const std::string folder = data + "/" + name;
  EL_TRY(const auto files, files_of(fs, folder));
  std::map<std::string, RecordedMarket> markets;
  for (const std::string& file : files) {
    EL_TRY(Table rows, Table::open(fs, folder + "/" + file));
    struct Row {
      TradeAt trade;
      std::string outcome;
    };
    std::vector<Row> read;
    std::map<std::string, std::size_t> outcomes;
    for (;;) {
      EL_TRY(const bool any, rows.next());
      if (!any) break;
      const auto at = time_in(rows["Timestamp"], "Z");
      auto price = inner_price(rows["Price"]);
      const auto size = Quantity::parse(rows["Shares"]);
      if (!at || !price || !size || *size <= Quantity{}) continue;
      price = std::clamp(on_grid(*price, kMill.nanos()), kMill, complement(kMill));
      read.push_back({.trade = {.at = *at,
                                .second = false,
                                .buy = rows["Type"] == "Buy",
                                .price = *price,
                                .size = *size,
                                .wallet = std::string{rows["Account"]},
                                .transaction = {}},
                      .outcome = std::string{rows["Outcome"]}});
      ++outcomes[read.back().outcome];
    }
    if (read.empty()) continue;
    // The two outcomes with the most trades; the few trades of others are left out.
    std::vector<std::pair<std::size_t, std::string>> ranked;
    for (const auto& [outcome, count] : outcomes) ranked.emplace_back(count, outcome);
    std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    RecordedMarket market;
    market.outcomes[0] = ranked.front().second;
    market.outcomes[1] = ranked.size() > 1 ? ranked[1].second : "No";
    std::reverse(read.begin(), read.end());  // newest first in the file
    for (Row& row : read) {
      row.trade.second = row.outcome == market.outcomes[1];
      if (row.trade.second || row.outcome == market.outcomes[0]) market.trades.push_back(std::move(row.trade));
    }
    in_order(market.trades);
    const std::string slug = slug_of("midterms-2022-" + file.substr(0, file.find(".csv")));
    market.question = slug;
    price_from_trades(market, Duration::days(1));
    markets[slug] = std::move(market);
  }
  return completed(std::move(markets), name);
}

using Reader = Result<std::vector<RecordedMarket>> (*)(Fs&, const std::string&, const std::string&);

struct Known {
  std::string name;
  Reader read;
};

const std::vector<Known>& readers() {
  static const std::vector<Known> kReaders{
      {"price_history_10m", price_history},     {"live_scan_1m", live_scan},
      {"updown_15m_top_of_book", updown_tops},  {"book_events", book_events},
      {"gamma_markets", gamma_markets},         {"onchain_fills_2024", onchain_fills},
      {"trades_2022_midterms", midterm_trades},
  };
  return kReaders;
}

}  // namespace

const std::vector<std::string>& known_recordings() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const Known& known : readers()) names.push_back(known.name);
    return names;
  }();
  return kNames;
}

Result<std::vector<RecordedMarket>> read_recording(Fs& fs, const std::string& data, const std::string& name) {
  for (const Known& known : readers())
    if (known.name == name) return known.read(fs, data, name);
  return fail(Code::Usage, fmt::format("recording '{}': not one of {}", name, fmt::join(known_recordings(), ", ")));
}

}  // namespace everlearn::venue
