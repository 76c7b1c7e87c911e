// An ObjectStore in a bucket of Amazon S3, or of a server that speaks like it and knows conditional writes
// (If-None-Match, If-Match on PUT: Amazon since November 2024, MinIO, Cloudflare R2). Addresses in path style; TLS
// verified; a call that fails for a reason that passes is made again, three times at most.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "io/aws_signature.hpp"
#include "io/object_store.hpp"

namespace everlearn {

struct S3Options {
  std::string bucket, prefix;  // prefix without '/' at its ends; may be empty
  std::string endpoint;        // "https://s3.eu-central-1.amazonaws.com", "http://127.0.0.1:5000"
  std::string region;
  AwsKeys keys;
  std::string ca_file;  // certificates to trust instead of the system's; empty: the system's
};

/// "s3://bucket/prefix" with what the environment says: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
/// AWS_REGION (or AWS_DEFAULT_REGION; else us-east-1), AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL (else Amazon's of the
/// region), AWS_CA_BUNDLE. Errors: Config naming the variable that is missing or wrong; Usage for another place.
Result<S3Options> s3_options(const std::string& place, const std::map<std::string, std::string>& environment);

/// `clock`, which outlives the store, is the real one: a signature is good for minutes.
Result<std::unique_ptr<ObjectStore>> open_s3_store(S3Options options, const Clock& clock);

}  // namespace everlearn
