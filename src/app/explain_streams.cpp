#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "app/explain.hpp"

namespace everlearn {

Result<StreamWhy> why_stream(const DataDirectory& directory) {
  if (directory.profile().tune.way == TuneWay::None)
    return fail(Code::Usage, fmt::format("profile {} has one stream: tune.way is \"none\"", directory.profile().name));
  StreamWhy why;
  EL_TRY(const Progress progress, directory.progress());
  EL_TRY(const auto notes, directory.store().notes());
  for (const Store::Note& note : std::views::reverse(notes)) {
    if (note.kind != kStreamVerdict) continue;
    EL_TRY(why.verdict, StreamVerdict::from_note(note));
    break;
  }
  why.words.push_back(
      fmt::format("Now: {}.", progress.stream.empty() ? "nothing has run yet" : streams_words(progress)));
  if (!why.verdict) {
    why.words.push_back(
        "The two streams were not compared yet: the base serves until the tuned one has shown that it is "
        "not worse.");
    return why;
  }
  const Verdict& verdict = why.verdict->verdict;
  why.words.push_back(fmt::format(
      "Compared last at {}, on {} predictions that both had written down before the outcome "
      "({} effective): {}: {}.",
      why.verdict->at.iso().substr(0, 16), verdict.rows, verdict.effective, text(verdict.outcome), verdict.reason));
  if (verdict.outcome == Outcome::Insufficient)
    why.words.push_back("Too little to judge by changes nothing: the stream that served goes on.");
  for (const Check& check : verdict.checks) why.words.push_back("  " + check_words(check));
  return why;
}

}  // namespace everlearn
