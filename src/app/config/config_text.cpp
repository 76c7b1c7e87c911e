// Settings as text: for a user to edit, for a data directory to keep, for the documentation.
#include <fmt/format.h>

#include <algorithm>

#include "app/config/config.hpp"
#include "app/config/keys.hpp"
#include "core/json.hpp"

namespace everlearn {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// What TOML takes for a number as it stands; anything else is written as a text, which reads the same.
bool is_plain_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t dot = text.find('.');
  const std::string_view whole = text.substr(0, dot);
  if (!all_digits(whole) || (whole.size() > 1 && whole.front() == '0')) return false;
  return dot == std::string_view::npos || all_digits(text.substr(dot + 1));
}

std::string toml_scalar(const std::string& text) {
  // What JSON escapes, TOML reads alike.
  return text == "true" || text == "false" || is_plain_number(text) ? text : json_quoted(text);
}

std::string toml_value(const SettingValue& value) {
  if (!value.list) return toml_scalar(value.items.front());
  std::vector<std::string> items;
  for (const std::string& item : value.items) items.push_back(json_quoted(item));
  return fmt::format("[{}]", fmt::join(items, ", "));
}

std::string toml_key(std::string_view key) {
  std::string out;
  while (true) {
    const std::size_t dot = key.find('.');
    const std::string_view part = key.substr(0, dot);
    const bool bare = !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    out += bare ? std::string{part} : json_quoted(part);
    if (dot == std::string_view::npos) return out;
    out += '.';
    key.remove_prefix(dot + 1);
  }
}

std::string section_of(const std::string& key) {
  const std::size_t dot = key.rfind('.');
  return dot == std::string::npos ? "" : key.substr(0, dot);
}

std::string in_table(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

bool is_secret(const Key& key) { return key.secret; }
template <class K>
bool is_secret(const K&) {
  return false;
}

template <class Keys>
std::string table_of(const Keys& keys, std::string_view prefix) {
  std::string out = "| key | default | meaning |\n|---|---|---|\n";
  for (const auto& key : keys)
    out += fmt::format("| `{}{}` | {} | {} |\n", prefix, key.key,
                       key.fallback.empty() ? "" : fmt::format("`{}`", key.fallback),
                       (is_secret(key) ? "secret: " : "") + in_table(key.doc));
  return out;
}

constexpr std::string_view kIntroduction = R"(# Configuration

Written by the program from its table of settings (`everlearn config show --markdown`); a test compares this file with it.

A profile is a TOML file. One of the built-in ones is chosen by name (`--profile NAME`), or a file of your own by its path,
which may stand on a built-in one (`base = "NAME"`) and says only what differs. `everlearn init` writes such a file with
every key as a comment.

Later layers win:

1. the default of the tables below,
2. the built-in profile,
3. your file,
4. `.env` in the working directory, then the environment: `EVERLEARN__TRAIN__EVERY=6h` is `train.every`. A profile may list
   names of an older system under `[env]`; they mean the key it gives, and beside our own name for it ours goes before
   them. Nothing else in `.env` is read,
5. the preset that the command line names: `--preset strict` takes the settings of the profile's `[presets.strict]`,
6. the command line: `--set train.every=6h`.

`everlearn config show` prints every setting with its origin, `everlearn config validate` says what is wrong. An unknown
key, a wrong type and a value out of range are errors that name the file, the line, the key and what is allowed.

A duration is `90s`, `15m`, `6h`, `7d`; `none` is no limit. A list is a TOML list, or on the command line and in the
environment texts with commas between them. A data directory keeps the settings it runs with in `profile.toml`.

A secret (marked so below) belongs into the environment or `.env`, or is given as `file:PATH` and read from a file that only
its owner may read (mode 600). It is never printed, logged or kept: `config show` says that it is set, and `profile.toml` holds
at most the path.

Beside the tables: `base` (the built-in profile below a file) and `name` (what the profile is called, and its data directory;
by default the base's name, else the file's), `[env]`, and `[presets.NAME]` with any settings under a name: `--preset NAME`
takes them all, and a flag or `--set` beside it goes before them. `[features.define]` holds features of your own, NAME =
"EXPRESSION" over the other columns of a row (features.md); an empty text takes one of a profile below away.

In `[env]`, `OLD_NAME = "key"` makes a variable of an older system mean a key; `{ key = "train.every", unit = "h" }` puts a
unit behind the plain number that it holds; `{ key = "target.*.require", item = "r2>=" }` lets it replace one item of a list,
here of every target; `{ no_effect = "why" }` accepts it and says that it sets nothing. With `unknown_prefix = "OLD_"` every other variable
that begins so is told of as NOT HONOURED when a run starts, by `doctor` and by `config show`.
)";

}  // namespace

std::string commented_toml(const Config& config) {
  std::string out =
      fmt::format("# {}\n# Every setting with its value. Take the # away from what you change.\nbase = {}\n",
                  config.profile.title, json_quoted(config.profile.name));
  const auto add = [&out](const Setting& setting) {
    const std::size_t dot = setting.key.rfind('.');
    const std::string name = dot == std::string::npos ? setting.key : setting.key.substr(dot + 1);
    out += fmt::format("# {}\n#{} = {}\n", setting.doc, name, toml_value(setting.written));
  };
  for (const Setting& setting : config.settings)  // those of the top must stand before the first section
    if (section_of(setting.key).empty()) add(setting);
  std::string section;
  for (const Setting& setting : config.settings) {
    const std::string in = section_of(setting.key);
    if (in.empty()) continue;
    if (in != section) out += fmt::format("\n[{}]\n", toml_key(in));
    section = in;
    add(setting);
  }
  return out;
}

std::string settings_toml(const Config& config) {
  std::string out = "# The settings this directory runs with; written by the program at each start.\n";
  out += fmt::format("name = {}\n", json_quoted(config.profile.name));
  for (const Setting& setting : config.settings)
    out += fmt::format("{} = {}\n", toml_key(setting.key), toml_value(setting.written));
  for (const auto& [key, value] : config.old_names.entries())
    out += fmt::format("{} = {}\n", toml_key("env." + key), json_quoted(value));
  for (const auto& [preset, settings] : config.presets)
    for (const auto& [key, value] : settings)
      out += fmt::format("{} = {}\n", toml_key(fmt::format("presets.{}.{}", preset, key)), toml_value(value));
  return out;
}

std::string configuration_markdown() {
  std::string out{kIntroduction};
  std::string section;
  std::vector<Key> keys;
  const auto flush = [&] {
    if (!keys.empty()) out += fmt::format("\n## {}\n\n{}", section.empty() ? "top level" : section, table_of(keys, ""));
    keys.clear();
  };
  for (const Key& key : profile_keys())  // the top level first
    if (section_of(std::string{key.key}).empty()) keys.push_back(key);
  flush();
  for (const Key& key : profile_keys()) {
    const std::string in = section_of(std::string{key.key});
    if (in.empty()) continue;
    if (in != section) flush();
    section = in;
    keys.push_back(key);
  }
  flush();
  out += "\n## target.NAME\n\nOne section a target; exactly one has `acts = true`.\n\n" +
         table_of(target_keys(), "target.NAME.");
  out += "\n## learner\n\nOf all targets, and under `target.NAME.learner` of one.\n\n" +
         table_of(learner_keys(), "learner.");
  return out;
}

}  // namespace everlearn
