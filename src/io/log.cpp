#include "io/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

#include "core/system_error.hpp"

namespace everlearn {
namespace {

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return "debug";
    case LogLevel::Info:
      return "info";
    case LogLevel::Warning:
      return "warning";
    case LogLevel::Error:
      return "error";
  }
  return "?";
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return spdlog::level::debug;
    case LogLevel::Info:
      return spdlog::level::info;
    case LogLevel::Warning:
      return spdlog::level::warn;
    case LogLevel::Error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

/// Names in a market's data are foreign text: no control character reaches a terminal.
std::string printable(std::string_view text) {
  std::string safe{text};
  for (char& c : safe)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return safe;
}

class SpdLog final : public Log {
 public:
  SpdLog(const Clock& clock, std::shared_ptr<spdlog::logger> file, std::shared_ptr<spdlog::logger> console)
      : clock_{clock}, file_{std::move(file)}, console_{std::move(console)} {}

  void write(LogLevel level, std::string_view event, std::string_view text, const JsonOut& data) override {
    const Timestamp now = clock_.now();
    if (file_) {
      JsonOut line;
      line.put("at", now.iso()).put("level", name_of(level)).put("event", event).put("text", text);
      if (const std::string more = data.text(); more != "{}") line.put_json("data", more);
      file_->log(spdlog_level(level), line.text());
    }
    if (console_)
      console_->log(spdlog_level(level), fmt::format("{} {:<14} {}", now.iso().substr(11, 8), event, printable(text)));
  }

 private:
  const Clock& clock_;
  std::shared_ptr<spdlog::logger> file_, console_;
};

constexpr const char* kFile = "everlearn.jsonl";

/// In one step: whoever reads through the link never finds none.
Result<void> make_link(const std::string& path) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) == 0 && !S_ISLNK(there.st_mode))
    return fail(Code::InUse, fmt::format("{} is a file of somebody else's, so it cannot lead to {}", path, kFile));
  const std::string temporary = path + ".tmp";
  (void)::unlink(temporary.c_str());  // left behind by a crash
  if (::symlink(kFile, temporary.c_str()) != 0) return system_error("link", temporary, errno);
  if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error("rename", temporary, errno);
  return {};
}

}  // namespace

Result<std::unique_ptr<Log>> Log::open(const Clock& clock, const LogOptions& options) {
  try {
    std::shared_ptr<spdlog::logger> file, console;
    if (!options.directory.empty()) {
      if (!options.link.empty()) EL_CHECK(make_link(options.directory + "/" + options.link));
      file = std::make_shared<spdlog::logger>(
          "file", std::make_shared<spdlog::sinks::rotating_file_sink_mt>(options.directory + "/" + kFile,
                                                                         options.file_bytes, options.files));
      file->set_pattern("%v", spdlog::pattern_time_type::utc);
      file->set_level(spdlog::level::debug);
      file->flush_on(spdlog::level::debug);
    }
    if (options.console) {
      console = std::make_shared<spdlog::logger>("console", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
      console->set_pattern("%^%v%$", spdlog::pattern_time_type::utc);
      console->set_level(spdlog::level::info);
      console->flush_on(spdlog::level::info);
    }
    return std::unique_ptr<Log>{std::make_unique<SpdLog>(clock, std::move(file), std::move(console))};
  } catch (const spdlog::spdlog_ex& problem) {
    return fail(Code::Storage, fmt::format("{}: {}", options.directory, problem.what()));
  }
}

}  // namespace everlearn
