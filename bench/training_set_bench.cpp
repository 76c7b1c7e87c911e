// Trains on a set of many rows made from an engine's own sealed ones, and says what it took.
//   training_set_bench EVERLEARN-DATA WORK ROWS PATH-OF-everlearn-train [COLUMNS [SAMPLE [THREADS]]]
//
// The rows are real rows repeated with noise: of the directory's labelled examples (target 0) the oldest four fifths
// are taken again and again, each time later by their length, with 2 % of a column's deviation added to each known
// value and to the label; a column that the recording cannot fill (always missing or constant) has the values of
// another column, shifted against the label and with the same noise, so that it costs what a real one costs and says
// nothing. The newest fifth stays as it is: the rows on which R2 is taken. The files are those of the lake, by its own
// writer, 55,000 rows each (32 MiB of payload). SAMPLE: trains again on the newest so many, for what a sample would
// lose. With WORK made before (same ROWS and COLUMNS) the files are taken as they are.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "core/rng.hpp"
#include "core/system_clock.hpp"
#include "core/system_fs.hpp"
#include "core/system_proc.hpp"
#include "feature/stored_precision.hpp"
#include "forest/forest.hpp"
#include "learn/train_job.hpp"
#include "store/lake_file.hpp"

using namespace everlearn;

namespace {

constexpr std::size_t kSegment = 55'000;
constexpr double kNoise = 0.02;  // of a column's deviation

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::exit(1);
  }
  return std::move(*result);
}
void must(const Result<void>& result) {
  if (!result) std::fprintf(stderr, "%s\n", result.error().message.c_str()), std::exit(1);
}

struct Labelled {
  ExampleRow example;
  LabelRow label;
};

struct Real {
  std::vector<Labelled> rows;  // by time
  std::size_t fit = 0;         // so many of them are repeated
  std::vector<std::string> columns;
  std::vector<float> deviation;
  double label_deviation = 0;
  Duration length;
};

float deviation(const std::vector<Labelled>& rows, std::size_t column) {
  double n = 0, sum = 0, squares = 0;
  for (const Labelled& row : rows) {
    const auto x = static_cast<double>(row.example.features[column]);
    if (!std::isfinite(x)) continue;
    n += 1;
    sum += x;
    squares += x * x;
  }
  if (n < 100) return 0;
  return static_cast<float>(std::sqrt(std::max(0.0, squares / n - sum / n * sum / n)));
}

Real load(const std::string& directory, std::size_t columns) {
  SystemFs fs;
  SystemClock clock;
  Rng rng{1};
  SystemProc proc;
  const World world{clock, rng, fs, proc};
  StoreOptions options;
  options.read_only = true;
  const auto store = must(Store::open(world, directory, options));
  Real real;
  std::map<std::pair<Timestamp, InstrumentId>, LabelRow> labels;
  must(store->scan_labels({}, [&](const LabelRow& label) {
    if (label.target == 0 && label.known) labels.emplace(std::pair{label.event_time, label.instrument}, label);
    return true;
  }));
  must(store->scan_examples({}, [&](const ExampleRow& example) {
    const auto label = labels.find({example.event_time, example.instrument});
    if (label != labels.end()) real.rows.push_back({example, label->second});
    return true;
  }));
  if (real.rows.size() < 1000) std::fprintf(stderr, "%s: too few labelled examples\n", directory.c_str()), std::exit(1);
  std::sort(real.rows.begin(), real.rows.end(), [](const Labelled& a, const Labelled& b) {
    return std::pair{a.example.event_time, a.example.instrument} <
           std::pair{b.example.event_time, b.example.instrument};
  });
  std::vector<std::size_t> live;
  const std::size_t width = real.rows.front().example.features.size();
  for (std::size_t j = 0; j < width; ++j)
    if (deviation(real.rows, j) > 0) live.push_back(j);
  // Those that this recording fills first, then the others with values of the first, shifted against the label.
  std::vector<std::size_t> source;
  for (std::size_t j = 0; j < columns; ++j) source.push_back(live[j % live.size()]);
  std::vector<std::vector<float>> made(real.rows.size());
  for (std::size_t i = 0; i < real.rows.size(); ++i)
    for (std::size_t j = 0; j < columns; ++j) {
      const std::size_t from = j < live.size() ? i : (i + 997 * (j / live.size()) + 31 * j) % real.rows.size();
      made[i].push_back(real.rows[from].example.features[source[j]]);
    }
  for (std::size_t i = 0; i < real.rows.size(); ++i) {
    real.rows[i].example.features = std::move(made[i]);
    real.rows[i].example.baseline.resize(1);
    real.rows[i].example.no_change.resize(1);
  }
  for (std::size_t j = 0; j < columns; ++j) {
    real.columns.push_back(fmt::format("a_feature_of_usual_length_{}@0123abcd", j));
    real.deviation.push_back(deviation(real.rows, j));
  }
  double squares = 0;
  for (const Labelled& row : real.rows) squares += row.label.value * row.label.value;
  real.label_deviation = std::sqrt(squares / static_cast<double>(real.rows.size()));
  real.fit = real.rows.size() * 4 / 5;
  while (real.fit > 0 && real.rows[real.fit].example.event_time == real.rows[real.fit - 1].example.event_time)
    --real.fit;
  real.length = real.rows[real.fit - 1].example.event_time - real.rows[0].example.event_time + Duration::minutes(15);
  fmt::print("{} labelled examples, {} of {} columns filled by the recording; {} repeated, {} kept to judge by\n",
             real.rows.size(), std::min(live.size(), columns), columns, real.fit, real.rows.size() - real.fit);
  return real;
}

double gauss(Rng& rng) {
  double sum = 0;
  for (int i = 0; i < 4; ++i) sum += rng.uniform();
  return (sum - 2) * std::sqrt(3.0);
}

/// Row `n` of the set.
Labelled made(const Real& real, std::size_t n, Rng& rng) {
  Labelled row = real.rows[n % real.fit];
  const Duration later = real.length * static_cast<std::int64_t>(n / real.fit);
  row.example.event_time = row.label.event_time = row.example.event_time + later;
  row.example.known_at = row.example.event_time;
  row.label.end = row.label.end + later;
  row.label.known_at = row.label.end;
  if (n < real.fit) return row;
  for (std::size_t j = 0; j < row.example.features.size(); ++j)
    row.example.features[j] =
        stored_precision(row.example.features[j] + static_cast<float>(kNoise * gauss(rng)) * real.deviation[j]);
  row.label.value += kNoise * gauss(rng) * real.label_deviation;
  return row;
}

void write(Fs& fs, const Real& real, const std::string& work, std::size_t rows, TrainJob& job) {
  Rng rng{7};
  LakeNames names;
  names.columns = real.columns;
  names.targets = {"change"};
  std::uint64_t example_bytes = 0, label_bytes = 0;
  const Stopwatch stopwatch;
  for (std::size_t first = 0; first < rows; first += kSegment) {
    std::vector<ExampleRow> examples;
    std::vector<LabelRow> labels;
    const std::string example_file = fmt::format("{}/examples-{}.parquet", work, first);
    const std::string label_file = fmt::format("{}/labels-{}.parquet", work, first);
    const std::size_t here = std::min(kSegment, rows - first);
    if (!fs.exists(label_file)) {
      for (std::size_t n = first; n < first + here; ++n) {
        Labelled row = made(real, n, rng);
        examples.push_back(std::move(row.example));
        labels.push_back(std::move(row.label));
      }
      const auto seq = static_cast<std::int64_t>(first) + 1;
      example_bytes += must(write_lake_file<ExampleRow>(fs, example_file, examples, seq, names, 3)).bytes;
      label_bytes += must(write_lake_file<LabelRow>(fs, label_file, labels, seq, names, 3)).bytes;
    }
    job.examples.push_back({example_file, "", static_cast<std::int64_t>(here)});
    job.labels.push_back({label_file, "", static_cast<std::int64_t>(here)});
  }
  if (example_bytes > 0)
    fmt::print("written in {:.0f} s: {:.1f} bytes an example of {} columns, {:.1f} a label\n", stopwatch.seconds(),
               static_cast<double>(example_bytes) / static_cast<double>(rows), real.columns.size(),
               static_cast<double>(label_bytes) / static_cast<double>(rows));
}

/// On the newest fifth of the real rows, as they were recorded.
double r2(const Forest& forest, const Real& real) {
  double mean = 0, own = 0, all = 0;
  const auto n = static_cast<double>(real.rows.size() - real.fit);
  for (std::size_t i = real.fit; i < real.rows.size(); ++i) mean += real.rows[i].label.value / n;
  for (std::size_t i = real.fit; i < real.rows.size(); ++i) {
    std::vector<double> out(1);
    forest.raw(real.rows[i].example.features, out);
    const double value = real.rows[i].label.value;
    own += (value - out[0]) * (value - out[0]);
    all += (value - mean) * (value - mean);
  }
  return 1 - own / all;
}

/// The most that a child of ours has held, in MiB.
double peak() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void train(SystemFs& fs, const Real& real, const std::string& work, const std::string& trainer, TrainJob job) {
  SystemProc proc;
  const std::string directory = fmt::format("{}/job-{}", work, job.max_examples);
  must(fs.remove_tree(directory));
  must(fs.make_directories(directory));
  must(replace_file(fs, directory + "/job.json", job.to_json()));
  const Stopwatch stopwatch;
  ProcessSpec process;  // as app/trainer_process.cpp starts it
  process.argv = {trainer, directory};
  process.environment = {"OMP_WAIT_POLICY=passive", fmt::format("OMP_NUM_THREADS={}", job.threads), "LC_ALL=C"};
  process.stderr_path = directory + "/trainer.log";
  process.limits.memory_bytes = 8ull << 30;
  auto child = must(proc.start(process));
  const ProcessExit exit = must(child->wait());
  if (!exit.ok()) {
    std::fprintf(stderr, "the trainer ended with %d, signal %d: %s/trainer.log\n", exit.code, exit.signal,
                 directory.c_str());
    std::exit(1);
  }
  const TrainResult result = must(TrainResult::from_json(must(read_file(fs, directory + "/result.json"))));
  if (!result.ok) std::fprintf(stderr, "%s\n", result.refused.c_str()), std::exit(1);
  const Forest forest = must(Forest::decode(must(read_file(fs, directory + "/forest.bin"))));
  fmt::print(
      "{} fit and {} stop rows: {:.0f} s (reading {:.0f}, bins {:.0f}, {} trees {:.0f}), at most {:.0f} MiB so far; "
      "R2 {:.4f}\n",
      result.rows_fit, result.rows_stop, stopwatch.seconds(), result.read_seconds, result.prepare_seconds,
      result.best_iteration, result.train_seconds, peak(), r2(forest, real));
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  if (args.size() < 4)
    return std::fputs(
               "usage: training_set_bench EVERLEARN-DATA WORK ROWS PATH-OF-everlearn-train [COLUMNS [SAMPLE "
               "[THREADS]]]\n",
               stderr),
           2;
  const std::string& work = args[1];
  const std::size_t rows = std::stoul(args[2]), columns = args.size() > 4 ? std::stoul(args[4]) : 130;
  const std::int64_t sample = args.size() > 5 ? std::stoll(args[5]) : 0;
  SystemFs fs;
  must(fs.make_directories(work));
  const Real real = load(args[0], columns);
  TrainJob job;
  write(fs, real, work, rows, job);
  job.target = "change";
  job.columns = real.columns;
  job.schema_hash = "schema";
  job.markets.resize(100'000);
  job.as_of = job.stop_until = Timestamp::max();
  Rng rng{1};
  job.fit_from = made(real, 0, rng).example.event_time;
  job.stop_from = made(real, rows * 9 / 10, rng).example.event_time;
  job.stop_until = made(real, rows - 1, rng).example.event_time + Duration{1};
  job.purge_stop_by = Timestamp::max();
  job.params = {.trees = 200,
                .depth = 5,
                .leaves = 31,
                .learning_rate = 0.05,
                .l1 = 0.1,
                .l2 = 1,
                .row_fraction = 0.8,
                .feature_fraction = 0.8,
                .min_rows_in_leaf = 50,
                .early_stopping = 50};
  job.threads = args.size() > 6 ? std::stoi(args[6]) : 2;
  job.seed = 1;
  job.max_examples = static_cast<std::int64_t>(rows);
  if (sample > 0) {
    TrainJob less = job;
    less.max_examples = sample;
    train(fs, real, work, args[3], less);
  }
  train(fs, real, work, args[3], job);
  return 0;
}
