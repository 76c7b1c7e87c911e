#include "registry/verdict.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "core/json.hpp"

namespace everlearn {
namespace {

constexpr std::array kOutcomes{Outcome::Promoted, Outcome::Refused, Outcome::Insufficient, Outcome::Failed};

Result<Check> check_from_json(std::string_view json) {
  EL_TRY(JsonIn in, JsonIn::parse(json));
  Check check;
  in.get("name", check.name);
  in.get("measured", check.measured);
  in.get("required", check.required);
  in.get("passed", check.passed);
  in.get("note", check.note);
  EL_CHECK(in.finish("check"));
  return check;
}

/// Seventeen digits tell every double apart; NaN has no sign.
std::string exact(double value) { return std::isnan(value) ? "nan" : fmt::format("{:.17g}", value); }

}  // namespace

std::string_view text(Outcome outcome) {
  switch (outcome) {
    case Outcome::Promoted:
      return "promoted";
    case Outcome::Refused:
      return "refused";
    case Outcome::Insufficient:
      return "insufficient";
    case Outcome::Failed:
      return "failed";
  }
  return "failed";
}

std::string Verdict::to_json() const {
  std::vector<std::string> list;
  for (const Check& check : checks) {
    JsonOut out;
    out.put("name", check.name).put("measured", check.measured).put("required", check.required);
    out.put("passed", check.passed).put("note", check.note);
    list.push_back(out.text());
  }
  JsonOut out;
  out.put("outcome", text(outcome)).put("reason", reason);
  out.put("rows", rows).put("effective", effective).put("rows_used_before", rows_used_before);
  out.put("holdout_first", holdout_first).put("holdout_last", holdout_last).put_list("checks", list);
  if (!reliability_after.bins.empty()) {
    JsonOut bins;
    if (!reliability_before.bins.empty()) bins.put_json("before", reliability_before.to_json());
    out.put_json("reliability", bins.put_json("after", reliability_after.to_json()).text());
  }
  return out.text();
}

Result<Verdict> Verdict::from_json(std::string_view json) {
  EL_TRY(JsonIn in, JsonIn::parse(json));
  Verdict verdict;
  std::string outcome;
  in.get("outcome", outcome);
  in.get("reason", verdict.reason);
  in.get("rows", verdict.rows);
  in.get("effective", verdict.effective);
  in.get("rows_used_before", verdict.rows_used_before);
  in.get("holdout_first", verdict.holdout_first);
  in.get("holdout_last", verdict.holdout_last);
  const std::vector<std::string> list = in.list("checks");
  EL_CHECK(in.finish("verdict"));
  bool known = false;
  for (const Outcome candidate : kOutcomes) {
    if (outcome != text(candidate)) continue;
    verdict.outcome = candidate;
    known = true;
  }
  if (!known)
    return fail(Code::BadData,
                fmt::format("verdict: outcome '{}' is none of promoted, refused, insufficient, failed", outcome));
  if (in.has("reliability")) {
    EL_TRY(const JsonIn bins, JsonIn::parse(in.json("reliability")));
    if (bins.has("before")) {
      EL_TRY(verdict.reliability_before, Reliability::from_json(bins.json("before")));
    }
    EL_TRY(verdict.reliability_after, Reliability::from_json(bins.json("after")));
  }
  for (const std::string& item : list) {
    EL_TRY(Check check, check_from_json(item));
    verdict.checks.push_back(std::move(check));
  }
  return verdict;
}

std::string Verdict::canonical() const {
  std::string out =
      fmt::format("{} rows {} effective {} used before {}\n", text(outcome), rows, effective, rows_used_before);
  for (const Check& check : checks)
    out += fmt::format("{} {} {} {}\n", check.name, exact(check.measured), exact(check.required),
                       check.passed ? "passed" : "not passed");
  return out;
}

}  // namespace everlearn
