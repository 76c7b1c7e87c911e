// everlearn-train DIRECTORY: one job, one process, then memory and threads are gone. Opens no database and no socket.
#include <cstdio>
#include <exception>

#include "core/system_fs.hpp"
#include "train/train_directory.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: everlearn-train DIRECTORY   (a directory with job.json; everlearn starts this)\n", stderr);
    return 2;
  }
  try {
    everlearn::SystemFs fs;
    const auto result = everlearn::train_directory(fs, argv[1]);
    if (result) return 0;
    std::fprintf(stderr, "everlearn-train: %s\n", result.error().message.c_str());
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "everlearn-train: %s\n", problem.what());
  }
  return 1;
}
