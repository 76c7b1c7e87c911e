#include "io/test_shared.hpp"

#include <cstdlib>

namespace everlearn {

std::string shared_path(const std::string& name) {
  const char* shared = std::getenv("EVERLEARN_SHARED");
  return (shared != nullptr ? std::string{shared} : std::string{EVERLEARN_SOURCE_DIR "/../shared"}) + "/" + name;
}

}  // namespace everlearn
