#include "app/status.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "app/cli/command.hpp"

namespace everlearn::cli {

void add_status(Verbs& verbs) {
  auto options = std::make_shared<CommonOptions>();
  CLI::App* verb = verbs.app.add_subcommand("status", "where everything stands");
  add_common(*verb, *options);
  verbs.runs[verb] = [options]() -> Result<void> {
    EL_TRY(const auto directory, open_directory(*options, DataDirectory::Access::Read));
    EL_TRY(const Status status, make_status(*directory));
    if (options->json) return print_json(status_json(status));
    fmt::print("{}", status_text(status));
    return {};
  };
}

}  // namespace everlearn::cli
