#include "app/daemon.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "app/by_hand.hpp"
#include "core/json.hpp"
#include "io/control_socket.hpp"
#include "io/stop_signals.hpp"

namespace everlearn {
namespace {

constexpr Duration kWait = Duration{200'000};
constexpr Duration kLeastWait = Duration{1'000};

class Daemon {
 public:
  Daemon(LiveSession& session, StopSignals& signals, ControlSocket& socket, double clock_speed)
      : session_{session},
        signals_{signals},
        socket_{socket},
        started_{session.clock().now()},
        wait_{
            std::max(kLeastWait, Duration{static_cast<std::int64_t>(static_cast<double>(kWait.us()) / clock_speed)})} {}

  Result<void> run() {
    while (!stop_ && !signals_.requested()) {
      EL_TRY(const Engine::LiveStep step, session_.step());
      EL_CHECK(socket_.wait(step.more ? Duration{} : wait_, signals_.fd(),
                            [this](std::string_view request) { return answer(request); }));
      if (broken_) return tl::unexpected<Error>(*broken_);
    }
    session_.log().write(LogLevel::Info, "stop", stop_ ? "asked to stop" : "a signal came: stopping");
    return session_.stop(stop_ ? "by hand" : "by a signal");
  }

 private:
  std::string answer(std::string_view text) {
    const auto request = HandRequest::from_json(text);
    if (!request) return answer_json(fail(Code::Usage, request.error().message));
    if (request->verb == "status") return status();
    if (request->verb == "stop") {
      stop_ = true;
      return answer_json(std::string{"stopping"});
    }
    const auto done = apply_by_hand(*request, session_.engine(), session_.directory());
    session_.log().write(done ? LogLevel::Info : LogLevel::Warning, "by hand",
                         fmt::format("{}: {}", request->verb, done ? *done : done.error().message),
                         JsonOut{}.put("verb", request->verb).put("args", request->args));
    // A disk that fails is no answer to go on after.
    if (!done && (done.error().code == Code::Storage || done.error().code == Code::Damaged)) broken_ = done.error();
    return answer_json(done);
  }

  std::string status() const {
    const Engine& engine = session_.engine();
    const SourceReport& source = session_.source().report();
    const std::string& trouble = source.trouble;
    return JsonOut{}
        .put("ok", true)
        .put("text", !trouble.empty()    ? "the source cannot be read now: " + trouble
                     : engine.training() ? "a training runs"
                                         : "waiting for data or the next cycle")
        .put("process", static_cast<std::int64_t>(::getpid()))
        .put("started", started_)
        .put("training", engine.training())
        .put("rows", source.rows)
        .put("source_trouble", trouble)
        .put("followed", source.followed)
        .put("second_tier", source.second_tier)
        .put("left_out", source.left_out)
        .put("health", source.health)
        .put_json("progress", engine.progress().to_json())
        .text();
  }

  LiveSession& session_;
  StopSignals& signals_;
  ControlSocket& socket_;
  const Timestamp started_;
  const Duration wait_;
  bool stop_ = false;
  std::optional<Error> broken_;
};

}  // namespace

Result<void> run_daemon(LiveRequest request) {
  EL_TRY(StopSignals signals, StopSignals::take());
  request.begins = "the daemon begins";
  const double clock_speed = request.clock_speed;
  EL_TRY(const auto session, LiveSession::open(std::move(request)));
  EL_TRY(const auto socket, ControlSocket::listen(control_socket_path(session->directory().path())));
  const auto ran = [&]() -> Result<void> {
    EL_CHECK(session->start());
    return Daemon{*session, signals, *socket, clock_speed}.run();
  }();
  if (!ran) session->log().write(LogLevel::Error, "failed", ran.error().message);
  return ran;
}

}  // namespace everlearn
