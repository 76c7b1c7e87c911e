// A channel on a thread of its own, so that a network that hangs holds nobody up. Messages go in, answers come out;
// both queues are short and hold values that nobody changes.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "alert/channel.hpp"

namespace everlearn {

class ChannelThread {
 public:
  explicit ChannelThread(std::unique_ptr<Channel> channel);
  ~ChannelThread();
  ChannelThread(const ChannelThread&) = delete;
  ChannelThread& operator=(const ChannelThread&) = delete;

  const Channel& channel() const { return *channel_; }
  /// False: there are messages enough already.
  bool offer(Message message);
  std::vector<ChannelAnswer> take_answers();
  /// Until an answer is there, at most so long; returns how long it was.
  Duration wait(Duration at_most);
  /// Asks what is under way to end, and waits for it; its answer can still be taken. No message goes out any more.
  void stop();

 private:
  void work(std::stop_token stop);

  const std::unique_ptr<Channel> channel_;  // send(): the thread; the rest: anybody
  std::mutex mutex_;                        // of the two queues
  std::condition_variable_any changed_;
  std::deque<Message> messages_;
  std::vector<ChannelAnswer> answers_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace everlearn
