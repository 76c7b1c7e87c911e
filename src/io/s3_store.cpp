#include "io/s3_store.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "core/hash.hpp"
#include "core/quoted.hpp"

namespace everlearn {
namespace {

constexpr int kTries = 4;
constexpr std::chrono::milliseconds kFirstPause{200};  // then four times as long each time
constexpr long kConnectSeconds = 20;
constexpr long kStalledSeconds = 30;            // with less than a byte a second
constexpr std::size_t kAnswerLimit = 1u << 30;  // bytes
constexpr std::size_t kExplanationLimit = 300;  // of a server's own words

struct Answer {
  long status = 0;
  std::string body, etag, region;
};

// The text between <name> and </name>; our own names hold nothing that XML would escape.
std::string inside(std::string_view xml, const std::string& name, std::size_t from = 0) {
  const std::string open = "<" + name + ">", close = "</" + name + ">";
  const std::size_t begin = xml.find(open, from);
  if (begin == std::string_view::npos) return "";
  const std::size_t end = xml.find(close, begin);
  if (end == std::string_view::npos) return "";
  return std::string{xml.substr(begin + open.size(), end - begin - open.size())};
}

// Only what a server says about the kind of failure: the rest of an answer may repeat a signature.
std::string explanation(const Answer& answer) {
  const std::string code = inside(answer.body, "Code"), message = inside(answer.body, "Message");
  if (code.empty()) return fmt::format("HTTP {}", answer.status);
  return fmt::format("HTTP {}, {}: {}", answer.status, code, quoted(message.substr(0, kExplanationLimit)));
}

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* answer) {
  std::string& body = static_cast<Answer*>(answer)->body;
  if (body.size() + size * count > kAnswerLimit) return 0;
  body.append(bytes, size * count);
  return size * count;
}

std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* answer) {
  std::string line{bytes, size * count};
  const std::size_t colon = line.find(':');
  if (colon == std::string::npos) return size * count;
  std::string name = line.substr(0, colon), value = line.substr(colon + 1);
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  value.erase(0, value.find_first_not_of(" \t"));
  value.erase(value.find_last_not_of(" \t\r\n") + 1);
  auto& into = *static_cast<Answer*>(answer);
  if (name == "etag") into.etag = value;
  if (name == "x-amz-bucket-region") into.region = value;
  return size * count;
}

struct FreeCurl {
  void operator()(CURL* curl) const noexcept { curl_easy_cleanup(curl); }
};
struct FreeList {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

class S3Store final : public ObjectStore {
 public:
  S3Store(S3Options options, const Clock& clock, CURL* curl)
      : options_{std::move(options)}, clock_{clock}, curl_{curl} {}

  Result<std::optional<StoredObject>> get(const std::string& name) override {
    EL_TRY(Answer answer, ask("GET", path_of(name), {}, {}, ""));
    if (answer.status == 404 && inside(answer.body, "Code") == "NoSuchKey") return std::optional<StoredObject>{};
    if (answer.status != 200) return refused("read", name, answer);
    return std::optional{StoredObject{std::move(answer.body), answer.etag}};
  }

  Result<void> put(const std::string& name, std::string_view bytes) override {
    EL_TRY(const Answer answer, ask("PUT", path_of(name), {}, {}, bytes));
    if (answer.status != 200) return refused("write", name, answer);
    return {};
  }

  Result<std::string> put_if_absent(const std::string& name, std::string_view bytes) override {
    return put_if(name, {{"if-none-match", "*"}}, bytes);
  }
  Result<std::string> put_if_match(const std::string& name, const std::string& tag, std::string_view bytes) override {
    return put_if(name, {{"if-match", tag}}, bytes);
  }

  Result<void> remove(const std::string& name) override {
    EL_TRY(const Answer answer, ask("DELETE", path_of(name), {}, {}, ""));
    if (answer.status / 100 != 2 && answer.status != 404) return refused("remove", name, answer);
    return {};
  }

  Result<std::vector<std::string>> list(const std::string& prefix) override {
    std::vector<std::string> names;
    const std::string folder = options_.prefix.empty() ? "" : options_.prefix + "/";
    std::map<std::string, std::string> query{{"list-type", "2"}, {"prefix", folder + prefix}};
    for (;;) {
      EL_TRY(const Answer answer, ask("GET", "/" + options_.bucket, query, {}, ""));
      if (answer.status != 200) return refused("list", prefix, answer);
      for (std::size_t at = answer.body.find("<Key>"); at != std::string::npos;
           at = answer.body.find("<Key>", at + 1)) {
        const std::string key = inside(answer.body, "Key", at);
        if (key.starts_with(folder)) names.push_back(key.substr(folder.size()));
      }
      if (inside(answer.body, "IsTruncated") != "true") break;
      query["continuation-token"] = inside(answer.body, "NextContinuationToken");
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  std::string place() const override {
    return fmt::format("s3://{}{}{}", options_.bucket, options_.prefix.empty() ? "" : "/", options_.prefix);
  }

 private:
  std::string path_of(const std::string& name) const {
    return fmt::format("/{}/{}{}{}", options_.bucket, options_.prefix, options_.prefix.empty() ? "" : "/", name);
  }

  tl::unexpected<Error> refused(const std::string& verb, const std::string& name, const Answer& answer) const {
    const std::string what = fmt::format("{}: {} {}: {}", place(), verb, name, explanation(answer));
    if (answer.status / 100 == 3)
      return fail(Code::Config, fmt::format("{}; the bucket is of region {}", what,
                                            answer.region.empty() ? "?" : quoted(answer.region)));
    if (answer.status == 400 || answer.status == 401 || answer.status == 403 || answer.status == 404)
      return fail(Code::Config, what);
    if (answer.status == 501) return fail(Code::Unsupported, what + "; conditional writes are needed");
    return fail(Code::Unavailable, what);
  }

  Result<std::string> put_if(const std::string& name, const std::map<std::string, std::string>& condition,
                             std::string_view bytes) {
    EL_TRY(const Answer answer, ask("PUT", path_of(name), {}, condition, bytes));
    if (answer.status == 200) return answer.etag;
    const bool gone = answer.status == 404 && inside(answer.body, "Code") == "NoSuchKey";
    if (answer.status != 412 && answer.status != 409 && !gone) return refused("write", name, answer);
    // Perhaps it was us: an answer that got lost, and the call made again.
    EL_TRY(const auto there, get(name));
    if (there && there->bytes == bytes) return there->tag;
    return fail(Code::InUse, fmt::format("{}: another process has written {}", place(), name));
  }

  // Again where a failure passes: no connection, 5xx, too many requests.
  Result<Answer> ask(const std::string& method, const std::string& path,
                     const std::map<std::string, std::string>& query, const std::map<std::string, std::string>& headers,
                     std::string_view body) {
    auto pause = kFirstPause;
    for (int left = kTries - 1;; --left, pause *= 4) {
      auto answer = ask_once(method, path, query, headers, body);
      const bool passes = answer ? answer->status >= 500 || answer->status == 429 || answer->status == 408
                                 : answer.error().code == Code::Unavailable;
      if (!passes || left == 0 || (answer && answer->status == 501)) return answer;
      std::this_thread::sleep_for(pause);
    }
  }

  Result<Answer> ask_once(const std::string& method, const std::string& path,
                          const std::map<std::string, std::string>& query,
                          const std::map<std::string, std::string>& headers, std::string_view body) {
    const Timestamp at = clock_.now();
    AwsRequest request{method, path, query, headers};
    request.headers["host"] = options_.endpoint.substr(options_.endpoint.find("//") + 2);
    request.headers["x-amz-content-sha256"] = sha256_hex(body);
    request.headers["x-amz-date"] = aws_date(at);
    if (!options_.keys.session.empty()) request.headers["x-amz-security-token"] = options_.keys.session.reveal();
    std::unique_ptr<curl_slist, FreeList> lines;
    const auto add = [&](const std::string& line) { lines.reset(curl_slist_append(lines.release(), line.c_str())); };
    add("Authorization: " + aws_authorization(request, options_.keys, options_.region, "s3", at));
    for (const auto& [name, value] : request.headers)
      if (name != "host") add(name + ": " + value);
    add("Content-Type:");  // not one that curl thinks of
    add("Expect:");

    CURL* curl = curl_.get();
    curl_easy_reset(curl);  // the connection stays
    const std::string encoded = aws_query(query);
    const std::string url = options_.endpoint + aws_encoded(path, true) + (encoded.empty() ? "" : "?" + encoded);
    Answer answer;
    char problem[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStalledSeconds);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
    if (!options_.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca_file.c_str());
    if (method == "PUT") {
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
    }
    if (method != "GET") curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, lines.get());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer);
    const CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK) {
      const std::string why =
          fmt::format("{} at {}: {}", place(), options_.endpoint, problem[0] ? problem : curl_easy_strerror(code));
      const bool certificate = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
      return fail(certificate ? Code::Config : Code::Unavailable, why);
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    return answer;
  }

  const S3Options options_;
  const Clock& clock_;
  const std::unique_ptr<CURL, FreeCurl> curl_;
};

bool plain_name(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
}

}  // namespace

Result<S3Options> s3_options(const std::string& place, const std::map<std::string, std::string>& environment) {
  constexpr std::string_view kScheme = "s3://";
  const auto variable = [&](const std::string& name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string{} : found->second;
  };
  const auto wanted = [&](const std::string& name) -> Result<std::string> {
    std::string value = variable(name);
    if (value.empty()) return fail(Code::Config, fmt::format("{}: {} is not set", place, name));
    return value;
  };
  if (!place.starts_with(kScheme)) return fail(Code::Usage, fmt::format("{}: no s3:// place", place));
  S3Options options;
  std::string rest = place.substr(kScheme.size());
  while (rest.ends_with('/')) rest.pop_back();
  const std::size_t slash = rest.find('/');
  options.bucket = rest.substr(0, slash);
  options.prefix = slash == std::string::npos ? "" : rest.substr(slash + 1);
  if (options.bucket.empty() || !plain_name(options.bucket, ".-_") || !plain_name(options.prefix, ".-_/"))
    return fail(Code::Usage, fmt::format("{}: wanted s3://bucket/prefix of letters, digits, '.', '-', '_'", place));
  EL_TRY(options.keys.id, wanted("AWS_ACCESS_KEY_ID"));
  EL_TRY(const std::string secret, wanted("AWS_SECRET_ACCESS_KEY"));
  options.keys.secret = Secret{secret};
  options.keys.session = Secret{variable("AWS_SESSION_TOKEN")};
  options.region = variable("AWS_REGION");
  if (options.region.empty()) options.region = variable("AWS_DEFAULT_REGION");
  if (options.region.empty()) options.region = "us-east-1";
  if (!plain_name(options.region, "-"))
    return fail(Code::Config, fmt::format("AWS_REGION: {}", quoted(options.region)));
  options.endpoint = variable("AWS_ENDPOINT_URL_S3");
  if (options.endpoint.empty()) options.endpoint = variable("AWS_ENDPOINT_URL");
  if (options.endpoint.empty()) options.endpoint = fmt::format("https://s3.{}.amazonaws.com", options.region);
  while (options.endpoint.ends_with('/')) options.endpoint.pop_back();
  const bool http = options.endpoint.starts_with("http://"), https = options.endpoint.starts_with("https://");
  const std::string host =
      options.endpoint.substr(options.endpoint.find("//") == std::string::npos ? 0 : options.endpoint.find("//") + 2);
  if ((!http && !https) || host.empty() || !plain_name(host, ".-:[]"))
    return fail(Code::Config, "AWS_ENDPOINT_URL: wanted http(s)://host or http(s)://host:port");
  options.ca_file = variable("AWS_CA_BUNDLE");
  return options;
}

Result<std::unique_ptr<ObjectStore>> open_s3_store(S3Options options, const Clock& clock) {
  CURL* curl = curl_easy_init();
  if (curl == nullptr) return fail(Code::Internal, "libcurl does not start");
  return std::unique_ptr<ObjectStore>{new S3Store{std::move(options), clock, curl}};
}

}  // namespace everlearn
