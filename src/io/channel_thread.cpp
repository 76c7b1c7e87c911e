#include "io/channel_thread.hpp"

#include <chrono>
#include <exception>
#include <utility>

namespace everlearn {
namespace {

constexpr std::size_t kMostMessages = 4;

}  // namespace

ChannelThread::ChannelThread(std::unique_ptr<Channel> channel)
    : channel_{std::move(channel)}, thread_{[this](std::stop_token stop) { work(std::move(stop)); }} {}

ChannelThread::~ChannelThread() = default;

bool ChannelThread::offer(Message message) {
  {
    const std::lock_guard lock{mutex_};
    if (messages_.size() >= kMostMessages) return false;
    messages_.push_back(std::move(message));
  }
  changed_.notify_all();
  return true;
}

std::vector<ChannelAnswer> ChannelThread::take_answers() {
  const std::lock_guard lock{mutex_};
  return std::exchange(answers_, {});
}

Duration ChannelThread::wait(Duration at_most) {
  const auto begin = std::chrono::steady_clock::now();
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, std::chrono::microseconds{at_most.us()}, [&] { return !answers_.empty(); });
  const auto waited = std::chrono::steady_clock::now() - begin;
  return Duration{std::chrono::duration_cast<std::chrono::microseconds>(waited).count()};
}

void ChannelThread::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void ChannelThread::work(std::stop_token stop) {
  while (true) {
    Message message;
    {
      std::unique_lock lock{mutex_};
      if (!changed_.wait(lock, stop, [&] { return !messages_.empty(); }) || stop.stop_requested()) return;
      message = std::move(messages_.front());
      messages_.pop_front();
    }
    ChannelAnswer answer;
    try {
      answer = channel_->send(message, stop);
    } catch (const std::exception&) {
      // Its words could hold what the message held.
      answer = {.fate = Fate::Later, .perhaps_sent = true, .detail = "the channel threw an exception"};
    }
    answer.number = message.number;
    {
      const std::lock_guard lock{mutex_};
      answers_.push_back(std::move(answer));
    }
    changed_.notify_all();
  }
}

}  // namespace everlearn
