#include "io/control_socket.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <future>

#include "core/test_directory.hpp"

namespace everlearn {
namespace {

constexpr Duration kSoon = Duration::seconds(20);

std::string echo(std::string_view request) { return "heard " + std::string{request}; }

/// A caller in another thread, as another process would be.
std::future<Result<std::string>> call(const std::string& path, std::string request) {
  return std::async(std::launch::async,
                    [path, request = std::move(request)] { return ask_daemon(path, request, kSoon); });
}

/// Lets the daemon work until the caller has his answer.
Result<std::string> serve(ControlSocket& socket, std::future<Result<std::string>>& caller,
                          const ControlSocket::Answer& answer) {
  while (caller.wait_for(std::chrono::seconds{0}) != std::future_status::ready)
    REQUIRE(socket.wait(Duration{20'000}, -1, answer));
  return caller.get();
}

/// A connection that says what it likes.
Fd raw_caller(const std::string& path) {
  Fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

TEST_CASE("control socket: a line is asked and a line is answered") {
  const TestDirectory directory;
  const std::string path = directory.path() + "/control.sock";
  auto socket = ControlSocket::listen(path);
  REQUIRE(socket);
  auto caller = call(path, "status");
  const auto answer = serve(**socket, caller, echo);
  REQUIRE(answer);
  CHECK(*answer == "heard status");
}

TEST_CASE("control socket: only its owner may open it, and it goes with the daemon") {
  const TestDirectory directory;
  const std::string path = directory.path() + "/control.sock";
  auto socket = ControlSocket::listen(path);
  REQUIRE(socket);
  struct stat facts {};
  REQUIRE(::stat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0600);
  socket->reset();
  CHECK(::stat(path.c_str(), &facts) != 0);
}

TEST_CASE("control socket: what a dead process left behind is replaced") {
  const TestDirectory directory;
  const std::string path = directory.path() + "/control.sock";
  const Fd left = open_fd(path.c_str(), O_CREAT | O_WRONLY);
  REQUIRE(left.valid());
  auto socket = ControlSocket::listen(path);
  REQUIRE(socket);
  auto caller = call(path, "x");
  CHECK(*serve(**socket, caller, echo) == "heard x");
}

TEST_CASE("control socket: nobody there is told as such") {
  const TestDirectory directory;
  const auto answer = ask_daemon(directory.path() + "/control.sock", "status", kSoon);
  REQUIRE(!answer);
  CHECK(answer.error().code == Code::NotFound);
}

TEST_CASE("control socket: a path longer than a socket's name works") {
  const TestDirectory directory;
  std::string deep = directory.path();
  for (int i = 0; i < 8; ++i) {
    deep += "/a-directory-with-a-long-name";
    REQUIRE(::mkdir(deep.c_str(), 0700) == 0);
  }
  auto socket = ControlSocket::listen(deep + "/control.sock");
  REQUIRE(socket);
  auto caller = call(deep + "/control.sock", "x");
  CHECK(*serve(**socket, caller, echo) == "heard x");
}

TEST_CASE("control socket: an endless request is hung up on, others are heard") {
  const TestDirectory directory;
  const std::string path = directory.path() + "/control.sock";
  auto socket = ControlSocket::listen(path);
  REQUIRE(socket);
  const Fd endless = raw_caller(path);
  REQUIRE(::fcntl(endless.get(), F_SETFL, O_NONBLOCK) == 0);
  const std::string much(ControlSocket::kLongestRequest, 'x');
  bool hung_up = false;
  for (int i = 0; i < 100 && !hung_up; ++i) {
    const ssize_t n = ::send(endless.get(), much.data(), much.size(), MSG_NOSIGNAL);
    hung_up = n < 0 && (errno == EPIPE || errno == ECONNRESET);
    REQUIRE((*socket)->wait(Duration{1'000}, -1, echo));
  }
  CHECK(hung_up);
  auto caller = call(path, "x");
  CHECK(*serve(**socket, caller, echo) == "heard x");
}

TEST_CASE("control socket: a silent caller holds nobody up") {
  const TestDirectory directory;
  const std::string path = directory.path() + "/control.sock";
  auto socket = ControlSocket::listen(path);
  REQUIRE(socket);
  const Fd silent = raw_caller(path);
  auto caller = call(path, "x");
  CHECK(*serve(**socket, caller, echo) == "heard x");
}

TEST_CASE("control socket: an answer larger than the kernel's buffer arrives whole") {
  const TestDirectory directory;
  const std::string path = directory.path() + "/control.sock";
  auto socket = ControlSocket::listen(path);
  REQUIRE(socket);
  const std::string much(1 << 20, 'y');
  auto caller = call(path, "x");
  const auto answer = serve(**socket, caller, [&](std::string_view) { return much; });
  REQUIRE(answer);
  CHECK(*answer == much);
}

}  // namespace
}  // namespace everlearn
