// Requests to Amazon's services, and to those that speak like them, signed as "AWS4-HMAC-SHA256". Amazon, "Signature
// Version 4" and "Authenticating Requests (AWS Signature Version 4)" of the S3 reference; its examples are our tests.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/secret.hpp"
#include "core/time.hpp"

namespace everlearn {

struct AwsKeys {
  std::string id;
  Secret secret;
  Secret session;  // of keys that expire; empty: the keys are lasting ones
};

struct AwsRequest {
  std::string method;                        // "GET"
  std::string path;                          // "/bucket/name", not encoded
  std::map<std::string, std::string> query;  // not encoded
  // By lower-case name; all are signed. "host" is there, and "x-amz-content-sha256": SHA-256 of the body.
  std::map<std::string, std::string> headers;
};

/// "x-amz-date" of a moment: 20130524T000000Z
std::string aws_date(Timestamp at);
/// The value of the header "Authorization". `request.headers` holds "x-amz-date" of the moment, or "date" and `at`
/// tells.
std::string aws_authorization(const AwsRequest& request, const AwsKeys& keys, const std::string& region,
                              const std::string& service, Timestamp at);
/// Percent-encoded but for A-Z a-z 0-9 - . _ ~, and '/' where it parts a path.
std::string aws_encoded(std::string_view text, bool path);
/// "a=1&b=two%20words", sorted.
std::string aws_query(const std::map<std::string, std::string>& query);

}  // namespace everlearn
