#include "io/venue_shards.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/json.hpp"

namespace everlearn {
namespace {

constexpr int kMostMalformed = 10;        // of one connection
constexpr std::int64_t kTryAgainAt = 10;  // deadlines after which an asset that is polled is subscribed again

std::string first_words(const std::vector<std::string>& assets) {
  return JsonOut{}.put("assets_ids", assets).put("type", "market").put("custom_feature_enabled", true).text();
}

std::string later_words(const char* operation, const std::vector<std::string>& assets) {
  return JsonOut{}.put("operation", operation).put("assets_ids", assets).put("custom_feature_enabled", true).text();
}

template <class To, class From>
void append(To& to, const From& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

void VenueShards::follow(const std::vector<std::string>& assets, Duration now) {
  const std::set<std::string> wanted{assets.begin(), assets.end()};
  std::map<std::uint32_t, std::vector<std::string>> gone;
  std::erase_if(assets_, [&](const auto& entry) {
    if (wanted.contains(entry.first)) return false;
    gone[entry.second.shard].push_back(entry.first);
    return true;
  });
  for (const auto& [number, names] : gone) {
    Shard& shard = shards_[number];
    for (const std::string& name : names) shard.assets.erase(name);
    if (shard.assets.empty()) {
      if (shard.link != Shard::Link::Lost) orders_.close.push_back(number);
      std::erase(orders_.open, number);
      shards_.erase(number);
    } else if (shard.link == Shard::Link::Open) {
      orders_.send.emplace_back(number, later_words("unsubscribe", names));
    }
  }
  std::vector<std::string> added;
  for (const std::string& name : wanted)
    if (!assets_.contains(name)) added.push_back(name);
  place(added, Step::Subscribed, false, now);
}

void VenueShards::place(const std::vector<std::string>& assets, Step step, bool apart, Duration now) {
  std::map<std::uint32_t, std::vector<std::string>> added;
  std::uint32_t into = next_;  // none yet
  for (const std::string& name : assets) {
    const auto has_room = [&](std::uint32_t number) {
      const auto found = shards_.find(number);
      return found != shards_.end() && found->second.assets.size() < rules_.assets_per_socket;
    };
    if (!has_room(into)) {
      into = next_;
      if (!apart)
        for (const auto& [number, shard] : shards_)
          if (has_room(number)) {
            into = number;
            break;
          }
      if (into == next_) {
        Shard fresh;
        fresh.retry_at = fresh.down_since = now;
        shards_.emplace(next_++, std::move(fresh));
      }
    }
    shards_[into].assets.insert(name);
    assets_[name] = Asset{.shard = into, .step = step, .live = false, .since = now, .hash = {}};
    added[into].push_back(name);
  }
  for (const auto& [number, names] : added) {
    Shard& shard = shards_[number];
    if (shard.link == Shard::Link::Open) orders_.send.emplace_back(number, later_words("subscribe", names));
    if (shard.link != Shard::Link::Lost || now < shard.retry_at) continue;
    shard.link = Shard::Link::Opening;
    orders_.open.push_back(number);
  }
}

void VenueShards::opened(std::uint32_t number, Duration now) {
  const auto found = shards_.find(number);
  if (found == shards_.end()) return;
  Shard& shard = found->second;
  shard.link = Shard::Link::Open;
  shard.opened_at = shard.last_event = now;
  shard.settled = shard.checking = false;
  shard.malformed = 0;
  for (const std::string& name : shard.assets) {
    Asset& asset = assets_[name];
    if (asset.step == Step::Again) asset.step = Step::Subscribed;
    asset.live = false;
    asset.since = now;
  }
  orders_.send.emplace_back(number, first_words({shard.assets.begin(), shard.assets.end()}));
  if (shard.reconnects > 0) append(orders_.missed, shard.assets);
}

void VenueShards::heard(std::uint32_t number, const std::vector<HeardAsset>& assets, Duration now) {
  const auto found = shards_.find(number);
  if (found == shards_.end()) return;
  Shard& shard = found->second;
  ++shard.frames;
  for (const HeardAsset& heard : assets) {
    const auto known = assets_.find(heard.asset);
    if (known == assets_.end() || known->second.shard != number) continue;
    Asset& asset = known->second;
    asset.live = true;
    asset.step = Step::Subscribed;
    if (!heard.hash.empty()) asset.hash = heard.hash;
    shard.last_event = now;
    shard.checking = false;
  }
}

void VenueShards::malformed(std::uint32_t number, Duration now) {
  const auto found = shards_.find(number);
  if (found == shards_.end()) return;
  Shard& shard = found->second;
  if (++shard.malformed > kMostMalformed)
    return lose(number, shard, fmt::format("more than {} frames that cannot be read", kMostMalformed), now);
  const std::vector<std::string> all{shard.assets.begin(), shard.assets.end()};
  doubt(all, "a frame that cannot be read");
  append(orders_.books, all);
}

void VenueShards::dropped(const std::vector<HeardAsset>& assets) {
  std::set<std::string> followed;
  for (const HeardAsset& heard : assets)
    if (assets_.contains(heard.asset)) followed.insert(heard.asset);
  doubt({followed.begin(), followed.end()}, "more came than could be taken");
  append(orders_.books, followed);
  append(orders_.missed, followed);
}

void VenueShards::closed(std::uint32_t number, const std::string& why, Duration now) {
  const auto found = shards_.find(number);
  if (found == shards_.end() || found->second.link == Shard::Link::Lost) return;
  lose(number, found->second, why, now);
  orders_.close.pop_back();  // it is
}

void VenueShards::lose(std::uint32_t number, Shard& shard, const std::string& why, Duration now) {
  // Only a connection that lasted ends the row of failures: a server that lets everybody in and out is asked less
  // often.
  if (shard.link == Shard::Link::Open && now - shard.opened_at >= rules_.silence) shard.failures = 0;
  shard.retry_at = now + retry_after(shard.failures++);
  shard.down_since = now;
  shard.link = Shard::Link::Lost;
  shard.last_error = why;
  ++shard.reconnects;
  orders_.close.push_back(number);
  std::vector<std::string> doubted;
  for (const std::string& name : shard.assets) {
    Asset& asset = assets_[name];
    if (std::exchange(asset.live, false)) doubted.push_back(name);
    asset.hash.clear();
  }
  doubt(doubted, why);
}

void VenueShards::read_by_rest(const std::vector<HeardAsset>& books, Duration now) {
  std::set<std::uint32_t> agreed;
  for (const HeardAsset& book : books) {
    const auto known = assets_.find(book.asset);
    if (known == assets_.end() || !known->second.live) continue;
    const std::uint32_t number = known->second.shard;
    Shard& shard = shards_[number];
    if (shard.link != Shard::Link::Open || !shard.checking) continue;
    if (book.hash.empty() || book.hash != known->second.hash) {
      lose(number, shard, fmt::format("silent for {}, though books moved", rules_.silence.text()), now);
      agreed.erase(number);
    } else {
      agreed.insert(number);
    }
  }
  for (const std::uint32_t number : agreed) {
    Shard& shard = shards_[number];
    shard.checking = false;
    shard.last_event = now;
  }
}

void VenueShards::tick(Duration now) {
  std::vector<std::uint32_t> numbers;  // moving assets makes shards
  for (const auto& [number, shard] : shards_) numbers.push_back(number);
  for (const std::uint32_t number : numbers) {
    Shard& shard = shards_[number];
    if (shard.link == Shard::Link::Lost && now >= shard.retry_at) {
      shard.link = Shard::Link::Opening;
      orders_.open.push_back(number);
    }
    if (shard.link != Shard::Link::Open) continue;
    watch_silence(number, shard, now);
    if (shard.link == Shard::Link::Open) watch_first_events(number, shard, now);
  }
}

void VenueShards::watch_silence(std::uint32_t number, Shard& shard, Duration now) {
  std::vector<std::string> live;
  for (const std::string& name : shard.assets)
    if (assets_[name].live) live.push_back(name);
  if (live.empty() || now - shard.last_event < rules_.silence) return;
  if (!shard.checking) {
    shard.checking = true;
    shard.checked_at = now;
    append(orders_.books, live);
    append(orders_.questions, live);
  } else if (now - shard.checked_at >= rules_.silence) {
    lose(number, shard, fmt::format("silent for {}, and REST does not answer", rules_.silence.text()), now);
  }
}

void VenueShards::watch_first_events(std::uint32_t number, Shard& shard, Duration now) {
  std::vector<std::string> late[4], silent;  // by step
  for (const std::string& name : shard.assets) {
    const Asset& asset = assets_[name];
    if (asset.live) continue;
    silent.push_back(name);
    const Duration deadline = asset.step == Step::Polled ? rules_.first_event * kTryAgainAt : rules_.first_event;
    if (now - asset.since >= deadline) late[static_cast<int>(asset.step)].push_back(name);
  }
  if (!shard.settled && now - shard.opened_at >= rules_.settle) {
    shard.settled = true;
    append(orders_.books, silent);
  }
  const auto step = [&](const std::vector<std::string>& names, Step to) {
    for (const std::string& name : names) {
      assets_[name].step = to;
      assets_[name].since = now;
    }
  };
  std::vector<std::string> again = late[static_cast<int>(Step::Subscribed)];
  append(again, late[static_cast<int>(Step::Polled)]);
  step(late[static_cast<int>(Step::Subscribed)], Step::Again);
  step(late[static_cast<int>(Step::Polled)], Step::Polled);
  const auto& polled = late[static_cast<int>(Step::Moved)];
  step(polled, Step::Polled);
  append(orders_.questions, polled);
  if (!again.empty()) {
    orders_.send.emplace_back(number, later_words("unsubscribe", again));
    orders_.send.emplace_back(number, later_words("subscribe", again));
  }
  const auto& moving = late[static_cast<int>(Step::Again)];
  if (moving.empty()) return;
  step(moving, Step::Moved);
  if (moving.size() == shard.assets.size())
    return lose(number, shard, fmt::format("no event of any of {} assets", moving.size()), now);
  for (const std::string& name : moving) shard.assets.erase(name);
  orders_.send.emplace_back(number, later_words("unsubscribe", moving));
  place(moving, Step::Moved, true, now);
}

void VenueShards::doubt(const std::vector<std::string>& assets, const std::string& reason) {
  if (!assets.empty()) orders_.doubts.push_back({assets, reason});
}

Duration VenueShards::retry_after(int failures) {
  const std::int64_t most = std::min(rules_.first_retry.us() << std::min(failures, 20), rules_.most_retry.us());
  return Duration{static_cast<std::int64_t>(static_cast<double>(most) * (0.5 + 0.5 * rng_.uniform()))};
}

ShardOrders VenueShards::take_orders() { return std::exchange(orders_, {}); }

std::vector<std::string> VenueShards::polled(Duration now) const {
  std::vector<std::string> names;
  for (const auto& [name, asset] : assets_) {
    const Shard& shard = shards_.at(asset.shard);
    const bool down = shard.link != Shard::Link::Open && now - shard.down_since >= rules_.first_event;
    if (asset.step == Step::Polled || down) names.push_back(name);
  }
  return names;
}

std::vector<ShardState> VenueShards::states() const {
  std::vector<ShardState> states;
  for (const auto& [number, shard] : shards_) {
    ShardState state{.open = shard.link == Shard::Link::Open,
                     .assets = shard.assets.size(),
                     .waiting = 0,
                     .reconnects = shard.reconnects,
                     .frames = shard.frames,
                     .last_error = shard.last_error};
    for (const std::string& name : shard.assets) state.waiting += assets_.at(name).live ? 0 : 1;
    states.push_back(std::move(state));
  }
  return states;
}

}  // namespace everlearn
